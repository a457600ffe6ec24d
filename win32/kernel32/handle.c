/* Handles of any object. */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

BOOL WINAPI CloseHandle(HANDLE Handle)
{
    if (BaseStream(Handle) < 0)
        return BaseResult(NtClose(Handle));
    if (BaseStream(Handle) > 2) /* the standard streams stay: the C library has them too */
        linux_close(BaseStream(Handle));
    return TRUE;
}

BOOL WINAPI DuplicateHandle(HANDLE SourceProcess, HANDLE Source, HANDLE TargetProcess,
                            LPHANDLE Target, DWORD Access, BOOL Inherit, DWORD Options)
{
    return BaseResult(NtDuplicateObject(SourceProcess, Source, TargetProcess, Target, Access,
                                        Inherit ? OBJ_INHERIT : 0, Options));
}

struct handle_flags {
    BOOLEAN Inherit, ProtectFromClose;
};
#define OBJECT_HANDLE_FLAGS 4

BOOL WINAPI GetHandleInformation(HANDLE Handle, LPDWORD Flags)
{
    struct handle_flags Information;

    if (!BaseResult(NtQueryObject(Handle, (OBJECT_INFORMATION_CLASS)OBJECT_HANDLE_FLAGS,
                                  &Information, sizeof(Information), NULL)))
        return FALSE;
    *Flags = (Information.Inherit ? HANDLE_FLAG_INHERIT : 0) |
             (Information.ProtectFromClose ? HANDLE_FLAG_PROTECT_FROM_CLOSE : 0);
    return TRUE;
}

BOOL WINAPI SetHandleInformation(HANDLE Handle, DWORD Mask, DWORD Flags)
{
    struct handle_flags Information;
    DWORD Now;

    if (!GetHandleInformation(Handle, &Now))
        return FALSE;
    Now = (Now & ~Mask) | (Flags & Mask);
    Information.Inherit = (Now & HANDLE_FLAG_INHERIT) != 0;
    Information.ProtectFromClose = (Now & HANDLE_FLAG_PROTECT_FROM_CLOSE) != 0;
    return BaseResult(
        NtSetInformationObject(Handle, OBJECT_HANDLE_FLAGS, &Information, sizeof(Information)));
}
