/*
 * Selectors and descriptor tables. Windows compilers have no intrinsics for the selectors, so those
 * are read with instructions. Under UserNT instructions would tell of Linux: there the executive
 * has routines, which its kit names, and which a .sys looks for.
 */
#include "processor.h"

#ifdef USERNT
VOID CpuInitialize(VOID)
{
}

USHORT CpuSelector(ULONG Register)
{
    return NtReadSelector(Register);
}

VOID CpuStoreGdt(PVOID Table)
{
    _sgdt(Table);
}

VOID CpuStoreIdt(PVOID Table)
{
    __sidt(Table);
}
#else
static struct {
    USHORT(NTAPI *Selector)(ULONG Register);
    VOID(NTAPI *StoreGdt)(PVOID Table);
    VOID(NTAPI *StoreIdt)(PVOID Table);
} Routines;

static PVOID Exported(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return MmGetSystemRoutineAddress(&Name);
}

VOID CpuInitialize(VOID)
{
    *(PVOID *)&Routines.Selector = Exported(L"NtReadSelector");
    *(PVOID *)&Routines.StoreGdt = Exported(L"_sgdt");
    *(PVOID *)&Routines.StoreIdt = Exported(L"__sidt");
}

#ifdef __GNUC__
static USHORT ReadSelector(ULONG Register)
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
#define STORE_GDT(Table) __asm__ __volatile__("sgdt (%0)" : : "r"(Table) : "memory")
#define STORE_IDT(Table) __asm__ __volatile__("sidt (%0)" : : "r"(Table) : "memory")
#else
USHORT ReadSelector(ULONG Register); /* in assembly */
#define STORE_GDT(Table) _sgdt(Table)
#define STORE_IDT(Table) __sidt(Table)
#endif

USHORT CpuSelector(ULONG Register)
{
    return Routines.Selector ? Routines.Selector(Register) : ReadSelector(Register);
}

VOID CpuStoreGdt(PVOID Table)
{
    if (Routines.StoreGdt)
        Routines.StoreGdt(Table);
    else
        STORE_GDT(Table);
}

VOID CpuStoreIdt(PVOID Table)
{
    if (Routines.StoreIdt)
        Routines.StoreIdt(Table);
    else
        STORE_IDT(Table);
}
#endif
