# tests/lockstep/build.mk - one verilated array in DIR: its model library and the programs around it.
# Called by build.sh with DIR, DEFINES and OPT_FAST.

VERILATOR_ROOT := $(shell verilator --getenv VERILATOR_ROOT)
SHARED   := build/lockstep/shared
INCLUDES := -I. -I$(DIR) -isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd
CXXFLAGS := -std=gnu++17 -O2 -Wall -Wextra -Werror -MMD -MP $(INCLUDES)
PROGRAMS := $(DIR)/array_lockstep

all: $(PROGRAMS)

# Verilator writes the list of the model's files; its own makefile would rebuild the run time library
# for every configuration.
include $(DIR)/Vlpu_array_classes.mk
MODEL := $(VM_CLASSES_FAST) $(VM_CLASSES_SLOW) $(VM_SUPPORT_FAST) $(VM_SUPPORT_SLOW)
MODEL := $(MODEL:%=$(DIR)/%.o)
RUNTIME := $(VM_GLOBAL_FAST:%=$(SHARED)/%.o) $(VM_GLOBAL_SLOW:%=$(SHARED)/%.o)
C_MODEL := $(SHARED)/unit_array.o $(SHARED)/ternary.o $(SHARED)/status.o

$(MODEL): $(DIR)/%.o: $(DIR)/%.cpp $(DIR)/Vlpu_array.mk
	@c++ -std=gnu++17 $(OPT_FAST) -w -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 $(INCLUDES) -c $< -o $@

$(SHARED)/%.o: $(VERILATOR_ROOT)/include/%.cpp
	@mkdir -p $(@D)
	@c++ -std=gnu++17 -O2 -w -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 $(INCLUDES) -c $< -o $@

$(SHARED)/%.o: sim/%.c
	@mkdir -p $(@D)
	@cc -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(SHARED)/%.o: workloads/%.c
	@mkdir -p $(@D)
	@cc -std=gnu11 -O2 -MMD -MP -I. -c $< -o $@

$(DIR)/%.o: tests/lockstep/%.cc $(DIR)/Vlpu_array.mk
	@c++ $(CXXFLAGS) $(DEFINES) -c $< -o $@

$(PROGRAMS): $(DIR)/%: $(DIR)/%.o $(DIR)/array_pair.o $(DIR)/array_work.o $(MODEL) $(RUNTIME) $(C_MODEL)
	@c++ $^ -pthread -o $@

.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(DIR)/*.d $(SHARED)/*.d)
