/*
 * Error log entries go to the debug log.
 */
#include "io/iop.h"
#include <string.h>

typedef struct IOP_ERROR_LOG {
    PVOID IoObject; /* referenced: device or driver; NULL */
    ULONG Size;
    DECLSPEC_ALIGN(16) IO_ERROR_LOG_PACKET Packet;
} IOP_ERROR_LOG;

/* An entry of EntrySize bytes (the packet with its dump data and strings), to be given to
 * IoWriteErrorLogEntry. NULL: no memory, or a size that is too small or above
 * ERROR_LOG_MAXIMUM_SIZE. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-ioallocateerrorlogentry */
PVOID NTAPI IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    IOP_ERROR_LOG *Entry;
    ULONG Bytes = FIELD_OFFSET(IOP_ERROR_LOG, Packet) + EntrySize;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (EntrySize < FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) ||
        EntrySize > ERROR_LOG_MAXIMUM_SIZE)
        return NULL;
    Entry = ExAllocatePoolWithTag(NonPagedPool, Bytes, IOP_TAG);
    if (!Entry)
        return NULL;
    memset(Entry, 0, Bytes);
    Entry->Size = EntrySize;
    Entry->IoObject = IoObject;
    if (IoObject)
        ObReferenceObject(IoObject);
    return &Entry->Packet;
}

/* Of an entry that is not written after all. Doc: wdm/nf-wdm-iofreeerrorlogentry */
VOID NTAPI IoFreeErrorLogEntry(PVOID ElEntry)
{
    IOP_ERROR_LOG *Entry = CONTAINING_RECORD(ElEntry, IOP_ERROR_LOG, Packet);

    if (Entry->IoObject)
        ObDereferenceObject(Entry->IoObject);
    ExFreePoolWithTag(Entry, IOP_TAG);
}

static PUNICODE_STRING IopNameOfObject(PVOID IoObject)
{
    static UNICODE_STRING Nobody = RTL_CONSTANT_STRING(L"(no driver)");
    PDEVICE_OBJECT Device = IoObject;

    if (!Device)
        return &Nobody;
    return Device->Type == IO_TYPE_DEVICE ? &Device->DriverObject->DriverName
                                          : &((PDRIVER_OBJECT)IoObject)->DriverName;
}

/* Writes and frees the entry. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-iowriteerrorlogentry */
VOID NTAPI IoWriteErrorLogEntry(PVOID ElEntry)
{
    IOP_ERROR_LOG *Entry = CONTAINING_RECORD(ElEntry, IOP_ERROR_LOG, Packet);
    PIO_ERROR_LOG_PACKET Packet = ElEntry;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    DbgPrint("error log: %wZ: code 0x%08x, status 0x%08x, unique value %u, major %u, control code "
             "0x%x, %u bytes of data\n",
             IopNameOfObject(Entry->IoObject), Packet->ErrorCode, Packet->FinalStatus,
             Packet->UniqueErrorValue, Packet->MajorFunctionCode, Packet->IoControlCode,
             Packet->DumpDataSize);
    IoFreeErrorLogEntry(ElEntry);
}
