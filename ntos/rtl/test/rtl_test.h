/* What the tests of rtl share: cmocka, and hooks that record a broken contract instead of ending.
 */
#pragma once

#include "rtl/rtl.h"

#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <nt_crt.h>

#define U(text) (&(UNICODE_STRING){sizeof(L"" text) - 2, sizeof(L"" text), (PWCHAR)L"" text})
#define A(text) (&(STRING){sizeof(text) - 1, sizeof(text), (PCHAR)(text)})

#define assert_ustring(string, text)                                                               \
    do {                                                                                           \
        assert_int_equal((string)->Length, sizeof(L"" text) - 2);                                  \
        assert_memory_equal((string)->Buffer, L"" text, sizeof(L"" text) - 2);                     \
    } while (0)
#define assert_wide(units, text) assert_int_equal(wcscmp((units), L"" text), 0)

/* A small generator, so that a failing run can be repeated. */
static inline ULONG TestRandom(ULONG64 *State)
{
    *State = *State * 6364136223846793005ull + 1442695040888963407ull;
    return (ULONG)(*State >> 33);
}
