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
#define __inbyte NtIntrinInbyte
#define __inword NtIntrinInword
#define __indword NtIntrinIndword
#define __outbyte NtIntrinOutbyte
#define __outword NtIntrinOutword
#define __outdword NtIntrinOutdword
#define __inbytestring NtIntrinInbytestring
#define __inwordstring NtIntrinInwordstring
#define __indwordstring NtIntrinIndwordstring
#define __outbytestring NtIntrinOutbytestring
#define __outwordstring NtIntrinOutwordstring
#define __outdwordstring NtIntrinOutdwordstring
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
#undef __inbyte
#undef __inword
#undef __indword
#undef __outbyte
#undef __outword
#undef __outdword
#undef __inbytestring
#undef __inwordstring
#undef __indwordstring
#undef __outbytestring
#undef __outwordstring
#undef __outdwordstring

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
unsigned char __inbyte(unsigned short Port);
unsigned short __inword(unsigned short Port);
unsigned __LONG32 __indword(unsigned short Port);
void __outbyte(unsigned short Port, unsigned char Data);
void __outword(unsigned short Port, unsigned short Data);
void __outdword(unsigned short Port, unsigned __LONG32 Data);
void __inbytestring(unsigned short Port, unsigned char *Buffer, unsigned __LONG32 Count);
void __inwordstring(unsigned short Port, unsigned short *Buffer, unsigned __LONG32 Count);
void __indwordstring(unsigned short Port, unsigned __LONG32 *Buffer, unsigned __LONG32 Count);
void __outbytestring(unsigned short Port, unsigned char *Buffer, unsigned __LONG32 Count);
void __outwordstring(unsigned short Port, unsigned short *Buffer, unsigned __LONG32 Count);
void __outdwordstring(unsigned short Port, unsigned __LONG32 *Buffer, unsigned __LONG32 Count);
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
