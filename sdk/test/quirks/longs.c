// A long has 32 bits; so have its literals. Microsoft's integer suffixes.
#include <ntddk.h>

typedef unsigned long ulong_t;
typedef long int long_int_t;
typedef int long int_long_t;
typedef unsigned long int unsigned_long_int_t;
typedef long unsigned long_unsigned_t;
typedef long long long_long_t;
typedef unsigned long
    long unsigned_long_long_t;
_Static_assert(sizeof(long) == 4 && sizeof(ulong_t) == 4 && sizeof(long_int_t) == 4 && sizeof(int_long_t) == 4, "");
_Static_assert(sizeof(unsigned_long_int_t) == 4 && sizeof(long_unsigned_t) == 4, "");
_Static_assert(sizeof(long_long_t) == 8 && sizeof(unsigned_long_long_t) == 8 && sizeof(long double) > 8, "");
_Static_assert(sizeof(1L) == 4 && sizeof(0xFFFFFFFFUL) == 4 && sizeof(1LL) == 8 && sizeof(0x1FFFFFFFFL) == 8, "");
_Static_assert(sizeof(1I64) == 8 && sizeof(0x10ui64) == 8 && 0x7FFFFFFFFFFFFFFFI64 > 0 && sizeof(1i32) == 4, "");
_Static_assert(1.5L > 1.0 && 0x1e5L == 0x1e5, "");

long Count;
PLONG CountAddress = &Count; // the same type

unsigned long Shift(unsigned long Value)
{
    return Value << 31L >> 31UL;
}
