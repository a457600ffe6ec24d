/*
 * Attaching to another process's address space.
 */
#include "ps/psp.h"

_Static_assert(sizeof(KAPC_STATE) == sizeof(KAPC_STATE_NT), "drivers give us their KAPC_STATE");

static void PspCheckAttach(PKPROCESS Process)
{
    if (KiSelf->Prcb && KiSelf->Irql >= DISPATCH_LEVEL)
        VfBugCheck(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Process,
                   (ULONG_PTR)KiSelf->ApcState.Process, KiSelf->Attached, 1,
                   "attach to a process above APC_LEVEL");
}

/* The calling thread uses Process's address space until KeUnstackDetachProcess with the same state.
 * Nests. IRQL <= APC_LEVEL, else bug check 0x5. Doc: ntifs/nf-ntifs-kestackattachprocess */
VOID NTAPI KeStackAttachProcess(PKPROCESS Process, PRKAPC_STATE ApcState)
{
    PspCheckAttach(Process);
    KeAttachProcess_((KPROCESS_NT *)Process, (KAPC_STATE_NT *)ApcState);
}

/* Doc: ntifs/nf-ntifs-keunstackdetachprocess */
VOID NTAPI KeUnstackDetachProcess(PRKAPC_STATE ApcState)
{
    VF_IRQL_MAX(APC_LEVEL);
    KeDetachProcess_((KAPC_STATE_NT *)ApcState);
}

/* The older pair, which does not nest: bug check 0x5 if the thread is attached already. */
VOID NTAPI KeAttachProcess(PKPROCESS Process)
{
    KAPC_STATE_NT Unused; /* the first level is kept in the thread */

    PspCheckAttach(Process);
    if (KiSelf->ApcState.Process == (struct _KPROCESS *)Process)
        return;
    if (KiSelf->Attached)
        VfBugCheck(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Process,
                   (ULONG_PTR)KiSelf->ApcState.Process, KiSelf->Attached, 0,
                   "KeAttachProcess by a thread that is attached already");
    KeAttachProcess_((KPROCESS_NT *)Process, &Unused);
}

VOID NTAPI KeDetachProcess(VOID)
{
    KAPC_STATE_NT FirstLevel = {.Process = NULL};

    VF_IRQL_MAX(APC_LEVEL);
    if (KiSelf->Attached)
        KeDetachProcess_(&FirstLevel);
}
