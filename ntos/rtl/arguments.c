/* Where formatted output takes its arguments from. */
#include "rtl.h"

#include <string.h>

static ULONG64 RtlpListInteger(RTLP_ARGUMENTS *Arguments)
{
    return va_arg(Arguments->List, ULONG64);
}

static double RtlpListDouble(RTLP_ARGUMENTS *Arguments)
{
    return va_arg(Arguments->List, double);
}

static ULONG64 RtlpSlotInteger(RTLP_ARGUMENTS *Arguments)
{
    return *Arguments->Slots++;
}

static double RtlpSlotDouble(RTLP_ARGUMENTS *Arguments)
{
    double Value;
    memcpy(&Value, Arguments->Slots++, sizeof(Value));
    return Value;
}

/* The list is copied: the caller's stays where it is. Ended with RtlpEndArguments. */
VOID RtlpArgumentsFromVaList(RTLP_ARGUMENTS *Arguments, va_list List)
{
    Arguments->NextInteger = RtlpListInteger;
    Arguments->NextDouble = RtlpListDouble;
    Arguments->Slots = NULL;
    va_copy(Arguments->List, List);
}

VOID RtlpArgumentsFromSlots(RTLP_ARGUMENTS *Arguments, const VOID *Slots)
{
    RtlZeroMemory(Arguments, sizeof(*Arguments));
    Arguments->NextInteger = RtlpSlotInteger;
    Arguments->NextDouble = RtlpSlotDouble;
    Arguments->Slots = Slots;
}

VOID RtlpEndArguments(RTLP_ARGUMENTS *Arguments)
{
    if (!Arguments->Slots)
        va_end(Arguments->List);
}
