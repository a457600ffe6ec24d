// mingw's winnt.h declares _rotl64 with its macro undefined; clang lets a builtin have a second
// type only if the declaration is overloadable, and __cdecl is the word in that line that we own.
#pragma once
#include <sal.h>
#ifdef __clang__
#undef __cdecl
#define __cdecl __attribute__((__overloadable__))
#endif
#include_next <winnt.h>
#ifdef __clang__
#undef __cdecl
#define __cdecl
#endif

#undef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#undef DBG_UNREFERENCED_PARAMETER
#define DBG_UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#undef DBG_UNREFERENCED_LOCAL_VARIABLE
#define DBG_UNREFERENCED_LOCAL_VARIABLE(Variable) ((void)(Variable))
