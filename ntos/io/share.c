/*
 * Share access: bookkeeping that a driver keeps for each thing that can be opened, under a lock of
 * its own.
 */
#include "io/iop.h"

static BOOLEAN IopHasAccess(PFILE_OBJECT File)
{
    return File->ReadAccess || File->WriteAccess || File->DeleteAccess;
}

static void IopSetAccess(PFILE_OBJECT File, ACCESS_MASK Desired, ULONG Share)
{
    File->ReadAccess = (Desired & (FILE_EXECUTE | FILE_READ_DATA)) != 0;
    File->WriteAccess = (Desired & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    File->DeleteAccess = (Desired & DELETE) != 0;
    if (!IopHasAccess(File))
        return;
    File->SharedRead = (Share & FILE_SHARE_READ) != 0;
    File->SharedWrite = (Share & FILE_SHARE_WRITE) != 0;
    File->SharedDelete = (Share & FILE_SHARE_DELETE) != 0;
}

static void IopCount(PFILE_OBJECT File, PSHARE_ACCESS Access, LONG By)
{
    Access->OpenCount += By;
    Access->Readers += File->ReadAccess * By;
    Access->Writers += File->WriteAccess * By;
    Access->Deleters += File->DeleteAccess * By;
    Access->SharedRead += File->SharedRead * By;
    Access->SharedWrite += File->SharedWrite * By;
    Access->SharedDelete += File->SharedDelete * By;
}

static BOOLEAN IopConflicts(PFILE_OBJECT File, PSHARE_ACCESS Access)
{
    ULONG Opens = Access->OpenCount;

    return (File->ReadAccess && Access->SharedRead < Opens) ||
           (File->WriteAccess && Access->SharedWrite < Opens) ||
           (File->DeleteAccess && Access->SharedDelete < Opens) ||
           (Access->Readers && !File->SharedRead) || (Access->Writers && !File->SharedWrite) ||
           (Access->Deleters && !File->SharedDelete);
}

/* Whether a further open with that access and sharing is possible: STATUS_SHARING_VIOLATION. Update
 * counts it in. IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iocheckshareaccess */
NTSTATUS NTAPI IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess,
                                  PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess,
                                  BOOLEAN Update)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    IopSetAccess(FileObject, DesiredAccess, DesiredShareAccess);
    if (!IopHasAccess(FileObject))
        return STATUS_SUCCESS;
    if (IopConflicts(FileObject, ShareAccess))
        return STATUS_SHARING_VIOLATION;
    if (Update)
        IopCount(FileObject, ShareAccess, 1);
    return STATUS_SUCCESS;
}

/* The same. *WritePermission FALSE: the opener may not write, so exclusive reading is downgraded to
 * FILE_SHARE_READ. NULL: not looked at. Doc: wdm/nf-wdm-iocheckshareaccessex */
NTSTATUS NTAPI IoCheckShareAccessEx(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess,
                                    PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess,
                                    BOOLEAN Update, PBOOLEAN WritePermission)
{
    if (WritePermission && !*WritePermission && !(DesiredShareAccess & FILE_SHARE_READ))
        DesiredShareAccess |= FILE_SHARE_READ;
    return IoCheckShareAccess(DesiredAccess, DesiredShareAccess, FileObject, ShareAccess, Update);
}

/* The first open: begins the count. Doc: wdm/nf-wdm-iosetshareaccess */
VOID NTAPI IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess,
                            PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    *ShareAccess = (SHARE_ACCESS){0};
    IopSetAccess(FileObject, DesiredAccess, DesiredShareAccess);
    if (IopHasAccess(FileObject))
        IopCount(FileObject, ShareAccess, 1);
}

/* An open that IoCheckShareAccess allowed without counting it. Doc: wdm/nf-wdm-ioupdateshareaccess
 */
VOID NTAPI IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (IopHasAccess(FileObject))
        IopCount(FileObject, ShareAccess, 1);
}

/* The file is closed. Doc: wdm/nf-wdm-ioremoveshareaccess */
VOID NTAPI IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (IopHasAccess(FileObject))
        IopCount(FileObject, ShareAccess, -1);
}
