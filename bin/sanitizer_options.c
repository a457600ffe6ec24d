/*
 * Linked into every program of a sanitizer build: what the sanitizers leave to the program.
 *
 * Faults are the executive's (and, in a client, libntdll's) to handle: an exception for the nearest
 * __except, the failure of a guarded copy, a bug check with its report. The sanitizers' own
 * handlers would stop the process first.
 */

/* Faults that nobody handles end in a core, or in the report of a bug check. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1:handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0";
}

/* A bug check allocates memory, also when it comes from a fault; ThreadSanitizer would stop to say
 * so. It would also sleep for a second at the end of every process. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:report_signal_unsafe=0:"
           "atexit_sleep_ms=0";
}
