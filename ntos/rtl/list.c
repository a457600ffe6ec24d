/* Doubly linked lists are inline in the DDK; here is what their checked forms call. */
#include "rtl.h"

#define FAST_FAIL_CORRUPT_LIST_ENTRY_CODE 3

/* Any IRQL. Fails fast (bug check 0x139, code 3) when a neighbour does not point back. */
VOID NTAPI RtlpCheckListEntry(PLIST_ENTRY Entry)
{
    if (Entry->Flink->Blink != Entry || Entry->Blink->Flink != Entry)
        RtlpFailFast(FAST_FAIL_CORRUPT_LIST_ENTRY_CODE);
}
