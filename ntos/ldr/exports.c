/*
 * The names that the executive exports: documented ones that are implemented (exports.txt, checked
 * against the library by a test).
 */
#include "ldr/ldrp.h"
#include <string.h>

static const char *const LdrpExports[] = {
#define EXPORT(name, arguments) #name,
#include "ldr/exports.inc"
#undef EXPORT
};

void LdrEnumerateExports(void (*Each)(PVOID Context, const char *Name), PVOID Context)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(LdrpExports); i++)
        Each(Context, LdrpExports[i]);
}

static BOOLEAN IsExport(const char *Name)
{
    ULONG Low = 0, High = RTL_NUMBER_OF(LdrpExports);
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        int Order = strcmp(Name, LdrpExports[Middle]);
        if (Order == 0)
            return TRUE;
        if (Order < 0)
            High = Middle;
        else
            Low = Middle + 1;
    }
    return FALSE;
}

#define DATA_EXPORTS 8
static struct {
    const char *Name;
    PVOID Address;
} Data[DATA_EXPORTS];

void LdrExportData(const char *Name, PVOID Address)
{
    for (ULONG i = 0; i < DATA_EXPORTS; i++)
        if (Data[i].Name == NULL || strcmp(Data[i].Name, Name) == 0) {
            Data[i].Name = Name;
            Data[i].Address = Address;
            return;
        }
    NT_ASSERT(FALSE);
}

PVOID LdrpDataExport(const char *Name)
{
    for (ULONG i = 0; i < DATA_EXPORTS && Data[i].Name != NULL; i++)
        if (strcmp(Data[i].Name, Name) == 0)
            return Data[i].Address;
    return NULL;
}

BOOLEAN LdrpNarrowName(PCUNICODE_STRING Name, char Text[LDRP_NAME])
{
    ULONG Bytes = 0;
    if (Name->Length >= (LDRP_NAME - 1) * sizeof(WCHAR))
        return FALSE;
    RtlUnicodeToUTF8N(Text, LDRP_NAME - 1, &Bytes, Name->Buffer, Name->Length);
    Text[Bytes] = '\0';
    return TRUE;
}

/* NULL for a routine that UserNT does not have. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-mmgetsystemroutineaddress */
PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    char Name[LDRP_NAME];
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (!LdrpNarrowName(SystemRoutineName, Name))
        return NULL;
    return IsExport(Name) ? host_symbol(Name) : LdrpDataExport(Name);
}
