// What the Windows compilers predefine, for a native x86-64 Linux compiler. sdk/flags includes it
// before each NT source. The DDK headers then take their LP64 form (the one for Cygwin): LONG and
// ULONG are int, pointers have 64 bits.
#pragma once
#ifndef __ASSEMBLER__

#define __CYGWIN__ 1
#define _WIN64 1
#define _AMD64_ 1
#define USERNT 1
#define POOL_TAGGING 1
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif

#ifndef __clang__ // which knows it
#define __pragma(...)
#endif
#define __stdcall
#define __cdecl
#define __fastcall
#define __vectorcall
#define __thiscall
#define _stdcall
#define _cdecl
#define _fastcall

// __declspec(align(16)) becomes NT_DECLSPEC_align(16).
#define __declspec(x) NT_DECLSPEC_##x
#define NT_DECLSPEC_
#define NT_DECLSPEC_align(n) __attribute__((__aligned__(n)))
#define NT_DECLSPEC_allocate(section)
#define NT_DECLSPEC_allocator
#define NT_DECLSPEC_code_seg(section)
#define NT_DECLSPEC_deprecated(...)
#define NT_DECLSPEC_dllexport __attribute__((__visibility__("default")))
#define NT_DECLSPEC_dllimport
#define NT_DECLSPEC_guard(x)
#define NT_DECLSPEC_naked __attribute__((__naked__))
#define NT_DECLSPEC_noalias
#define NT_DECLSPEC_noinline __attribute__((__noinline__))
#define NT_DECLSPEC_noreturn __attribute__((__noreturn__))
#define NT_DECLSPEC_nothrow __attribute__((__nothrow__))
#define NT_DECLSPEC_novtable
#define NT_DECLSPEC_restrict __attribute__((__malloc__))
#define NT_DECLSPEC_safebuffers __attribute__((__no_stack_protector__))
#define NT_DECLSPEC_selectany __attribute__((__weak__))
#define NT_DECLSPEC_thread _Thread_local
#define NT_DECLSPEC_uuid(x)

// mingw derives these from __declspec, with an attribute that only a Windows target knows.
#define __MINGW_IMPORT extern
#define _CRTIMP

#include "nt_intrinsics.h"
#endif
