/*
 * The auxiliary kernel-mode library: the supported way to ask for the loaded modules.
 */
#include "ldr/ldrp.h"
#include <aux_klib.h>
#include <ntimage.h>
#include <string.h>

/* Before any other routine of the library. IRQL PASSIVE_LEVEL. Doc:
 * aux_klib/nf-aux_klib-auxklibinitialize */
NTSTATUS NTAPI AuxKlibInitialize(VOID)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return STATUS_SUCCESS;
}

typedef struct QUERY {
    ULONG ElementSize, Room, Needed;
    UCHAR *Out;
} QUERY;

static void DescribeModule(const LDR_MODULE *Module, PAUX_MODULE_EXTENDED_INFO Info)
{
    ULONG Bytes = 0;
    RtlZeroMemory(Info, sizeof(*Info));
    Info->BasicInfo.ImageBase = Module->Entry.DllBase;
    Info->ImageSize = Module->Entry.SizeOfImage;
    RtlUnicodeToUTF8N((char *)Info->FullPathName, sizeof(Info->FullPathName) - 1, &Bytes,
                      Module->FullName.Buffer, Module->FullName.Length);
    char *Slash = strrchr((char *)Info->FullPathName, '\\');
    Info->FileNameOffset = (USHORT)(Slash == NULL ? 0 : Slash + 1 - (char *)Info->FullPathName);
}

static BOOLEAN AddModule(PVOID Context, const LDR_MODULE *Module)
{
    QUERY *Query = Context;
    AUX_MODULE_EXTENDED_INFO Info;
    if (Query->Out != NULL && Query->Room - Query->Needed >= Query->ElementSize) {
        DescribeModule(Module, &Info);
        memcpy(Query->Out + Query->Needed, &Info,
               Query->ElementSize); /* a basic element is the head of an extended one */
    }
    Query->Needed += Query->ElementSize;
    if (Query->Needed > Query->Room)
        Query->Out = NULL;
    return TRUE;
}

/* Without a buffer: the size that one needs, for now. STATUS_BUFFER_TOO_SMALL if modules came
 * meanwhile: ask again. STATUS_INVALID_PARAMETER: neither the basic nor the extended element's
 * size. IRQL PASSIVE_LEVEL. Doc: aux_klib/nf-aux_klib-auxklibquerymoduleinformation */
NTSTATUS NTAPI AuxKlibQueryModuleInformation(PULONG BufferSize, ULONG ElementSize, PVOID QueryInfo)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (ElementSize != sizeof(AUX_MODULE_BASIC_INFO) &&
        ElementSize != sizeof(AUX_MODULE_EXTENDED_INFO))
        return STATUS_INVALID_PARAMETER;
    QUERY Query = {ElementSize, QueryInfo == NULL ? 0 : *BufferSize, 0, QueryInfo};
    LdrEnumerateModules(AddModule, &Query);
    *BufferSize = Query.Needed;
    return QueryInfo != NULL && Query.Needed > Query.Room ? STATUS_BUFFER_TOO_SMALL
                                                          : STATUS_SUCCESS;
}

/* The export directory of a PE image; NULL for a native one, which has none. Doc:
 * aux_klib/nf-aux_klib-auxklibgetimageexportdirectory */
PVOID NTAPI AuxKlibGetImageExportDirectory(PVOID ImageBase)
{
    PIMAGE_DOS_HEADER Dos = ImageBase;
    if (Dos->e_magic != IMAGE_DOS_SIGNATURE)
        return NULL;
    PIMAGE_NT_HEADERS64 Headers = (PIMAGE_NT_HEADERS64)((UCHAR *)ImageBase + Dos->e_lfanew);
    if (Headers->Signature != IMAGE_NT_SIGNATURE ||
        Headers->OptionalHeader.NumberOfRvaAndSizes == 0)
        return NULL;
    ULONG Offset =
        Headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT].VirtualAddress;
    return Offset == 0 ? NULL : (UCHAR *)ImageBase + Offset;
}
