/* From a control code to the function that serves it, one request at a time. */
#include "spy.h"
#include "dispatch.h"

#define VARIABLE 0xFFFFFFFF /* the function looks at the length itself */
#define BLOCK sizeof(SPY_MEMORY_BLOCK)

typedef struct _SPY_ROW {
    ULONG Code, ReadCode; /* the second: another code that does the same, or 0 */
    ULONG In, Out;
    SPY_FUNCTION *Function;
} SPY_ROW;

static const SPY_ROW Rows[SPY_IO_COUNT] = {
    {SPY_IO_VERSION_INFO, 0, 0, sizeof(SPY_VERSION_INFO), SpyVersionInfo},
    {SPY_IO_OS_INFO, 0, 0, sizeof(SPY_OS_INFO), SpyOsInfo},
    {SPY_IO_SEGMENT, 0, sizeof(ULONG), sizeof(SPY_SEGMENT), SpySegment},
    {SPY_IO_INTERRUPT, 0, sizeof(ULONG), sizeof(SPY_INTERRUPT), SpyInterrupt},
    {SPY_IO_PHYSICAL, 0, sizeof(PVOID), sizeof(ULONGLONG), SpyPhysical},
    {SPY_IO_CPU_INFO, 0, 0, sizeof(SPY_CPU_INFO), SpyCpuInfo},
    {SPY_IO_PDE_ARRAY, 0, 0, sizeof(SPY_PDE_ARRAY), SpyPdeArray},
    {SPY_IO_PAGE_ENTRY, 0, sizeof(PVOID), sizeof(SPY_PAGE_ENTRY), SpyPageEntry},
    {SPY_IO_MEMORY_DATA, 0, BLOCK, VARIABLE, SpyMemoryData},
    {SPY_IO_MEMORY_BLOCK, 0, BLOCK, VARIABLE, SpyMemoryBlock},
    {SPY_IO_HANDLE_INFO, 0, sizeof(HANDLE), sizeof(SPY_HANDLE_INFO), SpyHandleInfo},
    {SPY_IO_HOOK_INFO, 0, 0, sizeof(SPY_HOOK_INFO), SpyHookInfo},
    {SPY_IO_HOOK_INSTALL, 0, sizeof(LONG), sizeof(ULONG), SpyHookInstall},
    {SPY_IO_HOOK_REMOVE, 0, sizeof(LONG), sizeof(ULONG), SpyHookRemove},
    {SPY_IO_HOOK_PAUSE, 0, sizeof(LONG), sizeof(LONG), SpyHookPause},
    {SPY_IO_HOOK_FILTER, 0, sizeof(LONG), sizeof(LONG), SpyHookFilter},
    {SPY_IO_HOOK_RESET, 0, 0, 0, SpyHookReset},
    {SPY_IO_HOOK_READ, SPY_IO_HOOK_READ_R, sizeof(LONG), VARIABLE, SpyHookRead},
    {SPY_IO_HOOK_WRITE, 0, VARIABLE, 0, SpyHookWrite},
    {SPY_IO_MODULE_INFO, SPY_IO_MODULE_INFO_R, sizeof(PVOID), sizeof(SPY_MODULE_INFO),
     SpyModuleInfo},
    {SPY_IO_PE_HEADER, SPY_IO_PE_HEADER_R, sizeof(PVOID), SPY_PE_HEADER_SIZE, SpyPeHeader},
    {SPY_IO_PE_EXPORT, SPY_IO_PE_EXPORT_R, sizeof(PVOID), VARIABLE, SpyPeExport},
    {SPY_IO_PE_SYMBOL, SPY_IO_PE_SYMBOL_R, sizeof(PVOID), sizeof(PVOID), SpyPeSymbol},
    {SPY_IO_CALL, 0, sizeof(SPY_CALL_INPUT), sizeof(SPY_CALL_OUTPUT), SpyCall},
};

static KMUTEX DispatchMutex;

VOID SpyDispatchInitialize(VOID)
{
    KeInitializeMutex(&DispatchMutex, 0);
}

VOID SpyLock(VOID)
{
    KeWaitForMutexObject(&DispatchMutex, Executive, KernelMode, FALSE, NULL);
}

VOID SpyUnlock(VOID)
{
    KeReleaseMutex(&DispatchMutex, FALSE);
}

static const SPY_ROW *RowOf(ULONG Code)
{
    ULONG Number = (Code >> 2 & 0xFFF) - SPY_IO_BASE;

    if (Number >= SPY_IO_COUNT)
        return NULL;
    return Code == Rows[Number].Code || (Code && Code == Rows[Number].ReadCode) ? &Rows[Number]
                                                                                : NULL;
}

static NTSTATUS Check(const SPY_ROW *Row, const SPY_REQUEST *Request)
{
    if (Row->In != VARIABLE && Request->InLength < Row->In)
        return STATUS_INVALID_BUFFER_SIZE;
    if (Row->Out != VARIABLE && Request->OutLength < Row->Out)
        return STATUS_BUFFER_TOO_SMALL;
    return STATUS_SUCCESS;
}

static NTSTATUS Run(const SPY_ROW *Row, SPY_REQUEST *Request)
{
    NTSTATUS Status;

    Request->Information = Row->Out == VARIABLE ? 0 : Row->Out;
    SpyLock();
    Status = Row->Function(Request);
    SpyUnlock();
    if (!NT_SUCCESS(Status))
        Request->Information = 0;
    return Status;
}

/* Information: what to return with the status. */
NTSTATUS SpyDispatch(PIRP Irp, ULONG_PTR *Information)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const SPY_ROW *Row = RowOf(Stack->Parameters.DeviceIoControl.IoControlCode);
    SPY_REQUEST Request;
    NTSTATUS Status;

    *Information = 0;
    if (!Row)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(&Request, sizeof(Request));
    Request.Buffer = Irp->AssociatedIrp.SystemBuffer;
    Request.File = Stack->FileObject;
    Request.InLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    Request.OutLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    Status = Check(Row, &Request);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Row->In && Row->In != VARIABLE)
        RtlCopyMemory(&Request.In, Request.Buffer, Row->In);
    Status = Run(Row, &Request);
    *Information = Request.Information;
    return Status;
}
