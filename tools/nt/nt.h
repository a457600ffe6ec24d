/*
 * nt: the command. A verb is a function; main.c finds it. Everything that talks to the kernel does
 * so as any client, through the Win32 and native calls.
 *
 * Exit codes: 0 done, 1 refused or failed, 2 usage, 3 no kernel answers.
 */
#ifndef NT_TOOL_H
#define NT_TOOL_H

#include "win32/ntdll/native.h"
#include <usernt_system.h>
#include <json-c/json.h>
#include <stdio.h>

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_KERNEL };

struct verb {
    const char *Name, *Arguments, *Help;
    int (*Run)(const struct verb *Verb, int Count, char **Arguments); /* Arguments[0] is the verb */
};
extern const struct verb Verbs[]; /* ends with a NULL name */
typedef int verb_run(const struct verb *Verb, int Count, char **Arguments);

verb_run verb_boot, verb_shutdown, verb_load, verb_unload, verb_sc, verb_log, verb_obj, verb_pool,
    verb_modules, verb_handles, verb_exports, verb_status, verb_ioctl, verb_cc, verb_new, verb_gdb;

/* Says "nt VERB: TEXT: ERROR" for the thread's last error, or for a status, and gives the exit code
 * for it. */
int fail(const char *Verb, const char *Text);
int fail_status(const char *Verb, const char *Text, NTSTATUS Status);
int usage(const struct verb *Verb);
/* On stderr, what the kernel has logged about a file (its name, to the dot) since a moment (100
 * ns).
 */
void explain(const char *Verb, const char *File, ULONG64 Since);
/* The folder of this program: drivers and nt-kernel are found from it. */
const char *program_folder(void);

/* Takes --json out of the arguments. */
int take_flag(int *Count, char **Arguments, const char *Flag);
/* Prints and frees. */
int print_json(json_object *Json);
void add_text(json_object *Json, const char *Key, const char *Value);
void add_number(json_object *Json, const char *Key, unsigned long long Value);
void add_address(json_object *Json, const char *Key,
                 unsigned long long Value); /* "0x…": JSON numbers lose bits */

/* A class of NtQuerySystemInformation whose answer grows: malloc'd, NULL after saying why (*Code is
 * the exit code). */
void *query_system(const struct verb *Verb, int Class, size_t *Bytes, int *Code);

#endif
