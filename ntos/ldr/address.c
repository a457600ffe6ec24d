/*
 * Which module an address belongs to: a table that is read without a lock, at any IRQL and from a
 * fault.
 *
 * A row is filled, then its Low is set; it is withdrawn by clearing Low. A row is not filled again
 * before LDRP_ROWS others were, so a reader that holds its name for a moment reads the right text.
 */
#include "ldr/ldrp.h"
#include "ldr/seh.h"
#include <stdio.h>
#include <string.h>

#define LDRP_ROWS 1024u

typedef struct ROW {
    atomic_uintptr_t Low; /* 0: free */
    SIZE_T Bytes;
    const LDR_MODULE *Module;
    _Atomic(PDRIVER_OBJECT) Driver;
    char Name[64];      /* "sharingmemory.sys" */
    char ShortName[64]; /* "sharingmemory" */
} ROW;

static struct {
    ROW Rows[LDRP_ROWS];
    ULONG Next;
    atomic_uint High; /* rows ever used */
} LdrpTable;

static void NameRow(ROW *Row, const LDR_MODULE *Module)
{
    ULONG Bytes = 0;
    RtlUnicodeToUTF8N(Row->Name, sizeof(Row->Name) - 1, &Bytes, Module->BaseName.Buffer,
                      Module->BaseName.Length);
    Row->Name[Bytes] = '\0';
    size_t Stem = strcspn(Row->Name, ".");
    memcpy(Row->ShortName, Row->Name, Stem);
    Row->ShortName[Stem] = '\0';
}

BOOLEAN LdrpPublishAddresses(const LDR_MODULE *Module)
{
    for (ULONG i = 0; i < LDRP_ROWS; i++) {
        ROW *Row = &LdrpTable.Rows[(LdrpTable.Next + i) % LDRP_ROWS];
        if (atomic_load(&Row->Low) != 0)
            continue;
        LdrpTable.Next = (LdrpTable.Next + i + 1) % LDRP_ROWS;
        NameRow(Row, Module);
        Row->Bytes = Module->Size + (Module->Pe == NULL ? 0 : Module->Pe->StubBytes);
        Row->Module = Module;
        atomic_store(&Row->Driver, NULL);
        atomic_store(&Row->Low, (uintptr_t)Module->Base);
        ULONG Index = (ULONG)(Row - LdrpTable.Rows);
        if (atomic_load(&LdrpTable.High) <= Index)
            atomic_store(&LdrpTable.High, Index + 1);
        return TRUE;
    }
    return FALSE;
}

static ROW *RowOfModule(const LDR_MODULE *Module)
{
    for (ULONG i = 0; i < atomic_load(&LdrpTable.High); i++)
        if (LdrpTable.Rows[i].Module == Module && atomic_load(&LdrpTable.Rows[i].Low) != 0)
            return &LdrpTable.Rows[i];
    return NULL;
}

void LdrpWithdrawAddresses(const LDR_MODULE *Module)
{
    ROW *Row = RowOfModule(Module);
    if (Row == NULL)
        return;
    atomic_store(&Row->Low, 0);
    Row->Module = NULL;
    atomic_store(&Row->Driver, NULL);
}

void LdrpPublishDriver(const LDR_MODULE *Module, PDRIVER_OBJECT Driver)
{
    ROW *Row = RowOfModule(Module);
    if (Row != NULL)
        atomic_store(&Row->Driver, Driver);
}

/* The newest first: a driver that is linked into a program lies inside the program. */
static ROW *RowOf(const void *Address, uintptr_t *Low)
{
    for (ULONG i = atomic_load(&LdrpTable.High); i-- != 0;) {
        ROW *Row = &LdrpTable.Rows[i];
        *Low = atomic_load(&Row->Low);
        if (*Low != 0 && (uintptr_t)Address - *Low < Row->Bytes)
            return Row;
    }
    return NULL;
}

const PE_IMAGE *LdrpImageAt(ULONG_PTR Address)
{
    uintptr_t Low;
    ROW *Row = NT_IS_FOREIGN(Address) ? RowOf((const void *)Address, &Low) : NULL;
    return Row == NULL ? NULL : Row->Module->Pe;
}

PDRIVER_OBJECT LdrpDriverOf(const void *Address)
{
    uintptr_t Low;
    ROW *Row = RowOf(Address, &Low);
    return Row == NULL ? NULL : atomic_load(&Row->Driver);
}

const char *LdrpDriverName(const void *Address, ULONG64 *Offset)
{
    uintptr_t Low;
    ROW *Row = RowOf(Address, &Low);
    if (Row == NULL || Row->Module == &LdrpState.Executive)
        return NULL;
    if (Offset != NULL)
        *Offset = (uintptr_t)Address - Low;
    return Row->ShortName;
}

BOOLEAN LdrpIsImage(const void *Address)
{
    uintptr_t Low;
    return RowOf(Address, &Low) != NULL;
}

BOOLEAN LdrModuleOf(const void *Address, char *Name, SIZE_T NameSize, ULONG64 *Offset)
{
    uintptr_t Low;
    ROW *Row = RowOf(Address, &Low);
    if (Row == NULL)
        return FALSE;
    snprintf(Name, NameSize, "%s", Row->Name);
    if (Offset != NULL)
        *Offset = (uintptr_t)Address - Low;
    return TRUE;
}

/* The base of the module that the address lies in; NULL if in none. Any IRQL. Doc:
 * winnt/nf-winnt-rtlpctofileheader */
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage)
{
    uintptr_t Low;
    *BaseOfImage = RowOf(PcValue, &Low) == NULL ? NULL : (PVOID)Low;
    return *BaseOfImage;
}
