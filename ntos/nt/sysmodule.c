/*
 * System information about modules and exports.
 *
 * Where modules lie is told to those who may debug only, as newer Windows does: a program without
 * SeDebugPrivilege enabled gets bases of zero. UserNT's own class tells administrators.
 */
#include "nt/sysinfo.h"
#include <stdio.h>
#include <string.h>

static BOOLEAN CountModule(PVOID Context, const LDR_MODULE *Module)
{
    ++*(PULONG)Context;
    return TRUE;
}

ULONG NtpCountModules(void)
{
    ULONG Count = 0;
    LdrEnumerateModules(CountModule, &Count);
    return Count;
}

/* Narrow, terminated. */
static void NarrowName(const UNICODE_STRING *Name, char *Out, ULONG Size)
{
    ULONG Bytes = 0;
    RtlUnicodeToUTF8N(Out, Size - 1, &Bytes, Name->Buffer, Name->Length);
    Out[Bytes] = '\0';
}

static void Describe(const LDR_MODULE *Module, RTL_PROCESS_MODULE_INFORMATION *Out)
{
    RtlZeroMemory(Out, sizeof(*Out));
    Out->ImageBase = Module->Entry.DllBase;
    Out->ImageSize = Module->Entry.SizeOfImage;
    Out->Flags = Module->Flags;
    Out->LoadOrderIndex = Module->LoadOrder;
    Out->LoadCount = Module->LoadCount;
    NarrowName(&Module->FullName, (char *)Out->FullPathName, sizeof(Out->FullPathName));
    char *Slash = strrchr((char *)Out->FullPathName, '\\');
    Out->OffsetToFileName = (USHORT)(Slash == NULL ? 0 : Slash + 1 - (char *)Out->FullPathName);
}

typedef struct MODULES {
    NTP_ANSWER *Answer;
    ULONG Count;
    BOOLEAN Bases; /* are told */
} MODULES;

static BOOLEAN MayDebug(void)
{
    return SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_DEBUG_PRIVILEGE), NtpMode());
}

static BOOLEAN AddModule(PVOID Context, const LDR_MODULE *Module)
{
    MODULES *Modules = Context;
    RTL_PROCESS_MODULE_INFORMATION *Out = NtpReserve(Modules->Answer, sizeof(*Out));
    Modules->Count++;
    if (Out == NULL)
        return TRUE;
    Describe(Module, Out);
    if (!Modules->Bases)
        Out->ImageBase = NULL;
    return TRUE;
}

NTSTATUS NtpQueryModules(NTP_ANSWER *Answer)
{
    MODULES Modules = {Answer, 0, MayDebug()};
    PULONG64 Head = NtpReserve(Answer, FIELD_OFFSET(RTL_PROCESS_MODULES, Modules));
    LdrEnumerateModules(AddModule, &Modules);
    if (Head != NULL)
        *Head = Modules.Count;
    return STATUS_SUCCESS;
}

static BOOLEAN AddModuleEx(PVOID Context, const LDR_MODULE *Module)
{
    MODULES *Modules = Context;
    RTL_PROCESS_MODULE_INFORMATION_EX *Out = NtpReserve(Modules->Answer, sizeof(*Out));
    if (Out == NULL)
        return TRUE;
    RtlZeroMemory(Out, sizeof(*Out));
    Out->NextOffset = sizeof(*Out);
    Describe(Module, &Out->BaseInfo);
    if (Modules->Bases)
        Out->DefaultBase = Out->BaseInfo.ImageBase;
    else
        Out->BaseInfo.ImageBase = NULL;
    return TRUE;
}

/* Ends with a next offset of 0. */
NTSTATUS NtpQueryModulesEx(NTP_ANSWER *Answer)
{
    MODULES Modules = {Answer, 0, MayDebug()};
    LdrEnumerateModules(AddModuleEx, &Modules);
    PUSHORT End = NtpReserve(Answer, sizeof(*End));
    if (End != NULL)
        *End = 0;
    return STATUS_SUCCESS;
}

static BOOLEAN AddDriverModule(PVOID Context, const LDR_MODULE *Module)
{
    MODULES *Modules = Context;
    USERNT_MODULE *Out = NtpReserve(Modules->Answer, sizeof(*Out));
    if (Out == NULL)
        return TRUE;
    RtlZeroMemory(Out, sizeof(*Out));
    if (Modules->Bases)
        Out->Base = (ULONG64)(ULONG_PTR)Module->Entry.DllBase;
    Out->Size = Module->Entry.SizeOfImage;
    Out->Native = Module->Native;
    if (Module->Driver != NULL) {
        Out->UseCount = IopDriverUseCount(Module->Driver);
        Out->UnloadPending = IopDriverPending(Module->Driver);
    }
    NarrowName(&Module->BaseName, Out->Name, sizeof(Out->Name));
    snprintf(Out->HostPath, sizeof(Out->HostPath), "%s", Module->HostPath);
    return TRUE;
}

NTSTATUS NtpQueryDriverModules(NTP_ANSWER *Answer)
{
    MODULES Modules = {Answer, 0, NtpIsAdministrator()};
    LdrEnumerateModules(AddDriverModule, &Modules);
    return STATUS_SUCCESS;
}

static void AddExport(PVOID Context, const char *Name)
{
    ULONG Bytes = (ULONG)strlen(Name) + 1;
    char *Out = NtpReserve(Context, Bytes);
    if (Out != NULL) {
        memcpy(Out, Name, Bytes - 1);
        Out[Bytes - 1] = '\n';
    }
}

NTSTATUS NtpQueryExports(NTP_ANSWER *Answer)
{
    LdrEnumerateExports(AddExport, Answer);
    return STATUS_SUCCESS;
}
