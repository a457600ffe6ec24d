/* The pages of the processors' descriptor tables, and the register that leads to the page tables.
 */
#include "mi.h"

#include <intrin.h>

#define MI_DESCRIPTOR_FRAMES (KE_DESCRIPTOR_BYTES >> PAGE_SHIFT)

/* The frames live as long as the page tables, and are counted with them. */
NTSTATUS MiInitDescriptors(void)
{
    for (ULONG i = 0; i < KeProcessorCount_(); i++) {
        PFN_NUMBER First;
        NTSTATUS Status = MiAllocateRun(MI_DESCRIPTOR_FRAMES, MiFrameTable, &First);

        if (!NT_SUCCESS(Status))
            return Status;
        KeSetDescriptorTables_(i, MmFrameAddress(First));
    }
    return STATUS_SUCCESS;
}

/* The top table of the current process; of system space, in a process without user memory. */
unsigned long long __readcr3(void)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();

    return (Space ? Space->DirectoryFrame : MiSystemDirectory) << PAGE_SHIFT;
}
