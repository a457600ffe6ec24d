/* Looks for modules by name and writes what it finds to the debug log: one line for each, never
 * cut. */
#include "report.h"
#include "source.h"
#include "../../common/settings.h"

static NTSTATUS Report1(const MODULE_SOURCE *Source, const CHAR *Names);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, Report)
#pragma alloc_text(INIT, Report1)
#endif

static VOID PrintList(const SYSTEM_MODULE_LIST *List, const CHAR *Names)
{
    ULONG i, Found = 0;

    if (List->Count)
        DbgPrint("SystemModules: the kernel: " MODULE_FORMAT, MODULE_ARGUMENTS(&List->Modules[0]));
    for (i = 0; i < List->Count; i++) {
        if (!ModuleIsOneOf(&List->Modules[i], Names))
            continue;
        DbgPrint("SystemModules: found: " MODULE_FORMAT, MODULE_ARGUMENTS(&List->Modules[i]));
        Found++;
    }
    if (!Found)
        DbgPrint("SystemModules: none of the names is among the %u modules\n",
                 (unsigned)List->Count);
}

static NTSTATUS Report1(const MODULE_SOURCE *Source, const CHAR *Names)
{
    SYSTEM_MODULE_LIST *List;
    NTSTATUS Status = ModulesQuery(Source, &List);

    if (!NT_SUCCESS(Status)) {
        DbgPrint("SystemModules: the list cannot be had: status 0x%08X\n", (unsigned)Status);
        return Status;
    }
    PrintList(List, Names);
    Source->Free(Source->Context, List);
    return STATUS_SUCCESS;
}

/* Module names are ASCII; a letter that is not cannot be found anyway. */
static CHAR *NarrowNames(const WCHAR *Wide, ULONG Characters)
{
    CHAR *Names = SourceAllocate(NULL, Characters + 2);
    ULONG i;

    if (!Names)
        return NULL;
    for (i = 0; i < Characters; i++)
        Names[i] = Wide[i] < 0x80 ? (CHAR)Wide[i] : '?';
    Names[i] = Names[i + 1] = 0;
    return Names;
}

NTSTATUS Report(PUNICODE_STRING RegistryPath, ULONG Kind)
{
    WCHAR Wide[SETTINGS_CHARACTERS];
    MODULE_SOURCE Source;
    ULONG Characters = SettingsNames(RegistryPath, L"Names", Wide);
    CHAR *Given = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    Status = SourceOpen(Kind, &Source);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Characters && (Given = NarrowNames(Wide, Characters)) == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = Report1(&Source, Given ? Given : ModulesDefaultNames);
    if (Given)
        SourceFree(NULL, Given);
    return Status;
}
