// mingw's wdm.h defines again, as functions of each file, what its intrin.h has.
#pragma once
#include <intrin.h>

#define InterlockedBitTestAndSet NtSecondInterlockedBitTestAndSet
#define InterlockedBitTestAndReset NtSecondInterlockedBitTestAndReset
#include_next <wdm.h>
#undef InterlockedBitTestAndSet
#undef InterlockedBitTestAndReset
#include <nt_windows.h>
