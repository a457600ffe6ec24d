/* processor: registers of the processor that runs the caller, one routine each. Windows compilers
 * have no intrinsics for the selectors, so those are read with instructions; UserNT's kit tells
 * them by name. */
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

#if defined(USERNT)
#define CpuSelector(Register) NtReadSelector(Register)
#define CpuStoreGdt(Table) _sgdt(Table)
#define CpuStoreIdt(Table) __sidt(Table)
#elif defined(__GNUC__)
static __inline USHORT CpuSelector(ULONG Register)
{
    USHORT Value = 0;

    switch (Register) {
    case CPU_CS:
        __asm__ __volatile__("movw %%cs, %0" : "=r"(Value));
        break;
    case CPU_DS:
        __asm__ __volatile__("movw %%ds, %0" : "=r"(Value));
        break;
    case CPU_ES:
        __asm__ __volatile__("movw %%es, %0" : "=r"(Value));
        break;
    case CPU_FS:
        __asm__ __volatile__("movw %%fs, %0" : "=r"(Value));
        break;
    case CPU_GS:
        __asm__ __volatile__("movw %%gs, %0" : "=r"(Value));
        break;
    case CPU_SS:
        __asm__ __volatile__("movw %%ss, %0" : "=r"(Value));
        break;
    case CPU_TR:
        __asm__ __volatile__("str %0" : "=r"(Value));
        break;
    default:
        __asm__ __volatile__("sldt %0" : "=r"(Value));
        break;
    }
    return Value;
}
static __inline VOID CpuStoreGdt(PVOID Table)
{
    __asm__ __volatile__("sgdt (%0)" : : "r"(Table) : "memory");
}
static __inline VOID CpuStoreIdt(PVOID Table)
{
    __asm__ __volatile__("sidt (%0)" : : "r"(Table) : "memory");
}
#else
#define CpuStoreGdt(Table) _sgdt(Table)
#define CpuStoreIdt(Table) __sidt(Table)
USHORT CpuSelector(ULONG Register); /* in assembly */
#endif

#endif
