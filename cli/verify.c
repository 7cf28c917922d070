/* cli/verify.c - lpu verify: is this RTL what the golden model says? An array, or a whole LPU. */
#include "cli/verify.h"

#include <string.h>

static const char *const examples =
    "lpu verify\n"
    "lpu verify --random 5 --design tests/top/designs/small-8x10.yaml\n"
    "lpu verify --platform systemc --design tests/top/designs/small-8x10.yaml --tokens 3\n"
    "lpu verify --array --rtl rtl --top lpu_array --cycle-exact\n"
    "lpu verify --array --rtl rtl/examples --top bit_serial_array --cycles 20000\n";

static const lpu_verify_options defaults = {.array = LPU_ARRAY_OPTIONS_DEFAULT,
                                            .seed = 1,
                                            .cycles = 100000,
                                            .tokens = 8,
                                            .decode = 2,
                                            .batch = 1,
                                            .operations = 40};

static lpu_status check_platform(lpu_verify_options *o, lpu_diag *diag)
{
    const struct {
        bool is_so;
        const char *found, *why;
    } refused[] = {
        {o->is_array, "--array", "an array has no memory to talk to"},
        {o->stalls, "--stalls", "the memory there has a time of its own"},
        {o->faults, "--faults", "the memory there makes no errors"},
        {o->harness && strcmp(o->harness, "speed"), "--harness", "there is none but speed"},
    };

    o->is_systemc = o->platform && !strcmp(o->platform, "systemc");
    if (!o->is_systemc && o->platform && strcmp(o->platform, "verilator")) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --platform %s, expected verilator or systemc",
                        o->platform);
    }
    for (size_t i = 0; o->is_systemc && i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (!refused[i].is_so) continue;
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found %s with --platform systemc, expected --platform verilator: %s",
                        refused[i].found, refused[i].why);
    }
    return LPU_OK;
}

static int judge(const lpu_usage *usage, lpu_verify_options *o)
{
    lpu_diag diag = {""};

    if (check_platform(o, &diag)) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    return o->is_array ? lpu_verify_array(usage, o) : lpu_verify_top(usage, o);
}

int lpu_command_verify(int argc, char **argv)
{
    lpu_verify_options o = defaults;
    const lpu_option list[] = {
        {"--rtl", "DIR", "folder whose *.v and *.sv are compiled (the project's own)", &o.rtl, NULL,
         NULL},
        {"--top", "NAME", "the module (lpu_top)", &o.top, NULL, NULL},
        {"--design", "NAME", "a design, or a YAML file (tests/top/designs/small-16x20.yaml)",
         &o.design, NULL, NULL},
        {"--model", "NAME",
         "passes of a GGUF file, or of a shape with made weights (tests/top/models/grouped.yaml)",
         &o.model, NULL, NULL},
        {"--phase", "PHASE", "prefill, decode, or both (both)", &o.phase, NULL, NULL},
        {"--tokens", "N", "of each prompt (8)", NULL, &o.tokens, NULL},
        {"--decode", "N", "passes of decode (2)", NULL, &o.decode, NULL},
        {"--context", "N", "tokens in the cache before (0)", NULL, &o.context, NULL},
        {"--batch", "N", "sequences side by side (1)", NULL, &o.batch, NULL},
        {"--random", "N", "random programs in place of a model", NULL, &o.random, NULL},
        {"--faults", "N", "random programs, each also with every error planted in turn", NULL,
         &o.faults, NULL},
        {"--operations", "N", "of a random program (40)", NULL, &o.operations, NULL},
        {"--shape", "M,N,K,P", "one product, (M, K) and (N, K) in P planes, in place of a model",
         &o.shape, NULL, NULL},
        {"--stalls", "S", "share of 256 of cycles in which a memory channel stalls (0)", NULL,
         &o.stalls, NULL},
        {"--platform", "NAME",
         "verilator, or systemc: RTL and simulator, both in TLM-2.0 platforms (verilator)",
         &o.platform, NULL, NULL},
        {"--seed", "N", "of weights, tokens, random work, registers, stalls (1)", NULL, &o.seed,
         NULL},
        {"--harness", "KIND",
         "build the harness alone, and print its path: speed, trace or coverage", &o.harness, NULL,
         NULL},
        {"--no-waveform", NULL, "at a difference, do not run again for a waveform of it", NULL,
         NULL, &o.has_no_waveform},
        {"--array", NULL, "verify an array alone (rtl/README.md has its ports)", NULL, NULL,
         &o.is_array},
        LPU_ARRAY_OPTION_ROWS(o.array),
        {"--cycles", "N", "array: of random work, in cycles of the golden model (100000)", NULL,
         &o.cycles, NULL},
        {"--cycle-exact", NULL, "array: cycles are part of the verdict", NULL, NULL, &o.is_exact},
        {"--stall-cycles", "N", "array: nothing moving for so long is a hang (10000 + 16 R C)",
         NULL, &o.stall_cycles, NULL},
        {"--build", "DIR", "where to build (build/verify of the sources)", &o.build, NULL, NULL},
        {"--json", NULL, "print the verdict as JSON", NULL, NULL, &o.is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "verify",
        .text = "judge RTL against the golden model: whole programs, or an array by itself",
        .examples = examples,
        .options = list,
    };
    int exit_code;

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    return judge(&usage, &o);
}
