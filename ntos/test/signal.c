/*
 * Linked into every test. Around each test cmocka installs handlers of its own for SIGSEGV and its
 * like, with signal(); they would take the faults that are the executive's to handle. This signal()
 * leaves those signals alone, so a fault in a test is a bug check with its report, or a core dump.
 */
#define _GNU_SOURCE
#include <signal.h>

sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

    if (number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE)
        return SIG_DFL;
    return sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}
