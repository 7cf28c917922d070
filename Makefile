# Setun. `make` installs what is missing, builds, runs the main job and leaves a report;
# `make test` says whether it is true. Everything built is under build/.
#
#   make             all of it: deps, build, run
#   make build       the program build/bin/lpu and the Verilated array
#   make run         the main job: build/report/index.html
#   make test        every test; ends with "N passed, N failed, N skipped"
#   make test-long   fuzzers, sanitizers, mutants, full stepping, long random programs (hours)
#   make coverage    what the programs reach of the RTL: build/coverage/report.txt
#   make mutate      faults planted in the RTL, and how many the suite sees
#   make bench       the CPU kernels of this machine, ternary beside FP16
#   make corpus      text to train on: build/corpus/train.txt, heldout.txt
#   make model       trains the shipped model and its FP16 twin again (an hour or two)
#   make deps-check  what is missing, and nothing else

# Debian's default shell is enough for every recipe.
SHELL := /bin/sh

CC       ?= cc
CXX      ?= c++
CSTD     := -std=gnu11
WARN     := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
OPT      ?= -O2 -g
CFLAGS   ?=
LDLIBS   := -lcyaml -lyaml -ljansson -lpthread -lm
ARCH     := $(shell uname -m)
JOBS     ?= $(shell nproc 2>/dev/null || echo 1)

# What the build and the main job need; what the tests need besides (SystemC, and ARM kernels under an
# emulated CPU); what test-long needs besides.
DEPS      := gcc g++ make libcyaml-dev libyaml-dev libjansson-dev zlib1g-dev verilator yosys iverilog gnuplot-nox z3
DEPS_TEST := libsystemc-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
DEPS_LONG := clang clang-format

# The suffix of a kernel's file chooses its flags: kernels/<op>_<isa>.c.
FLAGS_avx2       := -mavx2 -mfma -mf16c
FLAGS_avx512vnni := -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mavx512vbmi -mavx2 -mfma -mf16c -mbmi2
FLAGS_avx512fp16 := $(FLAGS_avx512vnni) -mavx512fp16
FLAGS_avx512bf16 := $(FLAGS_avx512vnni) -mavx512bf16
FLAGS_amx        := $(FLAGS_avx512vnni) -mamx-tile -mamx-int8 -mamx-bf16
FLAGS_dotprod    := -march=armv8.2-a+dotprod
FLAGS_i8mm       := -march=armv8.2-a+dotprod+i8mm
FLAGS_sve        := -march=armv8.2-a+dotprod+sve
X86_ONLY := %_avx2.c %_avx512vnni.c %_avx512bf16.c %_avx512fp16.c %_amx.c
ARM_ONLY := %_neon.c %_dotprod.c %_i8mm.c %_sve.c

KERNELS := $(wildcard kernels/*.c)
ifneq ($(ARCH),x86_64)
KERNELS := $(filter-out $(X86_ONLY),$(KERNELS))
endif
ifneq ($(ARCH),aarch64)
KERNELS := $(filter-out $(ARM_ONLY),$(KERNELS))
endif
SOURCES := $(wildcard workloads/*.c workloads/train/*.c) $(wildcard sim/*.c) $(KERNELS) $(wildcard energy_model/*.c)
LIB     := build/lib/liblpu.a
LPU     := build/bin/lpu
RTL     := build/bin/lpu_rtl_array
UNIT    := $(patsubst tests/%.c,build/tests/%,$(wildcard tests/unit/*_test.c))
SCRIPTS := $(filter-out tests/long/%,$(wildcard tests/*/*_test.sh))
LONG    := $(wildcard tests/long/*_test.sh)

# The array of ternary-edge, for the main job.
RTL_CONFIG := 64x160-4-base3-64-64

.PHONY: all build run corpus model test test-long coverage mutate bench deps deps-check deps-test deps-long clean
.DELETE_ON_ERROR:
.SECONDARY:

all: deps
	@$(MAKE) --no-print-directory -j$(JOBS) build
	@$(MAKE) --no-print-directory run

build: $(LPU) $(RTL)

run: $(LPU) $(RTL)
	@$(LPU) report --out build/report

bench:
	@$(MAKE) --no-print-directory -j$(JOBS) $(LPU)
	@$(LPU) bench

# Public-domain text of Debian packages, for `lpu train`: build/corpus/{train,heldout}.txt.
corpus:
	@workloads/train/corpus.sh build/corpus

# The shipped model and its twin, again, with the figures of the model card: build/model.
model: $(LPU) corpus
	@workloads/shipped/train.sh build/corpus build/model

test: deps deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) build $(UNIT)
	@tests/run.sh $(UNIT) $(SCRIPTS)

test-long: deps deps-long
	@$(MAKE) --no-print-directory -j$(JOBS) build
	@tests/run.sh $(LONG)

coverage: deps
	@$(MAKE) --no-print-directory -j$(JOBS) build
	@tests/long/top_coverage.sh

mutate: deps
	@$(MAKE) --no-print-directory -j$(JOBS) build
	@tests/long/top_mutate_test.sh

# ---- packages ----

missing = $(shell for p in $(1); do \
    dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | grep -q '^install ok installed' || echo $$p; done)

deps-check:
	@set -- $(call missing,$(DEPS) $(DEPS_TEST)); \
	if [ $$# -eq 0 ]; then echo "nothing is missing"; else echo "missing: $$*"; fi

# $(call install,PACKAGES): prints the list before it acts; without root it says what to type.
define install
	@command -v dpkg-query >/dev/null 2>&1 || { \
	    echo "no dpkg here: these Debian packages are needed by their names elsewhere: $(1)"; exit 0; }; \
	set -- $(call missing,$(1)); \
	[ $$# -eq 0 ] && exit 0; \
	echo "needed from apt: $$*"; \
	if [ "$$(id -u)" -eq 0 ]; then as=; \
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as=sudo; \
	else echo "this needs root; type: apt-get update && apt-get install -y --no-install-recommends $$*"; exit 1; fi; \
	$$as apt-get update -qq && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$* >/dev/null
endef

deps:
	$(call install,$(DEPS))

deps-test:
	$(call install,$(DEPS_TEST))

deps-long:
	$(call install,$(DEPS_LONG))

# ---- objects ----

build/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CSTD) $(OPT) $(WARN) $(CFLAGS) $(FLAGS_$(lastword $(subst _, ,$*))) -I. \
	    -DLPU_SOURCE_HOME='"$(CURDIR)"' -MMD -MP -c $< -o $@

# Training is loops over numbers: let the compiler unroll and vectorise them. No runtime comes with it.
build/obj/workloads/train/%.o: override OPT += -O3 -fopenmp-simd

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

# The Verilated array, in lockstep with sim/unit_array.c.
$(RTL): $(wildcard rtl/*.v rtl/*.vh tests/lockstep/*.cc tests/lockstep/*.h tests/lockstep/build.*) \
        sim/unit_array.c sim/unit_array.h workloads/ternary.c
	@mkdir -p $(@D)
	@echo "  RTL     $@"
	@mkdir -p build/lockstep
	@MAKEFLAGS= tests/lockstep/build.sh $(RTL_CONFIG) >build/lockstep/build.log 2>&1 || \
	    { cat build/lockstep/build.log; exit 1; }
	@cp build/lockstep/$(RTL_CONFIG)/array_matrix $@

clean:
	rm -rf build

-include $(shell find build/obj -name '*.d' 2>/dev/null)
