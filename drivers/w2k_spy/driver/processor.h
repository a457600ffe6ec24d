/* processor: registers of the processor that runs the caller. */
#ifndef SPY_PROCESSOR_H
#define SPY_PROCESSOR_H

#include <ntifs.h>
#include <intrin.h>

enum { CPU_CS, CPU_DS, CPU_ES, CPU_FS, CPU_GS, CPU_SS, CPU_TR, CPU_LDT };

#ifdef _WIN64
#define CpuControlRegion() KeGetPcr()
#else /* at FS:1C; headers differ in its name */
#define CpuControlRegion() ((PKPCR)(ULONG_PTR)__readfsdword(0x1C))
#endif

#define MSR_EFER 0xC0000080
#define MSR_FS_BASE 0xC0000100
#define MSR_GS_BASE 0xC0000101
#define MSR_KERNEL_GS_BASE 0xC0000102

/* registers.c */
VOID CpuInitialize(VOID);
USHORT CpuSelector(ULONG Register);
VOID CpuStoreGdt(PVOID Table); /* limit and base, as the instruction stores them */
VOID CpuStoreIdt(PVOID Table);

#endif
