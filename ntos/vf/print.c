/*
 * DbgPrint and its relatives, and the filter masks of components.
 *
 * Masks are as documented, with one difference: DEFAULT starts with 0xF, so that DbgPrint (DEFAULT,
 * DPFLTR_INFO_LEVEL) is seen at once, as on a Windows whose "Debug Print Filter" key says so.
 */
#include "vfp.h"
#include "rtl/rtl.h"

#include <dpfilter.h>
#include <string.h>

#define VF_PRINT_BYTES 512 /* what one call transmits */
#define VF_DEFAULT_MASK 0xF
#define VF_WIN2000_MASK 0x1

static struct {
    ULONG Masks[DPFLTR_ENDOFTABLE_ID];
} VfFilterState;

void VfResetFilters(void)
{
    for (ULONG i = 0; i < DPFLTR_ENDOFTABLE_ID; i++)
        __atomic_store_n(&VfFilterState.Masks[i], i == DPFLTR_DEFAULT_ID ? VF_DEFAULT_MASK : 0,
                         __ATOMIC_RELAXED);
}

static ULONG VfImportance(ULONG Level)
{
    return Level < 32 ? 1u << Level : Level;
}

static BOOLEAN VfIsShown(ULONG ComponentId, ULONG Level)
{
    ULONG Mask = VF_WIN2000_MASK;

    if (ComponentId < DPFLTR_ENDOFTABLE_ID)
        Mask |= __atomic_load_n(&VfFilterState.Masks[ComponentId], __ATOMIC_RELAXED);
    return (Mask & VfImportance(Level)) != 0;
}

/*
 * TRUE or FALSE: whether such a message is shown; STATUS_INVALID_PARAMETER_1: no such component.
 * Any IRQL.
 */
NTSTATUS NTAPI DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level)
{
    if (ComponentId >= DPFLTR_ENDOFTABLE_ID)
        return STATUS_INVALID_PARAMETER_1;
    return VfIsShown(ComponentId, Level);
}

/*
 * Sets or clears the bits of Level in the component's mask, at once. STATUS_INVALID_PARAMETER_1: no
 * such component. Any IRQL.
 */
NTSTATUS NTAPI DbgSetDebugFilterState(ULONG ComponentId, ULONG Level, BOOLEAN State)
{
    if (ComponentId >= DPFLTR_ENDOFTABLE_ID)
        return STATUS_INVALID_PARAMETER_1;
    if (State)
        __atomic_fetch_or(&VfFilterState.Masks[ComponentId], VfImportance(Level), __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&VfFilterState.Masks[ComponentId], ~VfImportance(Level),
                           __ATOMIC_RELAXED);
    return STATUS_SUCCESS;
}

ULONG VfPrintArguments(const void *Caller, PCSTR Prefix, ULONG ComponentId, ULONG Level,
                       PCSTR Format, struct _RTLP_ARGUMENTS *Arguments)
{
    char Text[VF_PRINT_BYTES];
    size_t Used = strnlen(Prefix, sizeof(Text));
    LONG64 Length;

    if (!VfIsShown(ComponentId, Level))
        return STATUS_SUCCESS;
    memcpy(Text, Prefix, Used);
    Length = RtlpFormatNarrow(Text + Used, sizeof(Text) - Used, Format, Arguments);
    if (Length < 0)
        return STATUS_INVALID_PARAMETER;
    Used = (ULONG64)Length < sizeof(Text) - Used ? Used + (size_t)Length : sizeof(Text);
    VfLogWrite(Caller, Text, Used);
    return STATUS_SUCCESS;
}

static ULONG VfPrint(const void *Caller, PCSTR Prefix, ULONG ComponentId, ULONG Level, PCSTR Format,
                     va_list List)
{
    RTLP_ARGUMENTS Arguments;
    ULONG Status;

    RtlpArgumentsFromVaList(&Arguments, List);
    Status = VfPrintArguments(Caller, Prefix, ComponentId, Level, Format, &Arguments);
    RtlpEndArguments(&Arguments);
    return Status;
}

/*
 * Writes up to 512 bytes to the debug print log, as component DEFAULT at DPFLTR_INFO_LEVEL. Any
 * IRQL; the Unicode formats at PASSIVE_LEVEL only. Doc: wdm/nf-wdm-dbgprint
 */
ULONG DbgPrint(PCSTR Format, ...)
{
    va_list List;
    ULONG Status;

    va_start(List, Format);
    Status = VfPrint(__builtin_return_address(0), "", DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format,
                     List);
    va_end(List);
    return Status;
}

/*
 * DbgPrint that tells of Control-C in the debugger: there is none, so the result is 0.
 * Doc: kernel/dbgprintreturncontrolc
 */
ULONG DbgPrintReturnControlC(PCCH Format, ...)
{
    va_list List;

    va_start(List, Format);
    VfPrint(__builtin_return_address(0), "", DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, List);
    va_end(List);
    return 0;
}

/*
 * Writes up to 512 bytes to the debug print log if the component's mask lets them pass, and returns
 * STATUS_SUCCESS in both cases. Any IRQL. Doc: wdm/nf-wdm-dbgprintex
 */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list List;
    ULONG Status;

    va_start(List, Format);
    Status = VfPrint(__builtin_return_address(0), "", ComponentId, Level, Format, List);
    va_end(List);
    return Status;
}

/* DbgPrintEx with an argument list. Doc: wdm/nf-wdm-vdbgprintex */
ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list List)
{
    return VfPrint(__builtin_return_address(0), "", ComponentId, Level, Format, List);
}

/* DbgPrintEx with an argument list and a text before it. Doc: wdm/nf-wdm-vdbgprintexwithprefix */
ULONG NTAPI vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
                                  va_list List)
{
    return VfPrint(__builtin_return_address(0), Prefix, ComponentId, Level, Format, List);
}
