# sim/systemc/build.mk - the TLM-2.0 platform. Called by build.sh, from the root of the sources. DIR is
# where a Verilated model lies (rtl/verify/top_build.sh), or empty; OUT is where the rest is made.

VERILATOR_ROOT := $(if $(DIR),$(shell verilator --getenv VERILATOR_ROOT))
HAS_RTL  := $(if $(DIR),1,0)
HERE     := $(OUT)/systemc-$(HAS_RTL)
CXXFLAGS := -std=gnu++17 -O2 -Wall -Wextra -Wshadow -Werror -MMD -MP -I. -DLPU_SC_RTL=$(HAS_RTL)

# The simulator that lpu itself is linked with.
LIB := build/lib/liblpu.a

PARTS   := axi memory device values machine host $(if $(DIR),rtl)
PARTS   := $(PARTS:%=$(HERE)/%.o)
JUDGE   := $(addprefix $(HERE)/,main.o platform.o top_golden.o top_model.o top_random.o top_writer.o)
PROGRAM := $(if $(DIR),$(DIR),$(HERE))/systemc_verify

all: $(PROGRAM)

example: $(HERE)/example

# The model, as top_build.sh has compiled it; its own main is left out.
ifneq ($(DIR),)
-include $(DIR)/Vtop_classes.mk
MODEL := $(VM_CLASSES_FAST) $(VM_CLASSES_SLOW) $(VM_SUPPORT_FAST) $(VM_SUPPORT_SLOW)
MODEL := $(MODEL:%=$(DIR)/%.o) $(DIR)/top_rtl.o
MODEL += $(addprefix $(OUT)/shared-speed/,$(addsuffix .o,$(VM_GLOBAL_FAST) $(VM_GLOBAL_SLOW)))
endif

$(HERE)/%.o: sim/systemc/%.cc
	@mkdir -p $(@D)
	@$(CXX) $(CXXFLAGS) -c $< -o $@

$(HERE)/%.o: rtl/verify/%.cc
	@mkdir -p $(@D)
	@$(CXX) $(CXXFLAGS) -c $< -o $@

library:
	@MAKEFLAGS= $(MAKE) --no-print-directory -s $(LIB)

$(PROGRAM): $(PARTS) $(JUDGE) $(MODEL) | library
	@$(CXX) $^ $(LIB) -lsystemc -lcyaml -lyaml -ljansson -lz -lpthread -lm -o $@

$(HERE)/example: $(PARTS) $(HERE)/example.o | library
	@$(CXX) $^ $(LIB) -lsystemc -lcyaml -lyaml -ljansson -lpthread -lm -o $@

$(PROGRAM) $(HERE)/example: $(wildcard $(LIB))

.PHONY: all example library
.DELETE_ON_ERROR:
-include $(wildcard $(HERE)/*.d)
