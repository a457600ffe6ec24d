/* Asks the system itself: the same class of information, the same reader as in the driver. */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>

#define MODULE_INFORMATION_CLASS 11
#define DEBUG_PRIVILEGE 20

NTSTATUS NTAPI NtOpenProcessToken(HANDLE, ACCESS_MASK, PHANDLE);
NTSTATUS NTAPI NtAdjustPrivilegesToken(HANDLE, BOOLEAN, PTOKEN_PRIVILEGES, ULONG, PTOKEN_PRIVILEGES,
                                       PULONG);

static PVOID Allocate(PVOID Context, SIZE_T Bytes)
{
    (void)Context;
    return malloc(Bytes);
}

static VOID Free(PVOID Context, PVOID Block)
{
    (void)Context;
    free(Block);
}

static NTSTATUS Query(PVOID Context, PVOID Buffer, ULONG Length, ULONG *Returned)
{
    (void)Context;
    return NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)MODULE_INFORMATION_CLASS, Buffer,
                                    Length, Returned);
}

static const MODULE_SOURCE Direct = {MODULES_SYSTEM, Query, Allocate, Free, NULL};

static void EnableDebugPrivilege(void)
{
    TOKEN_PRIVILEGES Privileges = {1, {{{DEBUG_PRIVILEGE, 0}, SE_PRIVILEGE_ENABLED}}};
    HANDLE Token;

    if (NtOpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &Token) < 0)
        return;
    NtAdjustPrivilegesToken(Token, FALSE, &Privileges, 0, NULL, NULL);
    CloseHandle(Token);
}

static SYSTEM_MODULE_LIST *QueryList(void)
{
    SYSTEM_MODULE_LIST *List = NULL;
    NTSTATUS Status = ModulesQuery(&Direct, &List);
    char Text[64];

    if (Status >= 0)
        return List;
    snprintf(Text, sizeof(Text), "the list cannot be had: status 0x%08X", (unsigned)Status);
    ClientFails(Text, 0);
    return NULL;
}

static BOOL HasBases(const SYSTEM_MODULE_LIST *List)
{
    return !List->Count || List->Modules[0].Base;
}

/* Newer Windows tells addresses only to those who may debug. */
SYSTEM_MODULE_LIST *ListDirect(void)
{
    SYSTEM_MODULE_LIST *List = QueryList();

    if (!List || HasBases(List))
        return List;
    free(List);
    EnableDebugPrivilege();
    List = QueryList();
    if (List && !HasBases(List))
        ClientFails("the system hides the base addresses (SeDebugPrivilege is needed)", 0);
    return List;
}
