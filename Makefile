# Setun. `make` installs what is missing, builds, runs the main job and leaves a report;
# `make test` says whether it is true. Everything built is under build/.

CC       ?= cc
CXX      ?= c++
CSTD     := -std=gnu11
WARN     := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
OPT      ?= -O2 -g
CFLAGS   ?=
LDLIBS   := -lcyaml -lyaml -ljansson -lz -lpthread -lm
ARCH     := $(shell uname -m)

# The suffix of a kernel's file chooses its flags: kernels/<op>_<isa>.c.
FLAGS_avx2       := -mavx2 -mfma -mf16c
FLAGS_f16c       := -mavx2 -mfma -mf16c
FLAGS_avx512vnni := -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mavx512vbmi -mavx2 -mfma -mf16c
FLAGS_avx512fp16 := $(FLAGS_avx512vnni) -mavx512fp16
X86_ONLY := %_avx2.c %_f16c.c %_avx512vnni.c %_avx512fp16.c

KERNELS := $(wildcard kernels/*.c)
ifneq ($(ARCH),x86_64)
KERNELS := $(filter-out $(X86_ONLY),$(KERNELS))
endif
SOURCES := $(wildcard workloads/*.c) $(wildcard sim/*.c) $(KERNELS) $(wildcard energy_model/*.c)
LIB     := build/lib/liblpu.a
LPU     := build/bin/lpu
UNIT    := $(patsubst tests/%.c,build/tests/%,$(wildcard tests/unit/*_test.c))
SCRIPTS := $(wildcard tests/*/*_test.sh)

.PHONY: all build run test test-long deps deps-check clean
.DELETE_ON_ERROR:

all: deps
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory run

build: $(LPU)

build/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CSTD) $(OPT) $(WARN) $(CFLAGS) $(FLAGS_$(lastword $(subst _, ,$*))) -I. \
	    -DLPU_SOURCE_HOME='"$(CURDIR)"' -MMD -MP -c $< -o $@

$(LIB): $(SOURCES:%.c=build/obj/%.o)
	@mkdir -p $(@D)
	@echo "  AR      $@"
	@rm -f $@ && ar rcs $@ $^

$(LPU): $(patsubst %.c,build/obj/%.o,$(wildcard cli/*.c)) $(LIB)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(OPT) $(CFLAGS) $^ $(LDLIBS) -o $@

build/tests/unit/%: build/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(OPT) $(CFLAGS) $^ $(LDLIBS) -o $@

clean:
	rm -rf build

-include $(shell find build/obj -name '*.d' 2>/dev/null)
