# rtl/verify/build.mk - the harness of `lpu verify` around one verilated array in DIR. Called by
# verify.sh, from the root of the sources. What does not depend on the array is in SHARED.

VERILATOR_ROOT := $(shell verilator --getenv VERILATOR_ROOT)
INCLUDES := -I. -I$(DIR) -isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd
CXXFLAGS := -std=gnu++17 -O1 -Wall -Wextra -Werror -MMD -MP $(INCLUDES)
VFLAGS   := -std=gnu++17 -w -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 $(INCLUDES)

# Of the code made from the Verilog; tests of small arrays take -O0.
OPT_FAST ?= -O1

all: $(DIR)/verify

include $(DIR)/Vlpu_verify_top_classes.mk
MODEL   := $(VM_CLASSES_FAST) $(VM_CLASSES_SLOW) $(VM_SUPPORT_FAST) $(VM_SUPPORT_SLOW)
MODEL   := $(MODEL:%=$(DIR)/%.o)
RUNTIME := $(VM_GLOBAL_FAST:%=$(SHARED)/%.o) $(VM_GLOBAL_SLOW:%=$(SHARED)/%.o)
COMMON  := $(addprefix $(SHARED)/,main.o run.o array_work.o array_cases.o unit_array.o ternary.o status.o)

shared: $(COMMON) $(RUNTIME)

$(MODEL): $(DIR)/%.o: $(DIR)/%.cpp
	@$(CXX) $(VFLAGS) $(if $(findstring Slow,$*),-O0,$(OPT_FAST)) -c $< -o $@

$(DIR)/port.o: rtl/verify/port.cc
	@$(CXX) $(CXXFLAGS) -c $< -o $@

$(SHARED)/%.o: $(VERILATOR_ROOT)/include/%.cpp
	@$(CXX) $(VFLAGS) -O1 -c $< -o $@

$(SHARED)/%.o: rtl/verify/%.cc
	@$(CXX) $(CXXFLAGS) -c $< -o $@

$(SHARED)/%.o: sim/%.c
	@$(CC) -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(SHARED)/%.o: workloads/%.c
	@$(CC) -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(DIR)/verify: $(COMMON) $(DIR)/port.o $(MODEL) $(RUNTIME)
	@$(CXX) $^ -pthread -o $@

.PHONY: all shared
.DELETE_ON_ERROR:
-include $(wildcard $(SHARED)/*.d)
