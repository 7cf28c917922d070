# tests/lockstep/build.mk - one verilated array in DIR: its model and the programs around it. Called
# by build.sh with DIR, DEFINES and OPT_FAST. What does not depend on the configuration is in SHARED.

VERILATOR_ROOT := $(shell verilator --getenv VERILATOR_ROOT)
SHARED   := build/lockstep/shared
INCLUDES := -I. -I$(DIR) -isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd
CXXFLAGS := -std=gnu++17 -O2 -Wall -Wextra -Werror -MMD -MP $(INCLUDES)
VFLAGS   := -std=gnu++17 -w -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 $(INCLUDES)
PROGRAMS := $(DIR)/array_lockstep $(DIR)/array_matrix

all: $(PROGRAMS)

# Verilator's own makefile would build its run-time library again for every configuration.
include $(DIR)/Vlpu_array_classes.mk
MODEL   := $(VM_CLASSES_FAST) $(VM_CLASSES_SLOW) $(VM_SUPPORT_FAST) $(VM_SUPPORT_SLOW)
MODEL   := $(MODEL:%=$(DIR)/%.o)
RUNTIME := $(VM_GLOBAL_FAST:%=$(SHARED)/%.o) $(VM_GLOBAL_SLOW:%=$(SHARED)/%.o)
COMMON  := $(SHARED)/array_work.o $(SHARED)/unit_array.o $(SHARED)/ternary.o $(SHARED)/status.o

$(MODEL): $(DIR)/%.o: $(DIR)/%.cpp $(DIR)/Vlpu_array.mk
	@$(CXX) $(VFLAGS) $(if $(findstring Slow,$*),-O0,$(OPT_FAST)) -c $< -o $@

$(DIR)/array_pair.o: tests/lockstep/array_pair.cc $(DIR)/Vlpu_array.mk
	@$(CXX) $(CXXFLAGS) $(DEFINES) -c $< -o $@

$(SHARED)/%.o: $(VERILATOR_ROOT)/include/%.cpp
	@mkdir -p $(@D)
	@$(CXX) $(VFLAGS) -O1 -c $< -o $@

$(SHARED)/%.o: tests/lockstep/%.cc
	@mkdir -p $(@D)
	@$(CXX) $(CXXFLAGS) -c $< -o $@

$(SHARED)/%.o: sim/%.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(SHARED)/%.o: workloads/%.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(PROGRAMS): $(DIR)/%: $(SHARED)/%.o $(DIR)/array_pair.o $(COMMON) $(MODEL) $(RUNTIME)
	@$(CXX) $^ -pthread -o $@

.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(DIR)/*.d $(SHARED)/*.d)
