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

static PVOID DataExport(const char *Name)
{
    for (ULONG i = 0; i < DATA_EXPORTS && Data[i].Name != NULL; i++)
        if (strcmp(Data[i].Name, Name) == 0)
            return Data[i].Address;
    return NULL;
}

/* NULL for a routine that UserNT does not have. IRQL PASSIVE_LEVEL. Doc:
 * wdm/nf-wdm-mmgetsystemroutineaddress */
PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    char Name[128];
    ULONG Bytes = 0;
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (SystemRoutineName->Length >= (sizeof(Name) - 1) * sizeof(WCHAR))
        return NULL;
    RtlUnicodeToUTF8N(Name, sizeof(Name) - 1, &Bytes, SystemRoutineName->Buffer,
                      SystemRoutineName->Length);
    Name[Bytes] = '\0';
    return IsExport(Name) ? host_symbol(Name) : DataExport(Name);
}
