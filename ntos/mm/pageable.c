/*
 * Paging of drivers' code and data, and memory that a process may not change.
 *
 * Nothing is ever paged out here: a locked section was resident before. A handle is the page that
 * holds the address, and means no more.
 */
#include "mi.h"

#include <stdlib.h>

/* Doc: wdm/nf-wdm-mmlockpagabledatasection. IRQL <= APC_LEVEL. */
PVOID NTAPI MmLockPagableDataSection(PVOID AddressWithinSection)
{
    VF_IRQL_MAX(APC_LEVEL);
    return PAGE_ALIGN(AddressWithinSection);
}

/* Doc: ntddk/nf-ntddk-mmlockpagablesectionbyhandle. IRQL <= APC_LEVEL. */
VOID NTAPI MmLockPagableSectionByHandle(PVOID ImageSectionHandle)
{
    VF_IRQL_MAX(APC_LEVEL);
    NT_ASSERT(ImageSectionHandle && !BYTE_OFFSET(ImageSectionHandle));
}

/* Doc: wdm/nf-wdm-mmunlockpagableimagesection. IRQL <= APC_LEVEL. */
VOID NTAPI MmUnlockPagableImageSection(PVOID ImageSectionHandle)
{
    VF_IRQL_MAX(APC_LEVEL);
    NT_ASSERT(ImageSectionHandle && !BYTE_OFFSET(ImageSectionHandle));
}

/* Doc: wdm/nf-wdm-mmpageentiredriver. IRQL <= APC_LEVEL. */
PVOID NTAPI MmPageEntireDriver(PVOID AddressWithinSection)
{
    VF_IRQL_MAX(APC_LEVEL);
    return PAGE_ALIGN(AddressWithinSection);
}

/* Doc: wdm/nf-wdm-mmresetdriverpaging. IRQL <= APC_LEVEL. */
VOID NTAPI MmResetDriverPaging(PVOID AddressWithinSection)
{
    VF_IRQL_MAX(APC_LEVEL);
}

typedef struct MI_SECURED {
    MM_ADDRESS_SPACE *Space;
    ULONG_PTR Base;
} MI_SECURED;

static BOOLEAN MiAllowsProbe(const MI_VIEW *View, ULONG_PTR Base, SIZE_T Bytes, int Wanted)
{
    for (ULONG_PTR At = Base; At < Base + Bytes; At += PAGE_SIZE) {
        ULONG Protect = View->Kind == MiViewPrivate ? View->Pages[(At - View->Base) >> PAGE_SHIFT]
                                                    : View->Protect;

        if ((MiHostProtection(Protect) & Wanted) != Wanted)
            return FALSE;
    }
    return TRUE;
}

/*
 * Keeps a range of the current process's memory from being freed or protected otherwise; NULL if it
 * is not there or not accessible so. ProbeMode is PAGE_READONLY or PAGE_READWRITE. IRQL <=
 * APC_LEVEL. Undone by MmUnsecureVirtualMemory. Doc: ntddk/nf-ntddk-mmsecurevirtualmemory
 */
HANDLE NTAPI MmSecureVirtualMemory(PVOID Address, SIZE_T Size, ULONG ProbeMode)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    ULONG_PTR Base = (ULONG_PTR)PAGE_ALIGN(Address);
    SIZE_T Bytes = (BYTE_OFFSET(Address) + Size + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    int Wanted = ProbeMode == PAGE_READWRITE ? HOST_READ | HOST_WRITE : HOST_READ;
    MI_SECURED *Secured;
    MI_VIEW *View;

    VF_IRQL_MAX(APC_LEVEL);
    if (!Space || !Size || (ProbeMode != PAGE_READONLY && ProbeMode != PAGE_READWRITE))
        return NULL;
    Secured = malloc(sizeof(*Secured));
    if (!Secured)
        return NULL;
    MiLockSpace(Space);
    View = MiViewOf(Space, Base);
    if (!View || Bytes > View->Base + View->Bytes - Base ||
        !MiAllowsProbe(View, Base, Bytes, Wanted)) {
        free(Secured);
        Secured = NULL;
    } else {
        View->Secured++;
        *Secured = (MI_SECURED){Space, Base};
    }
    MiUnlockSpace(Space);
    return Secured;
}

/* In the process that was current then. IRQL <= APC_LEVEL. Doc:
 * ntddk/nf-ntddk-mmunsecurevirtualmemory */
VOID NTAPI MmUnsecureVirtualMemory(HANDLE SecureHandle)
{
    MI_SECURED *Secured = SecureHandle;
    MI_VIEW *View;

    VF_IRQL_MAX(APC_LEVEL);
    NT_ASSERT(Secured && Secured->Space == MmCurrentAddressSpace());
    MiLockSpace(Secured->Space);
    View = MiViewOf(Secured->Space, Secured->Base);
    NT_ASSERT(View && View->Secured);
    View->Secured--;
    MiUnlockSpace(Secured->Space);
    free(Secured);
}
