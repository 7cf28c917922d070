/* cli/main.c - the program lpu: finds the subcommand and runs it. */
#include "cli/cli.h"

#include <string.h>

static const struct {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} commands[] = {
#define LPU_COMMAND(name, text) {#name, text, lpu_command_##name},
#include "cli/commands.def"
#undef LPU_COMMAND
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *file)
{
    fprintf(file, "lpu - the bench for ternary language-model hardware\n\n"
                  "usage: lpu COMMAND [OPTIONS]     lpu COMMAND --help     lpu --version\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].text);
    }
    fprintf(file, "\nfirst steps:\n"
                  "  lpu sim --model bitnet-b1.58-2b4t --design ternary-edge --context 512\n"
                  "  lpu compare --model bitnet-b1.58-2b4t --designs ternary-edge,fp16-mac\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return LPU_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return LPU_EXIT_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("lpu 0.1\n");
        return LPU_EXIT_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "lpu: found command \"%s\", expected one of those that `lpu --help` lists\n",
            argv[1]);
    return LPU_EXIT_USAGE;
}
