/* tap: what the test clients share. A program is a list of tests; each prints one line. */
#ifndef TAP_H
#define TAP_H

#include <windows.h>
#include <stdio.h>
#include <string.h>

struct tap_test {
    const char *Name;
    void (*Run)(void);
};
static int TapFailed, TapFailures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("# %s:%d: %s (last error %u)\n", __FILE__, __LINE__, #condition,                \
                   (unsigned)GetLastError());                                                      \
            TapFailed = 1;                                                                         \
            return;                                                                                \
        }                                                                                          \
    } while (0)
/* A call that fails with this error. */
#define FAILS(call, error) CHECK((SetLastError(0), !(call)) && GetLastError() == (error))

static inline int tap_run(const struct tap_test *Tests)
{
    int Number = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; Tests->Name; Tests++) {
        TapFailed = 0;
        Tests->Run();
        printf("%sok %d - %s\n", TapFailed ? "not " : "", ++Number, Tests->Name);
        TapFailures += TapFailed;
    }
    printf("1..%d\n", Number);
    return TapFailures != 0;
}
#endif
