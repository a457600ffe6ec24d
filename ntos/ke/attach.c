/*
 * Attaching to another process: the thread gets a second APC state; the first waits in
 * SavedApcState (one level), or with the caller (more).
 */
#include "ke/ki.h"

static void KiMoveList(LIST_ENTRY *From, LIST_ENTRY *To)
{
    if (IsListEmpty(From)) {
        InitializeListHead(To);
        return;
    }
    *To = *From;
    To->Flink->Blink = To;
    To->Blink->Flink = To;
    InitializeListHead(From);
}

static void KiMoveApcState(KAPC_STATE_NT *From, KAPC_STATE_NT *To)
{
    *To = *From;
    KiMoveList(&From->ApcListHead[KernelMode], &To->ApcListHead[KernelMode]);
    KiMoveList(&From->ApcListHead[UserMode], &To->ApcListHead[UserMode]);
}

/* IRQL <= APC_LEVEL. Saved is the caller's until the detach; Saved->Process is NULL if there was
 * nothing to save there. */
void KeAttachProcess_(KPROCESS_NT *Process, KAPC_STATE_NT *Saved)
{
    KTHREAD_NT *Thread = KiSelf;
    KAPC_STATE_NT *Keep = Thread->Attached ? Saved : &Thread->SavedApcState;

    VF_IRQL_MAX(APC_LEVEL);
    Saved->Process = NULL;
    KiLockDispatcher();
    KiMoveApcState(&Thread->ApcState, Keep);
    KiInitializeApcState(&Thread->ApcState, Process);
    Thread->Attached = TRUE;
    KiUnlockDispatcher();
}

/* Undoes the innermost attach. APCs queued meanwhile for the process left are bug check 0x6, as is
 * a thread that is not attached. */
void KeDetachProcess_(KAPC_STATE_NT *Saved)
{
    KTHREAD_NT *Thread = KiSelf;
    KAPC_STATE_NT *Back = Saved->Process ? Saved : &Thread->SavedApcState;

    VF_IRQL_MAX(APC_LEVEL);
    if (!Thread->Attached || !IsListEmpty(&Thread->ApcState.ApcListHead[KernelMode]) ||
        !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode]))
        VfBugCheck(
            INVALID_PROCESS_DETACH_ATTEMPT, (ULONG_PTR)Thread->ApcState.Process, Thread->Attached,
            0, 0,
            "a detach from a process that the thread is not attached to, or with APCs pending");
    KiLockDispatcher();
    KiMoveApcState(Back, &Thread->ApcState);
    Thread->Attached = Saved->Process != NULL;
    KiUnlockDispatcher();
    if (KiApcPending(Thread) && Thread->Irql < APC_LEVEL)
        KeDeliverKernelApcs();
}
