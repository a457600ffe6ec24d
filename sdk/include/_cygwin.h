// mingw's _mingw.h includes this when __CYGWIN__ is defined: an LP64 compiler whose size_t, wchar_t
// ... are libc's.
#pragma once
#include <stddef.h>
#define _SIZE_T_DEFINED
#define _SSIZE_T_DEFINED
#define _INTPTR_T_DEFINED
#define _UINTPTR_T_DEFINED
#define _PTRDIFF_T_DEFINED
#define _WCHAR_T_DEFINED
#define _WCTYPE_T_DEFINED
#define _TIME_T_DEFINED
