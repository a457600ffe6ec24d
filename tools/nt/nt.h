/*
 * nt: the command. A verb is a function; main.c finds it. Everything that talks to the kernel does so as any client,
 * through the Win32 and native calls.
 *
 * Exit codes: 0 done, 1 refused or failed, 2 usage, 3 no kernel answers.
 */
#ifndef NT_TOOL_H
#define NT_TOOL_H

#include "win32/ntdll/native.h"
#include <stdio.h>

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_KERNEL };

struct verb {
    const char *Name, *Arguments, *Help;
    int (*Run)(int Count, char **Arguments);
};
extern const struct verb Verbs[]; /* ends with a NULL name */

int verb_boot(int Count, char **Arguments);
int verb_shutdown(int Count, char **Arguments);
int verb_load(int Count, char **Arguments);
int verb_unload(int Count, char **Arguments);

/* Says "nt VERB: TEXT: ERROR" for the thread's last error, and gives the exit code for it. */
int fail(const char *Verb, const char *Text);
int fail_status(const char *Verb, const char *Text, NTSTATUS Status);
int usage(const struct verb *Verb);
/* The folder of this program: drivers and nt-kernel are found from it. */
const char *program_folder(void);

#endif
