/* Where the kernel tells its modules. Define SYSTEMMODULES_NO_AUX where aux_klib cannot be linked.
 */
#include "source.h"
#ifndef SYSTEMMODULES_NO_AUX
#include <aux_klib.h>
#endif

#define MODULE_INFORMATION_CLASS 11

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Buffer, ULONG Length,
                                                 PULONG Returned);

PVOID SourceAllocate(PVOID Context, SIZE_T Bytes)
{
    PVOID Block = ExAllocatePoolWithTag(PagedPool, Bytes, MODULES_TAG);

    UNREFERENCED_PARAMETER(Context);
    if (Block)
        DbgPrint("SystemModules: %u bytes of paged pool at %p: %s\n", (unsigned)Bytes, Block,
                 BYTE_OFFSET(Block) ? "inside a page" : "on a page boundary");
    else
        DbgPrint("SystemModules: no memory for %u bytes\n", (unsigned)Bytes);
    return Block;
}

VOID SourceFree(PVOID Context, PVOID Block)
{
    UNREFERENCED_PARAMETER(Context);
    DbgPrint("SystemModules: released %p\n", Block);
    ExFreePoolWithTag(Block, MODULES_TAG);
}

static NTSTATUS QuerySystem(PVOID Context, PVOID Buffer, ULONG Length, ULONG *Returned)
{
    UNREFERENCED_PARAMETER(Context);
    return ZwQuerySystemInformation(MODULE_INFORMATION_CLASS, Buffer, Length, Returned);
}

#ifndef SYSTEMMODULES_NO_AUX
/* Without a buffer it tells the size, as a success. */
static NTSTATUS QueryAux(PVOID Context, PVOID Buffer, ULONG Length, ULONG *Returned)
{
    UNREFERENCED_PARAMETER(Context);
    *Returned = Length;
    return AuxKlibQueryModuleInformation(Returned, sizeof(AUX_MODULE_EXTENDED_INFO),
                                         Length ? Buffer : NULL);
}

static NTSTATUS OpenAux(MODULE_SOURCE *Source)
{
    Source->Layout = MODULES_AUX;
    Source->Query = QueryAux;
    return AuxKlibInitialize();
}
#else
static NTSTATUS OpenAux(MODULE_SOURCE *Source)
{
    UNREFERENCED_PARAMETER(Source);
    return STATUS_NOT_SUPPORTED;
}
#endif

NTSTATUS SourceOpen(ULONG Kind, MODULE_SOURCE *Source)
{
    PAGED_CODE();
    Source->Allocate = SourceAllocate;
    Source->Free = SourceFree;
    Source->Context = NULL;
    if (Kind == SYSTEMMODULES_SOURCE_AUX)
        return OpenAux(Source);
    if (Kind != SYSTEMMODULES_SOURCE_SYSTEM)
        return STATUS_INVALID_PARAMETER;
    Source->Layout = MODULES_SYSTEM;
    Source->Query = QuerySystem;
    return STATUS_SUCCESS;
}
