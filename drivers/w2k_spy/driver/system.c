/* Functions 0 and 1: the driver's version, the system's numbers. */
#include "spy.h"
#include "paging.h"
#include "processor.h"

#define FLAGS_CLASS 9 /* SystemFlagsInformation */
#ifdef _WIN64
#define SHARED_DATA 0xFFFFF78000000000
#else
#define SHARED_DATA 0xFFDF0000
#endif
#define USER_SHARED_DATA 0x7FFE0000 /* the same page, as every process sees it */

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Buffer, ULONG Length,
                                                 PULONG Returned);

NTSTATUS SpyVersionInfo(SPY_REQUEST *Request)
{
    static const WCHAR Name[] = L"SBS Windows 2000 Spy Device";
    SPY_VERSION_INFO *Out = Request->Buffer;

    RtlZeroMemory(Out, sizeof(*Out));
    Out->dVersion = SPY_VERSION;
    RtlCopyMemory(Out->awName, Name, sizeof(Name));
    return STATUS_SUCCESS;
}

/* Data or a routine that not every system exports. */
static PVOID Exported(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return MmGetSystemRoutineAddress(&Name);
}

static PVOID Teb(VOID)
{
    PVOID(NTAPI * Routine)(VOID) = (PVOID(NTAPI *)(VOID))Exported(L"PsGetCurrentThreadTeb");

    return Routine ? Routine() : NULL;
}

static VOID Geometry(SPY_OS_INFO *Out)
{
    BOOLEAN Wide = PagingKind((ULONG_PTR)__readcr4()) != PAGING_X86;

    Out->dPageSize = PAGE_SIZE;
    Out->dPageShift = Out->dPtiShift = PAGE_SHIFT;
    Out->dPdiShift = Wide ? 21 : 22;
    Out->dPageMask = ~(ULONG_PTR)(PAGE_SIZE - 1);
    Out->dPtiMask = ((ULONG_PTR)1 << Out->dPdiShift) - PAGE_SIZE;
#ifdef _WIN64
    Out->dPpiShift = 30;
    Out->dPxiShift = 39;
    Out->dPdiMask = 0x3FE00000;
    Out->dPpiMask = 0x7FC0000000;
    Out->dPxiMask = 0xFF8000000000;
#else
    Out->dPdiMask = ~(((ULONG_PTR)1 << Out->dPdiShift) - 1);
#endif
}

/* The window of the page tables, which 64-bit systems moved about and UserNT has not: found by the
 * top table's entry that leads to the top table itself. */
#ifdef _WIN64
static VOID Windows(SPY_OS_INFO *Out)
{
    ULONGLONG Top = __readcr3() & 0x000FFFFFFFFFF000ULL;
    ULONGLONG Base = 0xFFFF000000000000ULL, Index, Entry;

    for (Index = 256; Index < 512; Index++) {
        if (!SpyReadPhysical(&Entry, Top + Index * 8, 8) || !(Entry & SPY_PE_PRESENT) ||
            (Entry & 0x000FFFFFFFFFF000ULL) != Top)
            continue;
        Out->PteArray = (PVOID)(Base | Index << 39);
        Out->PdeArray = (PVOID)(Base | Index << 39 | Index << 30);
        Out->PpeArray = (PVOID)(Base | Index << 39 | Index << 30 | Index << 21);
        Out->PxeArray = (PVOID)(Base | Index << 39 | Index << 30 | Index << 21 | Index << 12);
        return;
    }
}
#else
static VOID Windows(SPY_OS_INFO *Out)
{
    BOOLEAN Pae = PagingKind((ULONG_PTR)__readcr4()) == PAGING_PAE;

    Out->PteArray = (PVOID)0xC0000000;
    Out->PdeArray = (PVOID)(Pae ? 0xC0600000 : 0xC0300000);
}
#endif

static VOID Addresses(SPY_OS_INFO *Out)
{
    PKPCR Pcr = CpuControlRegion();

    Out->pLowestUserAddress = (PVOID)0x10000; /* MM_LOWEST_USER_ADDRESS */
    Out->pThreadEnvironmentBlock = Teb();
    Out->pHighestUserAddress = MmHighestUserAddress;
    Out->pUserProbeAddress = (PVOID)(ULONG_PTR)MmUserProbeAddress;
    Out->pSystemRangeStart = MmSystemRangeStart;
    Out->pLowestSystemAddress = MmSystemRangeStart;
    Out->pProcessorControlRegion = Pcr;
#ifdef _WIN64
    Out->pProcessorControlBlock = Pcr->CurrentPrcb;
#else
    Out->pProcessorControlBlock = Pcr->Prcb;
#endif
}

static ULONG GlobalFlag(VOID)
{
    ULONG Flags = 0;

    return NT_SUCCESS(ZwQuerySystemInformation(FLAGS_CLASS, &Flags, sizeof(Flags), NULL)) ? Flags
                                                                                          : 0;
}

/* The page is looked at where the kernel sees it, or else where processes do. */
static VOID Shared(SPY_OS_INFO *Out)
{
    static const ULONG_PTR Places[] = {SHARED_DATA, USER_SHARED_DATA};
    ULONG Valid = 0, i;

    for (i = 0; i < RTL_NUMBER_OF(Places); i++) {
        const UCHAR *Page = (const UCHAR *)Places[i];

        if (SpyRead(Out->awNtSystemRoot, Page + 0x30, sizeof(Out->awNtSystemRoot)) !=
            sizeof(Out->awNtSystemRoot))
            continue;
        Out->pSharedUserData = (PVOID)Page;
        SpyRead(&Valid, Page + 0x268, 1);
        if (Valid)
            SpyRead(&Out->dProductType, Page + 0x264, sizeof(ULONG));
        SpyRead(&Out->dNtMajorVersion, Page + 0x26C, sizeof(ULONG));
        SpyRead(&Out->dNtMinorVersion, Page + 0x270, sizeof(ULONG));
        break;
    }
    Out->awNtSystemRoot[SPY_SYSTEM_ROOT - 1] = 0;
}

NTSTATUS SpyOsInfo(SPY_REQUEST *Request)
{
    SPY_OS_INFO *Out = Request->Buffer;
    ULONG *Machine = Exported(L"KeI386MachineType");

    RtlZeroMemory(Out, sizeof(*Out));
    Geometry(Out);
    Windows(Out);
    Addresses(Out);
    Shared(Out);
    Out->dGlobalFlag = GlobalFlag();
    Out->dI386MachineType = Machine ? *Machine : 0;
    Out->dNumberProcessors = (ULONG)(UCHAR)KeNumberProcessors;
    PsGetVersion(NULL, NULL, &Out->dBuildNumber, NULL);
    return STATUS_SUCCESS;
}
