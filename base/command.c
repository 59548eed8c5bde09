#include "base/command.h"

#include <string.h>

static command_list all_commands;

command_list command_all(void) { return all_commands; }

void command_set_all(command_list all) { all_commands = all; }

static bool name_eq(const char *command, const char *name)
{
    for (; *command && *name; command++, name++)
        if (*command != (*name == '.' ? ' ' : *name))
            return false;
    return *command == 0 && *name == 0;
}

const struct command *command_find(command_list all, const char *name)
{
    for (; *all; all++)
        if (name_eq((*all)->name, name))
            return *all;
    return NULL;
}
