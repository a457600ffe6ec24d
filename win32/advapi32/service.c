/*
 * The service control manager's calls, for kernel drivers. There is no manager process: a service
 * is its key below Services, and it runs if \Driver\NAME exists. Every call checks with the kernel,
 * so several programs agree.
 *
 * A service handle is a small structure of this library; the rights it was opened with are checked
 * here, as the manager does, and the kernel checks again (keys' security, SeLoadDriverPrivilege).
 *
 * A handle also holds an event that is named after its service (the pin): while the name exists,
 * some program has a handle, and a service that is marked for deletion keeps its key. The key goes
 * with the last handle, or, if that one's owner died or may not delete it, with the next call that
 * names the service.
 */
#include "win32/advapi32/service.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC 0x63767253
#define PIN_MOST 300

struct service *service_from_handle(SC_HANDLE Handle, BOOL Manager, DWORD Access)
{
    struct service *Service = (struct service *)Handle;

    if (!Service || Service->Magic != MAGIC || Service->Manager != Manager) {
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    if ((Service->Access & Access) != Access) {
        SetLastError(ERROR_ACCESS_DENIED);
        return NULL;
    }
    return Service;
}

static void pin_name(LPCWSTR Name, WCHAR *Text, PUNICODE_STRING String)
{
    _snwprintf(Text, PIN_MOST, L"\\BaseNamedObjects\\ServiceHandle-%ls", Name);
    RtlInitUnicodeString(String, Text);
}

/* Anyone who may open a service may pin it; a program that may make no objects does without. */
static HANDLE pin(LPCWSTR Name)
{
    SECURITY_DESCRIPTOR_RELATIVE Everyone = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                             .Control = SE_SELF_RELATIVE | SE_DACL_PRESENT};
    WCHAR Text[PIN_MOST];
    UNICODE_STRING String;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;

    pin_name(Name, Text, &String);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE | OBJ_OPENIF, NULL,
                               &Everyone);
    if (!STATUS_OK(NtCreateEvent(&Event, SYNCHRONIZE, &Attributes, NativeNotificationEvent, FALSE)))
        return NULL;
    return Event;
}

static BOOL is_pinned(LPCWSTR Name)
{
    WCHAR Text[PIN_MOST];
    UNICODE_STRING String;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event;
    NTSTATUS Status;

    pin_name(Name, Text, &String);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtOpenEvent(&Event, SYNCHRONIZE, &Attributes);
    if (STATUS_OK(Status))
        NtClose(Event);
    return Status != STATUS_OBJECT_NAME_NOT_FOUND;
}

static SC_HANDLE new_handle(BOOL Manager, DWORD Access, LPCWSTR Name)
{
    struct service *Service = calloc(1, sizeof(*Service));

    if (!Service) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    Service->Magic = MAGIC;
    Service->Access = Access;
    Service->Manager = Manager;
    if (Name) {
        wcscpy(Service->Name, Name);
        Service->Pin = pin(Name);
    }
    return (SC_HANDLE)Service;
}

/* A service's key, opened or created. */
NTSTATUS service_key(LPCWSTR Name, BOOL Create, ACCESS_MASK Access, PHANDLE Key, PULONG Disposition)
{
    WCHAR Text[400];
    UNICODE_STRING Path;
    OBJECT_ATTRIBUTES Attributes;

    _snwprintf(Text, 400, L"%ls\\%ls", SERVICES, Name);
    RtlInitUnicodeString(&Path, Text);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (Create)
        return NtCreateKey(Key, Access, &Attributes, 0, NULL, 0, Disposition);
    return NtOpenKey(Key, Access, &Attributes);
}

NTSTATUS service_set_text(HANDLE Key, LPCWSTR Name, ULONG Type, LPCWSTR Value)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    return NtSetValueKey(Key, &String, 0, Type, (PVOID)Value,
                         (ULONG)((wcslen(Value) + 1) * sizeof(WCHAR)));
}

NTSTATUS service_set_number(HANDLE Key, LPCWSTR Name, DWORD Value)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    return NtSetValueKey(Key, &String, 0, REG_DWORD, &Value, sizeof(Value));
}

BOOL service_value(HANDLE Key, LPCWSTR Name, NATIVE_KEY_VALUE_PARTIAL *Value, ULONG Bytes)
{
    UNICODE_STRING String;
    ULONG Returned;

    RtlInitUnicodeString(&String, Name);
    return STATUS_OK(NtQueryValueKey(Key, &String, 2, Value, Bytes, &Returned));
}

DWORD service_number(HANDLE Key, LPCWSTR Name, DWORD Otherwise)
{
    struct {
        NATIVE_KEY_VALUE_PARTIAL Head;
        UCHAR More[8];
    } Value;
    DWORD Number;

    if (!service_value(Key, Name, &Value.Head, sizeof(Value)) || Value.Head.Type != REG_DWORD)
        return Otherwise;
    memcpy(&Number, Value.Head.Data, sizeof(Number));
    return Number;
}

BOOL service_is_running(LPCWSTR Name)
{
    WCHAR Text[300];
    UNICODE_STRING Folder, Wanted;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Directory;
    ULONG Context = 0, Returned;
    char Buffer[2048];
    BOOL Found = FALSE;

    RtlInitUnicodeString(&Folder, L"\\Driver");
    InitializeObjectAttributes(&Attributes, &Folder, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!STATUS_OK(NtOpenDirectoryObject(&Directory, 1, &Attributes)))
        return FALSE;
    _snwprintf(Text, 300, L"%ls", Name);
    RtlInitUnicodeString(&Wanted, Text);
    while (!Found && STATUS_OK(NtQueryDirectoryObject(Directory, Buffer, sizeof(Buffer), TRUE,
                                                      FALSE, &Context, &Returned)))
        Found = RtlEqualUnicodeString(&((NATIVE_DIRECTORY_ENTRY *)Buffer)->Name, &Wanted, TRUE);
    NtClose(Directory);
    return Found;
}

/* A service that was deleted goes when it does not run and nobody has a handle. */
static void delete_if_marked(LPCWSTR Name)
{
    HANDLE Key;

    if (!STATUS_OK(service_key(Name, FALSE, KEY_READ | DELETE, &Key, NULL)))
        return;
    if (service_number(Key, L"DeleteFlag", 0) && !service_is_running(Name) && !is_pinned(Name))
        NtDeleteKey(Key);
    NtClose(Key);
}

BOOL WINAPI CloseServiceHandle(SC_HANDLE Handle)
{
    struct service *Service = (struct service *)Handle;

    if (!Service || Service->Magic != MAGIC) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    Service->Magic = 0;
    if (Service->Pin)
        NtClose(Service->Pin);
    if (!Service->Manager)
        delete_if_marked(Service->Name);
    free(Service);
    return TRUE;
}

SC_HANDLE WINAPI OpenSCManagerW(LPCWSTR Machine, LPCWSTR Database, DWORD Access)
{
    UNICODE_STRING Path;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    BOOL Write =
        Access & (SC_MANAGER_CREATE_SERVICE | SC_MANAGER_LOCK | GENERIC_WRITE | GENERIC_ALL);

    if (Machine && *Machine) {
        SetLastError(RPC_S_SERVER_UNAVAILABLE);
        return NULL;
    }
    if (Database && _wcsicmp(Database, L"ServicesActive")) {
        SetLastError(ERROR_DATABASE_DOES_NOT_EXIST);
        return NULL;
    }
    RtlInitUnicodeString(&Path, SERVICES);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!BaseResult(NtOpenKey(&Key, Write ? KEY_ALL_ACCESS : KEY_READ, &Attributes)))
        return NULL;
    NtClose(Key);
    if (Access & (GENERIC_ALL | MAXIMUM_ALLOWED))
        Access |= SC_MANAGER_ALL_ACCESS;
    return new_handle(TRUE, Access | (Access & GENERIC_READ ? SC_MANAGER_ENUMERATE_SERVICE : 0),
                      NULL);
}

static BOOL valid_name(LPCWSTR Name)
{
    if (!Name || !*Name || wcslen(Name) > 256 || wcspbrk(Name, L"/\\")) {
        SetLastError(ERROR_INVALID_NAME);
        return FALSE;
    }
    return TRUE;
}

static DWORD service_rights(DWORD Access)
{
    return Access & (GENERIC_ALL | MAXIMUM_ALLOWED) ? Access | SERVICE_ALL_ACCESS : Access;
}

static NTSTATUS write_configuration(HANDLE Key, LPCWSTR Display, DWORD Type, DWORD Start,
                                    DWORD Errors, LPCWSTR Path)
{
    NTSTATUS Status = service_set_number(Key, L"Type", Type);

    if (STATUS_OK(Status))
        Status = service_set_number(Key, L"Start", Start);
    if (STATUS_OK(Status))
        Status = service_set_number(Key, L"ErrorControl", Errors);
    if (STATUS_OK(Status))
        Status = service_set_text(Key, L"ImagePath", REG_EXPAND_SZ, Path);
    if (STATUS_OK(Status) && Display)
        Status = service_set_text(Key, L"DisplayName", REG_SZ, Display);
    return Status;
}

static BOOL create_key(LPCWSTR Name, PHANDLE Key)
{
    ULONG Disposition = 0;

    delete_if_marked(Name);
    if (!BaseResult(service_key(Name, TRUE, KEY_ALL_ACCESS, Key, &Disposition)))
        return FALSE;
    if (Disposition == REG_CREATED_NEW_KEY)
        return TRUE;
    SetLastError(service_number(*Key, L"DeleteFlag", 0) ? ERROR_SERVICE_MARKED_FOR_DELETE
                                                        : ERROR_SERVICE_EXISTS);
    NtClose(*Key);
    return FALSE;
}

SC_HANDLE WINAPI CreateServiceW(SC_HANDLE Manager, LPCWSTR Name, LPCWSTR Display, DWORD Access,
                                DWORD Type, DWORD Start, DWORD Errors, LPCWSTR Path, LPCWSTR Group,
                                LPDWORD Tag, LPCWSTR Depends, LPCWSTR User, LPCWSTR Password)
{
    HANDLE Key;
    NTSTATUS Status;

    (void)Group, (void)Tag, (void)Depends, (void)User, (void)Password;
    if (!service_from_handle(Manager, TRUE, SC_MANAGER_CREATE_SERVICE) || !valid_name(Name))
        return NULL;
    if ((Type != SERVICE_KERNEL_DRIVER && Type != SERVICE_FILE_SYSTEM_DRIVER) ||
        Start > SERVICE_DISABLED || Errors > 3 || !Path || !*Path) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    if (!create_key(Name, &Key))
        return NULL;
    Status = write_configuration(Key, Display, Type, Start, Errors, Path);
    if (!STATUS_OK(Status))
        NtDeleteKey(Key);
    NtClose(Key);
    return BaseResult(Status) ? new_handle(FALSE, service_rights(Access), Name) : NULL;
}

SC_HANDLE WINAPI OpenServiceW(SC_HANDLE Manager, LPCWSTR Name, DWORD Access)
{
    SC_HANDLE Handle;
    HANDLE Key;
    NTSTATUS Status;
    BOOL Change =
        Access & (SERVICE_START | SERVICE_STOP | SERVICE_CHANGE_CONFIG | DELETE | GENERIC_ALL);

    if (!service_from_handle(Manager, TRUE, 0) || !valid_name(Name))
        return NULL;
    delete_if_marked(Name);
    Handle = new_handle(FALSE, service_rights(Access), Name); /* first: what is found stays */
    if (!Handle)
        return NULL;
    Status = service_key(Name, FALSE, Change ? KEY_ALL_ACCESS : KEY_READ, &Key, NULL);
    if (STATUS_OK(Status)) {
        NtClose(Key);
        return Handle;
    }
    CloseServiceHandle(Handle);
    BaseResult(Status);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        SetLastError(ERROR_SERVICE_DOES_NOT_EXIST);
    return NULL;
}

#define LOAD_DRIVER_PRIVILEGE 10

static NTSTATUS load(LPCWSTR Name, BOOL Load)
{
    WCHAR Text[400];
    UNICODE_STRING Path;
    BOOLEAN Was;

    /* On Windows the manager's process holds the privilege enabled; here the caller's token is all
     * there is. */
    RtlAdjustPrivilege(LOAD_DRIVER_PRIVILEGE, TRUE, FALSE, &Was);
    _snwprintf(Text, 400, L"%ls\\%ls", SERVICES, Name);
    RtlInitUnicodeString(&Path, Text);
    return Load ? NtLoadDriver(&Path) : NtUnloadDriver(&Path);
}

BOOL WINAPI StartServiceW(SC_HANDLE Handle, DWORD Count, LPCWSTR *Arguments)
{
    struct service *Service = service_from_handle(Handle, FALSE, SERVICE_START);
    NTSTATUS Status;
    HANDLE Key;
    DWORD Start;

    (void)Count, (void)Arguments;
    if (!Service || !BaseResult(service_key(Service->Name, FALSE, KEY_READ, &Key, NULL)))
        return FALSE;
    Start = service_number(Key, L"DeleteFlag", 0)
                ? MAXDWORD
                : service_number(Key, L"Start", SERVICE_DEMAND_START);
    NtClose(Key);
    if (Start == MAXDWORD || Start == SERVICE_DISABLED) {
        SetLastError(Start == MAXDWORD ? ERROR_SERVICE_MARKED_FOR_DELETE : ERROR_SERVICE_DISABLED);
        return FALSE;
    }
    Status = load(Service->Name, TRUE);
    if (Status == STATUS_IMAGE_ALREADY_LOADED) {
        SetLastError(ERROR_SERVICE_ALREADY_RUNNING);
        return FALSE;
    }
    return BaseResult(Status);
}

void service_status(LPCWSTR Name, LPSERVICE_STATUS Status)
{
    HANDLE Key;

    memset(Status, 0, sizeof(*Status));
    Status->dwServiceType = SERVICE_KERNEL_DRIVER;
    if (STATUS_OK(service_key(Name, FALSE, KEY_READ, &Key, NULL))) {
        Status->dwServiceType = service_number(Key, L"Type", SERVICE_KERNEL_DRIVER);
        NtClose(Key);
    }
    Status->dwCurrentState = service_is_running(Name) ? SERVICE_RUNNING : SERVICE_STOPPED;
    if (Status->dwCurrentState == SERVICE_RUNNING)
        Status->dwControlsAccepted = SERVICE_ACCEPT_STOP;
    else
        Status->dwWin32ExitCode = ERROR_SUCCESS;
}

static BOOL stop(struct service *Service, LPSERVICE_STATUS Out)
{
    NTSTATUS Status;

    if (!service_is_running(Service->Name)) {
        SetLastError(ERROR_SERVICE_NOT_ACTIVE);
        return FALSE;
    }
    Status = load(Service->Name, FALSE);
    if (Status == STATUS_INVALID_DEVICE_REQUEST) {
        SetLastError(ERROR_INVALID_SERVICE_CONTROL);
        return FALSE;
    }
    if (!BaseResult(Status))
        return FALSE;
    service_status(Service->Name, Out);
    if (Out->dwCurrentState == SERVICE_RUNNING)
        Out->dwCurrentState = SERVICE_STOP_PENDING;
    return TRUE;
}

BOOL WINAPI ControlService(SC_HANDLE Handle, DWORD Control, LPSERVICE_STATUS Status)
{
    struct service *Service;

    if (Control == SERVICE_CONTROL_STOP) {
        Service = service_from_handle(Handle, FALSE, SERVICE_STOP);
        return Service && stop(Service, Status);
    }
    if (Control == SERVICE_CONTROL_INTERROGATE) {
        Service = service_from_handle(Handle, FALSE, SERVICE_INTERROGATE);
        if (Service)
            service_status(Service->Name, Status);
        return Service != NULL;
    }
    SetLastError(ERROR_INVALID_SERVICE_CONTROL);
    return FALSE;
}

BOOL WINAPI QueryServiceStatus(SC_HANDLE Handle, LPSERVICE_STATUS Status)
{
    struct service *Service = service_from_handle(Handle, FALSE, SERVICE_QUERY_STATUS);

    if (Service)
        service_status(Service->Name, Status);
    return Service != NULL;
}

BOOL WINAPI DeleteService(SC_HANDLE Handle)
{
    struct service *Service = service_from_handle(Handle, FALSE, DELETE);
    HANDLE Key;
    NTSTATUS Status;

    if (!Service)
        return FALSE;
    Status = service_key(Service->Name, FALSE, KEY_ALL_ACCESS, &Key, NULL);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND ||
        (STATUS_OK(Status) && service_number(Key, L"DeleteFlag", 0))) {
        if (STATUS_OK(Status))
            NtClose(Key);
        SetLastError(ERROR_SERVICE_MARKED_FOR_DELETE);
        return FALSE;
    }
    if (!BaseResult(Status))
        return FALSE;
    Status = service_set_number(Key, L"DeleteFlag", 1); /* closing the last handle does the rest */
    NtClose(Key);
    return BaseResult(Status);
}

/* The ANSI forms. */
SC_HANDLE WINAPI OpenSCManagerA(LPCSTR Machine, LPCSTR Database, DWORD Access)
{
    PWSTR WideMachine = BaseWide(Machine), WideDatabase = BaseWide(Database);
    SC_HANDLE Handle = OpenSCManagerW(WideMachine, WideDatabase, Access);

    free(WideMachine);
    free(WideDatabase);
    return Handle;
}

SC_HANDLE WINAPI OpenServiceA(SC_HANDLE Manager, LPCSTR Name, DWORD Access)
{
    PWSTR Wide = BaseWide(Name);
    SC_HANDLE Handle = OpenServiceW(Manager, Wide, Access);

    free(Wide);
    return Handle;
}

SC_HANDLE WINAPI CreateServiceA(SC_HANDLE Manager, LPCSTR Name, LPCSTR Display, DWORD Access,
                                DWORD Type, DWORD Start, DWORD Errors, LPCSTR Path, LPCSTR Group,
                                LPDWORD Tag, LPCSTR Depends, LPCSTR User, LPCSTR Password)
{
    PWSTR WideName = BaseWide(Name), WideDisplay = BaseWide(Display), WidePath = BaseWide(Path);
    SC_HANDLE Handle = CreateServiceW(Manager, WideName, WideDisplay, Access, Type, Start, Errors,
                                      WidePath, NULL, Tag, NULL, NULL, NULL);

    (void)Group, (void)Depends, (void)User, (void)Password;
    free(WideName);
    free(WideDisplay);
    free(WidePath);
    return Handle;
}

BOOL WINAPI StartServiceA(SC_HANDLE Handle, DWORD Count, LPCSTR *Arguments)
{
    (void)Arguments;
    return StartServiceW(Handle, Count ? 0 : 0, NULL);
}
