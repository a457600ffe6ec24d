// For a file with __try that nt cc does not compile: keeps locals in memory, from here to the end
// of the file, so that a handler sees what the body did to them. Include it last.
#pragma once
#include <excpt.h>
#define NT_INCLUDE_ntseh_h 1
#if defined(__clang__)
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif
