/*
 * One request at a time on a file that was opened for synchronous I/O: FILE_OBJECT.Busy, with the
 * event Lock for those who wait.
 */
#include "io/iop.h"

/* The wait of a client ends early when its thread is terminated or (an alertable file) alerted. */
NTSTATUS IopWaitFileLock(PFILE_OBJECT File, KPROCESSOR_MODE Mode)
{
    BOOLEAN Alertable = (File->Flags & FO_ALERTABLE_IO) != 0;
    NTSTATUS Status = STATUS_SUCCESS;

    __atomic_fetch_add(&File->Waiters, 1, __ATOMIC_SEQ_CST);
    while (__atomic_exchange_n(&File->Busy, 1, __ATOMIC_SEQ_CST)) {
        Status = KeWaitForSingleObject(&File->Lock, Executive, Mode, Alertable, NULL);
        if (Status != STATUS_SUCCESS)
            break;
    }
    __atomic_fetch_sub(&File->Waiters, 1, __ATOMIC_SEQ_CST);
    if (Status == STATUS_SUCCESS)
        return STATUS_SUCCESS;
    IopWakeFileLock(File); /* the wake that this thread may have taken belongs to the next */
    return Status == STATUS_THREAD_IS_TERMINATING ? Status : STATUS_CANCELLED;
}

void IopWakeFileLock(PFILE_OBJECT File)
{
    KeSetEvent(&File->Lock, IO_NO_INCREMENT, FALSE);
}
