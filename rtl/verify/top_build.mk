# rtl/verify/top_build.mk - the harness of whole programs around one verilated module in DIR. Called by
# top_build.sh, from the root of the sources. What does not depend on the module is in SHARED.

VERILATOR_ROOT := $(shell verilator --getenv VERILATOR_ROOT)
INCLUDES := -I. -I$(DIR) -isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd
KINDS    := -DVL_USER_STOP -DVM_COVERAGE=$(if $(filter coverage,$(KIND)),1,0) -DVM_SC=0 \
            -DVM_TRACE=$(if $(filter trace,$(KIND)),1,0) -DVM_TRACE_FST=$(if $(filter trace,$(KIND)),1,0)
CXXFLAGS := -std=gnu++17 -O2 -Wall -Wextra -Wshadow -Werror -MMD -MP $(KINDS) $(INCLUDES)
VFLAGS   := -std=gnu++17 -w $(KINDS) $(INCLUDES)
OPT_FAST ?= -O2
PC_BITS  ?= 10

# The simulator that lpu itself is linked with.
LIB := build/lib/liblpu.a

all: $(DIR)/top_verify

-include $(DIR)/Vtop_classes.mk
MODEL   := $(VM_CLASSES_FAST) $(VM_CLASSES_SLOW) $(VM_SUPPORT_FAST) $(VM_SUPPORT_SLOW)
MODEL   := $(MODEL:%=$(DIR)/%.o)
RUNTIME := $(VM_GLOBAL_FAST:%=$(SHARED)/%.o) $(VM_GLOBAL_SLOW:%=$(SHARED)/%.o)
COMMON  := $(addprefix $(SHARED)/,top_main.o top_pair.o top_faults.o top_bins.o top_memory.o top_golden.o top_model.o top_random.o top_writer.o)

shared: $(COMMON) $(RUNTIME) library

library:
	@MAKEFLAGS= $(MAKE) --no-print-directory -s $(LIB)

$(MODEL): $(DIR)/%.o: $(DIR)/%.cpp
	@$(CXX) $(VFLAGS) $(if $(findstring Slow,$*),-O0,$(OPT_FAST)) -c $< -o $@

$(DIR)/top_rtl.o: rtl/verify/top_rtl.cc
	@$(CXX) $(CXXFLAGS) -DTOP_PC_BITS=$(PC_BITS) -c $< -o $@

$(SHARED)/%.o: $(VERILATOR_ROOT)/include/%.cpp
	@$(CXX) $(VFLAGS) -O1 -c $< -o $@

$(SHARED)/%.o: rtl/verify/%.cc
	@$(CXX) $(CXXFLAGS) -c $< -o $@

$(DIR)/top_verify: $(COMMON) $(DIR)/top_rtl.o $(MODEL) $(RUNTIME) $(LIB)
	@$(CXX) $^ -pthread -lcyaml -lyaml -ljansson -lz -lm -o $@

.PHONY: all shared library
.DELETE_ON_ERROR:
-include $(wildcard $(SHARED)/*.d $(DIR)/top_rtl.d)
