// MSVC's intrinsics for a native build: mingw's inline forms, and the compiler's own _mm_*.
// Privileged instructions (control registers, model-specific registers, ports) do not exist in a
// process: the executive exports the few that have a meaning as functions, and a driver that uses
// another does not link.
#pragma once
#include <_mingw.h>
#include <stddef.h>
#include <emmintrin.h>
#include <cpuid.h>
#undef __cpuid

#define __readcr0 NtIntrinReadcr0
#define __readcr2 NtIntrinReadcr2
#define __readcr3 NtIntrinReadcr3
#define __readcr4 NtIntrinReadcr4
#define __readcr8 NtIntrinReadcr8
#define __writecr0 NtIntrinWritecr0
#define __writecr3 NtIntrinWritecr3
#define __writecr4 NtIntrinWritecr4
#define __writecr8 NtIntrinWritecr8
#define __readmsr NtIntrinReadmsr
#define __writemsr NtIntrinWritemsr
#define __sidt NtIntrinSidt
#include <psdk_inc/intrin-impl.h>
#undef __readcr0
#undef __readcr2
#undef __readcr3
#undef __readcr4
#undef __readcr8
#undef __writecr0
#undef __writecr3
#undef __writecr4
#undef __writecr8
#undef __readmsr
#undef __writemsr
#undef __sidt

unsigned long long __readcr0(void);
unsigned long long __readcr2(void);
unsigned long long __readcr3(void);
unsigned long long __readcr4(void);
unsigned long long __readcr8(void);
void __writecr0(unsigned long long Value);
void __writecr3(unsigned long long Value);
void __writecr4(unsigned long long Value);
void __writecr8(unsigned long long Value);
unsigned long long __readmsr(unsigned int Register);
void __writemsr(unsigned int Register, unsigned long long Value);
void __sidt(void *Destination);
void _sgdt(void *Destination);
// What a Windows driver reads with instructions of its own: CS, DS, ES, FS, GS, SS, the task
// register, LDTR.
unsigned short NtReadSelector(unsigned Register);

#ifndef _ReadWriteBarrier
#define _ReadWriteBarrier() __asm__ __volatile__("" ::: "memory")
#define _ReadBarrier() _ReadWriteBarrier()
#define _WriteBarrier() _ReadWriteBarrier()
#endif
#define _ReturnAddress() __builtin_return_address(0)
#define _AddressOfReturnAddress() ((void *)((char *)__builtin_frame_address(0) + 8))
#define __debugbreak() __builtin_trap()
#ifndef __rdtsc
#define __rdtsc __builtin_ia32_rdtsc
#endif
