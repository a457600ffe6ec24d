/* Which Windows this is: one version for every room that is asked (see rtl.h). */
#include "rtl.h"

#define CONDITION_BITS 3
#define CONDITION_MASK 7

static const RTL_OSVERSIONINFOEXW RtlpVersion = {
    .dwOSVersionInfoSize = sizeof(RTL_OSVERSIONINFOEXW),
    .dwMajorVersion = RTL_VERSION_MAJOR,
    .dwMinorVersion = RTL_VERSION_MINOR,
    .dwBuildNumber = RTL_VERSION_BUILD,
    .dwPlatformId = VER_PLATFORM_WIN32_NT,
    .wSuiteMask = VER_SUITE_SINGLEUSERTS,
    .wProductType = VER_NT_WORKSTATION,
};

static ULONG RtlpBuildNumber = 0xF0000000 | RTL_VERSION_BUILD; /* F: the free build */
static ULONG RtlpSafeBootMode;

PULONG NtBuildNumber = &RtlpBuildNumber;
PULONG InitSafeBootMode = &RtlpSafeBootMode; /* 0: not in safe mode */

/*
 * PASSIVE_LEVEL. The size member tells whether the caller has the extended structure.
 * Doc: wdm/nf-wdm-rtlgetversion
 */
NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    ULONG Size = lpVersionInformation->dwOSVersionInfoSize;
    ULONG Known = Size == sizeof(RTL_OSVERSIONINFOEXW) ? sizeof(RTL_OSVERSIONINFOEXW)
                                                       : sizeof(RTL_OSVERSIONINFOW);
    RtlCopyMemory(lpVersionInformation, &RtlpVersion, Known);
    lpVersionInformation->dwOSVersionInfoSize = Size;
    return STATUS_SUCCESS;
}

/* Adds a condition for each type in the mask; a type takes three bits, by its own bit number. */
ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    for (ULONG Bit = 0; Bit < 8; Bit++)
        if (TypeMask & 1u << Bit)
            ConditionMask |= (ULONGLONG)(Condition & CONDITION_MASK) << Bit * CONDITION_BITS;
    return ConditionMask;
}

static ULONG RtlpConditionOf(ULONGLONG Mask, ULONG Type)
{
    return Mask >> __builtin_ctz(Type) * CONDITION_BITS & CONDITION_MASK;
}

static BOOLEAN RtlpVersionFits(ULONG Current, ULONG Wanted, ULONG Condition)
{
    switch (Condition) {
    case VER_EQUAL:
        return Current == Wanted;
    case VER_GREATER:
        return Current > Wanted;
    case VER_GREATER_EQUAL:
        return Current >= Wanted;
    case VER_LESS:
        return Current < Wanted;
    case VER_LESS_EQUAL:
        return Current <= Wanted;
    default:
        return FALSE;
    }
}

/*
 * Major, minor, and service pack versions are compared in turn: the first that differs decides, by
 * the condition of the most significant one asked for.
 */
static BOOLEAN RtlpVersionNumbersFit(PRTL_OSVERSIONINFOEXW Wanted, ULONG Types,
                                     ULONGLONG Conditions)
{
    const struct {
        ULONG Type, Current, Wanted;
    } Parts[] = {
        {VER_MAJORVERSION, RtlpVersion.dwMajorVersion, Wanted->dwMajorVersion},
        {VER_MINORVERSION, RtlpVersion.dwMinorVersion, Wanted->dwMinorVersion},
        {VER_SERVICEPACKMAJOR, RtlpVersion.wServicePackMajor, Wanted->wServicePackMajor},
        {VER_SERVICEPACKMINOR, RtlpVersion.wServicePackMinor, Wanted->wServicePackMinor},
    };
    ULONG Condition = 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Parts); i++) {
        if (!(Types & Parts[i].Type))
            continue;
        if (!Condition)
            Condition = RtlpConditionOf(Conditions, Parts[i].Type);
        if (Parts[i].Current != Parts[i].Wanted)
            return RtlpVersionFits(Parts[i].Current, Parts[i].Wanted, Condition);
    }
    return !Condition || RtlpVersionFits(0, 0, Condition);
}

static BOOLEAN RtlpSuitesFit(USHORT Wanted, ULONG Condition)
{
    USHORT Present = RtlpVersion.wSuiteMask & Wanted;
    return Condition == VER_AND ? Present == Wanted : Present != 0;
}

/*
 * PASSIVE_LEVEL. STATUS_REVISION_MISMATCH when a wish is not fulfilled; STATUS_INVALID_PARAMETER
 * when nothing is asked, or a condition is missing or unknown. Doc: wdm/nf-wdm-rtlverifyversioninfo
 */
NTSTATUS NTAPI RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask,
                                    ULONGLONG ConditionMask)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    if (!TypeMask || TypeMask > 0xFF)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Type = 1; Type <= VER_PRODUCT_TYPE; Type <<= 1) {
        ULONG Condition = RtlpConditionOf(ConditionMask, Type);
        if (!(TypeMask & Type))
            continue;
        if (!Condition || (Type == VER_SUITENAME) != (Condition >= VER_AND))
            return STATUS_INVALID_PARAMETER;
    }
    BOOLEAN Fits = RtlpVersionNumbersFit(VersionInfo, TypeMask, ConditionMask);
    if (TypeMask & VER_SUITENAME)
        Fits &=
            RtlpSuitesFit(VersionInfo->wSuiteMask, RtlpConditionOf(ConditionMask, VER_SUITENAME));
    if (TypeMask & VER_PRODUCT_TYPE)
        Fits &= RtlpVersionFits(RtlpVersion.wProductType, VersionInfo->wProductType,
                                RtlpConditionOf(ConditionMask, VER_PRODUCT_TYPE));
    if (TypeMask & VER_PLATFORMID)
        Fits &= RtlpVersionFits(RtlpVersion.dwPlatformId, VersionInfo->dwPlatformId,
                                RtlpConditionOf(ConditionMask, VER_PLATFORMID));
    if (TypeMask & VER_BUILDNUMBER)
        Fits &= RtlpVersionFits(RtlpVersion.dwBuildNumber, VersionInfo->dwBuildNumber,
                                RtlpConditionOf(ConditionMask, VER_BUILDNUMBER));
    return Fits ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}
