/* The tutorial's way: the driver writes to the debug log while it is loaded, and fails so that it
 * is unloaded at once. */
#include "client.h"
#include <stdio.h>
#include <string.h>

#define KEY L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\SystemModules"
#define MOST_CHARACTERS 500

NTSTATUS NTAPI NtOpenKey(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES);
NTSTATUS NTAPI NtSetValueKey(HANDLE, PUNICODE_STRING, ULONG, ULONG, PVOID, ULONG);

static void InitString(UNICODE_STRING *String, const WCHAR *Text)
{
    USHORT Length = 0;

    while (Text[Length])
        Length++;
    String->Buffer = (WCHAR *)Text;
    String->Length = Length * sizeof(WCHAR);
    String->MaximumLength = String->Length + sizeof(WCHAR);
}

static NTSTATUS SetValue(HANDLE Key, const WCHAR *Name, ULONG Type, const void *Data, ULONG Size)
{
    UNICODE_STRING String;

    InitString(&String, Name);
    return NtSetValueKey(Key, &String, 0, Type, (PVOID)Data, Size);
}

static NTSTATUS SetNames(HANDLE Key, const OPTIONS *Options)
{
    WCHAR Wide[MOST_CHARACTERS + 1];
    ULONG i, Count = Options->NamesSize;

    if (!Count)
        return STATUS_SUCCESS;
    if (Count > MOST_CHARACTERS)
        return STATUS_NAME_TOO_LONG;
    for (i = 0; i < Count; i++)
        Wide[i] = (unsigned char)Options->Names[i];
    Wide[Count] = 0;
    return SetValue(Key, L"Names", REG_MULTI_SZ, Wide, (Count + 1) * sizeof(WCHAR));
}

static BOOL SetKey(const OPTIONS *Options)
{
    ULONG Mode = SYSTEMMODULES_MODE_TUTORIAL,
          Source = Options->Aux ? SYSTEMMODULES_SOURCE_AUX : SYSTEMMODULES_SOURCE_SYSTEM;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Key;
    NTSTATUS Status;

    InitString(&Name, KEY);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtOpenKey(&Key, KEY_SET_VALUE, &Attributes);
    if (Status < 0)
        return FALSE;
    Status = SetValue(Key, L"Mode", REG_DWORD, &Mode, sizeof(Mode));
    if (Status >= 0)
        Status = SetValue(Key, L"Source", REG_DWORD, &Source, sizeof(Source));
    if (Status >= 0)
        Status = SetNames(Key, Options);
    CloseHandle(Key);
    return Status >= 0;
}

/* ERROR_INVALID_PARAMETER is how STATUS_DEVICE_CONFIGURATION_ERROR looks from here: the driver has
 * done its work. */
static int Start(const CLIENT_SERVICE *Service)
{
    if (StartServiceA(Service->Service, 0, NULL)) {
        ClientFails("the driver stays loaded; it should not", 0);
        return EXIT_NO_LIST;
    }
    if (GetLastError() == ERROR_INVALID_PARAMETER) {
        printf("The driver has written its findings to the debug log, and is unloaded again.\n");
        return EXIT_FOUND;
    }
    ClientFails("the driver failed", GetLastError());
    return EXIT_NO_LIST;
}

int RunTutorial(const OPTIONS *Options)
{
    CLIENT_SERVICE Service;
    int Ended, Code = ClientServiceRegister(&Service, SYSTEMMODULES_SERVICE, "System modules",
                                            "systemmodules", Options->Driver);

    if (Code)
        return Code;
    if (!Service.Created) {
        ClientFails("the service is registered already: delete it first", 0);
        Code = CLIENT_NOT_REGISTERED;
    } else if (!SetKey(Options)) {
        ClientFails("cannot write the service's key", 0);
        Code = CLIENT_NOT_REGISTERED;
    } else {
        Code = Start(&Service);
    }
    Ended = ClientServiceEnd(&Service);
    return Code ? Code : Ended;
}
