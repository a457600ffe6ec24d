/* Statuses as Win32 errors. This file and its table need headers only, so that client libraries can
 * use them. */
#include <ntifs.h>
#include <winerror.h>

ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS Status);
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status);

#define CUSTOMER_BIT 0x20000000u
#define HRESULT_NT_BIT 0x10000000u

typedef struct _RTLP_STATUS_MAP {
    ULONG Status;
    ULONG Error;
} RTLP_STATUS_MAP;

static const RTLP_STATUS_MAP RtlpStatusMap[] = {
#define RTLP_MAP(Status, Error) {(ULONG)(Status), Error},
#include "statusmap.h"
#undef RTLP_MAP
};

static ULONG RtlpLookUpStatus(ULONG Status)
{
    SIZE_T Low = 0;
    SIZE_T High = RTL_NUMBER_OF(RtlpStatusMap);
    while (Low < High) {
        SIZE_T Middle = (Low + High) / 2;
        if (RtlpStatusMap[Middle].Status == Status)
            return RtlpStatusMap[Middle].Error;
        if (RtlpStatusMap[Middle].Status < Status)
            Low = Middle + 1;
        else
            High = Middle;
    }
    return ERROR_MR_MID_NOT_FOUND;
}

/*
 * IRQL < DISPATCH_LEVEL. A status that nobody mapped gives ERROR_MR_MID_NOT_FOUND; one that carries
 * a Win32 error gives that; a customer's passes unchanged. Doc:
 * ntifs/nf-ntifs-rtlntstatustodoserrornoteb
 */
ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS Status)
{
    ULONG Value = (ULONG)Status;
    if (!Value || Value & CUSTOMER_BIT)
        return Value;
    if ((Value & 0xF0000000u) == 0xD0000000u)
        Value &= ~HRESULT_NT_BIT;
    ULONG Facility = Value >> 16;
    if (Facility == 0xC001 || Facility == 0xC007 || Facility == 0x8007)
        return Value & 0xFFFF;
    return RtlpLookUpStatus(Value);
}

/* As RtlNtStatusToDosErrorNoTeb. Doc: ntifs/nf-ntifs-rtlntstatustodoserror */
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status)
{
    return RtlNtStatusToDosErrorNoTeb(Status);
}
