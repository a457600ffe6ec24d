/* What services there are, and how they are configured. The A and W structures have one layout, so
 * one routine fills both. */
#include "win32/advapi32/service.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MOST 1024

static int text_bytes(LPCWSTR Text, BOOL Ansi)
{
    return Ansi ? WideCharToMultiByte(CP_ACP, 0, Text, -1, NULL, 0, NULL, NULL)
                : (int)((wcslen(Text) + 1) * sizeof(WCHAR));
}

static LPWSTR put_text(char *At, LPCWSTR Text, BOOL Ansi)
{
    int Bytes = text_bytes(Text, Ansi);

    if (Ansi)
        WideCharToMultiByte(CP_ACP, 0, Text, -1, At, Bytes, NULL, NULL);
    else
        memcpy(At, Text, (size_t)Bytes);
    return (LPWSTR)(void *)At;
}

static void get_text(HANDLE Key, LPCWSTR Name, LPCWSTR Otherwise, WCHAR Text[TEXT_MOST])
{
    struct {
        NATIVE_KEY_VALUE_PARTIAL Head;
        UCHAR More[TEXT_MOST * sizeof(WCHAR)];
    } Value;
    ULONG Count = 0;

    _snwprintf(Text, TEXT_MOST, L"%ls", Otherwise);
    if (service_value(Key, Name, &Value.Head, sizeof(Value)) &&
        (Value.Head.Type == REG_SZ || Value.Head.Type == REG_EXPAND_SZ)) {
        Count = min(Value.Head.DataLength / sizeof(WCHAR), TEXT_MOST - 1);
        memcpy(Text, Value.Head.Data, Count * sizeof(WCHAR));
        Text[Count] = 0;
    }
}

/* Path, group, dependencies (a list, empty), account, display name. */
enum {
    CONFIGURED_PATH,
    CONFIGURED_GROUP,
    CONFIGURED_DEPENDENCIES,
    CONFIGURED_ACCOUNT,
    CONFIGURED_DISPLAY,
    CONFIGURED_TEXTS
};
struct configured {
    WCHAR Text[CONFIGURED_TEXTS][TEXT_MOST];
    DWORD Type, Start, Errors, Tag;
};

static BOOL read_configuration(struct service *Service, struct configured *Read)
{
    HANDLE Key;

    if (!BaseResult(service_key(Service->Name, FALSE, KEY_READ, &Key, NULL)))
        return FALSE;
    memset(Read, 0, sizeof(*Read));
    get_text(Key, L"ImagePath", L"", Read->Text[CONFIGURED_PATH]);
    get_text(Key, L"Group", L"", Read->Text[CONFIGURED_GROUP]);
    get_text(Key, L"ObjectName", L"", Read->Text[CONFIGURED_ACCOUNT]);
    get_text(Key, L"DisplayName", Service->Name, Read->Text[CONFIGURED_DISPLAY]);
    Read->Type = service_number(Key, L"Type", SERVICE_KERNEL_DRIVER);
    Read->Start = service_number(Key, L"Start", SERVICE_DEMAND_START);
    Read->Errors = service_number(Key, L"ErrorControl", SERVICE_ERROR_NORMAL);
    Read->Tag = service_number(Key, L"Tag", 0);
    NtClose(Key);
    return TRUE;
}

static void give_configuration(const struct configured *Read, LPQUERY_SERVICE_CONFIGW Out,
                               BOOL Ansi)
{
    LPWSTR Texts[CONFIGURED_TEXTS];
    char *At = (char *)(Out + 1);

    for (int i = 0; i < CONFIGURED_TEXTS; i++) {
        Texts[i] = put_text(At, Read->Text[i], Ansi);
        At += text_bytes(Read->Text[i], Ansi);
    }
    *Out = (QUERY_SERVICE_CONFIGW){Read->Type,
                                   Read->Start,
                                   Read->Errors,
                                   Texts[CONFIGURED_PATH],
                                   Texts[CONFIGURED_GROUP],
                                   Read->Tag,
                                   Texts[CONFIGURED_DEPENDENCIES],
                                   Texts[CONFIGURED_ACCOUNT],
                                   Texts[CONFIGURED_DISPLAY]};
}

static BOOL query_configuration(SC_HANDLE Handle, LPQUERY_SERVICE_CONFIGW Out, DWORD Size,
                                LPDWORD Needed, BOOL Ansi)
{
    struct service *Service = service_from_handle(Handle, FALSE, SERVICE_QUERY_CONFIG);
    struct configured *Read;
    BOOL Done = FALSE;

    if (!Service)
        return FALSE;
    Read = malloc(sizeof(*Read));
    if (!Read)
        return BaseResult(STATUS_NO_MEMORY);
    if (!read_configuration(Service, Read))
        goto end;
    *Needed = sizeof(*Out);
    for (int i = 0; i < CONFIGURED_TEXTS; i++)
        *Needed += (DWORD)text_bytes(Read->Text[i], Ansi);
    Done = Size >= *Needed;
    if (Done)
        give_configuration(Read, Out, Ansi);
    else
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
end:
    free(Read);
    return Done;
}

BOOL WINAPI QueryServiceConfigW(SC_HANDLE Handle, LPQUERY_SERVICE_CONFIGW Out, DWORD Size,
                                LPDWORD Needed)
{
    return query_configuration(Handle, Out, Size, Needed, FALSE);
}

BOOL WINAPI QueryServiceConfigA(SC_HANDLE Handle, LPQUERY_SERVICE_CONFIGA Out, DWORD Size,
                                LPDWORD Needed)
{
    return query_configuration(Handle, (LPQUERY_SERVICE_CONFIGW)Out, Size, Needed, TRUE);
}

static NTSTATUS change_number(HANDLE Key, LPCWSTR Name, DWORD Value)
{
    return Value == SERVICE_NO_CHANGE ? STATUS_SUCCESS : service_set_number(Key, Name, Value);
}

static NTSTATUS change_text(HANDLE Key, LPCWSTR Name, ULONG Type, LPCWSTR Value)
{
    return Value ? service_set_text(Key, Name, Type, Value) : STATUS_SUCCESS;
}

static BOOL may_change(DWORD Type, DWORD Start, DWORD Errors, LPCWSTR Path, LPDWORD Tag,
                       LPCWSTR Depends, LPCWSTR User, LPCWSTR Password)
{
    if ((Type == SERVICE_NO_CHANGE || Type == SERVICE_KERNEL_DRIVER ||
         Type == SERVICE_FILE_SYSTEM_DRIVER) &&
        (Start == SERVICE_NO_CHANGE || Start <= SERVICE_DISABLED) &&
        (Errors == SERVICE_NO_CHANGE || Errors <= SERVICE_ERROR_CRITICAL) && (!Path || *Path) &&
        !Tag && !Depends && !User && !Password)
        return TRUE;
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
}

/* Tags, dependencies and accounts are not for a driver of this system: ERROR_INVALID_PARAMETER. */
BOOL WINAPI ChangeServiceConfigW(SC_HANDLE Handle, DWORD Type, DWORD Start, DWORD Errors,
                                 LPCWSTR Path, LPCWSTR Group, LPDWORD Tag, LPCWSTR Depends,
                                 LPCWSTR User, LPCWSTR Password, LPCWSTR Display)
{
    struct service *Service = service_from_handle(Handle, FALSE, SERVICE_CHANGE_CONFIG);
    HANDLE Key;
    NTSTATUS Status;

    if (!Service || !may_change(Type, Start, Errors, Path, Tag, Depends, User, Password) ||
        !BaseResult(service_key(Service->Name, FALSE, KEY_ALL_ACCESS, &Key, NULL)))
        return FALSE;
    if (service_number(Key, L"DeleteFlag", 0)) {
        NtClose(Key);
        SetLastError(ERROR_SERVICE_MARKED_FOR_DELETE);
        return FALSE;
    }
    Status = change_number(Key, L"Type", Type);
    if (STATUS_OK(Status))
        Status = change_number(Key, L"Start", Start);
    if (STATUS_OK(Status))
        Status = change_number(Key, L"ErrorControl", Errors);
    if (STATUS_OK(Status))
        Status = change_text(Key, L"ImagePath", REG_EXPAND_SZ, Path);
    if (STATUS_OK(Status))
        Status = change_text(Key, L"Group", REG_SZ, Group);
    if (STATUS_OK(Status))
        Status = change_text(Key, L"DisplayName", REG_SZ, Display);
    NtClose(Key);
    return BaseResult(Status);
}

BOOL WINAPI ChangeServiceConfigA(SC_HANDLE Handle, DWORD Type, DWORD Start, DWORD Errors,
                                 LPCSTR Path, LPCSTR Group, LPDWORD Tag, LPCSTR Depends,
                                 LPCSTR User, LPCSTR Password, LPCSTR Display)
{
    PWSTR WidePath = BaseWide(Path), WideGroup = BaseWide(Group), WideDisplay = BaseWide(Display);
    BOOL Done = ChangeServiceConfigW(Handle, Type, Start, Errors, WidePath, WideGroup, Tag,
                                     Depends ? L"" : NULL, User ? L"" : NULL, Password ? L"" : NULL,
                                     WideDisplay);

    free(WidePath);
    free(WideGroup);
    free(WideDisplay);
    return Done;
}

/* A driver has no process of its own: its id is 0. */
BOOL WINAPI QueryServiceStatusEx(SC_HANDLE Handle, SC_STATUS_TYPE Level, LPBYTE Out, DWORD Size,
                                 LPDWORD Needed)
{
    struct service *Service = service_from_handle(Handle, FALSE, SERVICE_QUERY_STATUS);
    SERVICE_STATUS_PROCESS Status = {0};

    if (!Service)
        return FALSE;
    if (Level != SC_STATUS_PROCESS_INFO) {
        SetLastError(ERROR_INVALID_LEVEL);
        return FALSE;
    }
    *Needed = sizeof(Status);
    if (Size < sizeof(Status)) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    service_status(Service->Name, (LPSERVICE_STATUS)&Status); /* begins with the same members */
    memcpy(Out, &Status, sizeof(Status));
    return TRUE;
}

/* An enumeration: structures from the front, texts from the end, as far as they fit. */
struct listing {
    char *Next, *End;
    size_t Record; /* an ENUM_SERVICE_STATUS, or the longer one that begins in the same way */
    DWORD Type, State, Needed, Returned, Resume, Index;
    BOOL Ansi, Full;
};

static void list_one(struct listing *List, LPCWSTR Name, LPCWSTR Display,
                     const SERVICE_STATUS *Status)
{
    size_t NameBytes = (size_t)text_bytes(Name, List->Ansi),
           DisplayBytes = (size_t)text_bytes(Display, List->Ansi);
    size_t Texts = (NameBytes + DisplayBytes + 7) & ~(size_t)7;

    if (List->Index++ < List->Resume)
        return;
    if (List->Full || (size_t)(List->End - List->Next) < Texts + List->Record) {
        List->Full = TRUE;
        List->Needed += (DWORD)(Texts + List->Record);
        return;
    }
    List->End -= Texts;
    memset(List->Next, 0, List->Record);
    *(ENUM_SERVICE_STATUSW *)List->Next =
        (ENUM_SERVICE_STATUSW){put_text(List->End, Name, List->Ansi),
                               put_text(List->End + NameBytes, Display, List->Ansi), *Status};
    List->Next += List->Record;
    List->Returned++;
}

static void consider(struct listing *List, LPCWSTR Name)
{
    WCHAR Display[TEXT_MOST];
    SERVICE_STATUS Status;
    HANDLE Key;
    BOOL Service;

    if (!STATUS_OK(service_key(Name, FALSE, KEY_READ, &Key, NULL)))
        return;
    Service = service_number(Key, L"Type", 0) != 0; /* else a key of something else */
    get_text(Key, L"DisplayName", Name, Display);
    NtClose(Key);
    if (!Service)
        return;
    service_status(Name, &Status);
    if ((Status.dwServiceType & List->Type) &&
        (List->State &
         (Status.dwCurrentState == SERVICE_STOPPED ? SERVICE_INACTIVE : SERVICE_ACTIVE)))
        list_one(List, Name, Display, &Status);
}

static BOOL list_all(struct listing *List)
{
    struct {
        NATIVE_KEY_BASIC Head;
        WCHAR More[256];
    } Entry;
    UNICODE_STRING Path;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Returned;
    HANDLE Key;
    NTSTATUS Status;

    RtlInitUnicodeString(&Path, SERVICES);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!BaseResult(NtOpenKey(&Key, KEY_READ, &Attributes)))
        return FALSE;
    for (ULONG i = 0;; i++) {
        WCHAR Name[257];

        Status = NtEnumerateKey(Key, i, 0, &Entry, sizeof(Entry), &Returned);
        if (Status == STATUS_BUFFER_OVERFLOW) /* a name that no service can have */
            continue;
        if (!STATUS_OK(Status))
            break;
        memcpy(Name, Entry.Head.Name, Entry.Head.NameLength);
        Name[Entry.Head.NameLength / sizeof(WCHAR)] = 0;
        consider(List, Name);
    }
    NtClose(Key);
    return Status == STATUS_NO_MORE_ENTRIES || BaseResult(Status);
}

static BOOL list_services(SC_HANDLE Manager, DWORD Type, DWORD State, PVOID Out, size_t Record,
                          DWORD Size, LPDWORD Needed, LPDWORD Returned, LPDWORD Resume, BOOL Ansi)
{
    struct listing List = {.Next = Out,
                           .End = Out ? (char *)Out + (Size & ~7u) : NULL,
                           .Record = Record,
                           .Type = Type,
                           .State = State,
                           .Resume = Resume ? *Resume : 0,
                           .Ansi = Ansi};

    if (!service_from_handle(Manager, TRUE, SC_MANAGER_ENUMERATE_SERVICE))
        return FALSE;
    if (!(Type & SERVICE_TYPE_ALL) || (Type & ~SERVICE_TYPE_ALL) || !State ||
        (State & ~(DWORD)SERVICE_STATE_ALL) || (!Out && Size)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!list_all(&List))
        return FALSE;
    *Needed = List.Needed;
    *Returned = List.Returned;
    if (Resume)
        *Resume = List.Full ? List.Resume + List.Returned : 0;
    if (List.Full)
        SetLastError(ERROR_MORE_DATA);
    return !List.Full;
}

BOOL WINAPI EnumServicesStatusW(SC_HANDLE Manager, DWORD Type, DWORD State,
                                LPENUM_SERVICE_STATUSW Out, DWORD Size, LPDWORD Needed,
                                LPDWORD Returned, LPDWORD Resume)
{
    return list_services(Manager, Type, State, Out, sizeof(*Out), Size, Needed, Returned, Resume,
                         FALSE);
}

BOOL WINAPI EnumServicesStatusA(SC_HANDLE Manager, DWORD Type, DWORD State,
                                LPENUM_SERVICE_STATUSA Out, DWORD Size, LPDWORD Needed,
                                LPDWORD Returned, LPDWORD Resume)
{
    return list_services(Manager, Type, State, Out, sizeof(*Out), Size, Needed, Returned, Resume,
                         TRUE);
}

/* No driver is of a load order group: "" lists all, a name is that of no group. */
static BOOL list_processes(SC_HANDLE Manager, SC_ENUM_TYPE Level, DWORD Type, DWORD State,
                           LPBYTE Out, DWORD Size, LPDWORD Needed, LPDWORD Returned, LPDWORD Resume,
                           BOOL OfGroup, BOOL Ansi)
{
    if (Level != SC_ENUM_PROCESS_INFO || OfGroup) {
        SetLastError(OfGroup ? ERROR_SERVICE_DOES_NOT_EXIST : ERROR_INVALID_LEVEL);
        return FALSE;
    }
    return list_services(Manager, Type, State, Out, sizeof(ENUM_SERVICE_STATUS_PROCESSW), Size,
                         Needed, Returned, Resume, Ansi);
}

BOOL WINAPI EnumServicesStatusExW(SC_HANDLE Manager, SC_ENUM_TYPE Level, DWORD Type, DWORD State,
                                  LPBYTE Out, DWORD Size, LPDWORD Needed, LPDWORD Returned,
                                  LPDWORD Resume, LPCWSTR Group)
{
    return list_processes(Manager, Level, Type, State, Out, Size, Needed, Returned, Resume,
                          Group && *Group, FALSE);
}

BOOL WINAPI EnumServicesStatusExA(SC_HANDLE Manager, SC_ENUM_TYPE Level, DWORD Type, DWORD State,
                                  LPBYTE Out, DWORD Size, LPDWORD Needed, LPDWORD Returned,
                                  LPDWORD Resume, LPCSTR Group)
{
    return list_processes(Manager, Level, Type, State, Out, Size, Needed, Returned, Resume,
                          Group && *Group, TRUE);
}
