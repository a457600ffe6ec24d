/* The registry, tokens and the configuration of services, against a kernel that has the driver
 * example loaded. */
#include "tap.h"
#include <winsvc.h>

#define ERROR_IS(call, error) CHECK((call) == (error))
#define TEST_KEY "Software\\UserNT\\Advapi test"

static void keys_are_created_opened_and_deleted(void)
{
    HKEY Key, Same, Child;
    DWORD Disposition = 0;

    ERROR_IS(RegOpenKeyExA(HKEY_LOCAL_MACHINE, TEST_KEY, 0, KEY_READ, &Key), ERROR_FILE_NOT_FOUND);
    ERROR_IS(RegCreateKeyExA(HKEY_LOCAL_MACHINE, TEST_KEY, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &Key,
                             &Disposition),
             ERROR_SUCCESS);
    CHECK(Disposition == REG_CREATED_NEW_KEY);
    ERROR_IS(
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"software\\usernt\\ADVAPI TEST", 0, KEY_READ, &Same),
        ERROR_SUCCESS);
    ERROR_IS(RegCreateKeyExW(Key, L"a\\b\\c", 0, NULL, REG_OPTION_VOLATILE, KEY_READ, NULL, &Child,
                             &Disposition),
             ERROR_SUCCESS);
    CHECK(RegCloseKey(Child) == 0 && RegCloseKey(Same) == 0 &&
          RegCloseKey(HKEY_LOCAL_MACHINE) == 0);
    ERROR_IS(RegCloseKey(Child), ERROR_INVALID_HANDLE);
    ERROR_IS(RegDeleteKeyA(Key, "a"), ERROR_ACCESS_DENIED);
    ERROR_IS(RegOpenKeyExA(Key, NULL, 0, KEY_READ, &Same), ERROR_SUCCESS);
    ERROR_IS(RegSetValueExA(Same, "x", 0, REG_DWORD, (const BYTE *)"1234", 4), ERROR_ACCESS_DENIED);
    CHECK(Same != Key && RegCloseKey(Same) == 0);
    CHECK(RegDeleteKeyA(Key, "a\\b\\c") == 0 && RegDeleteKeyW(Key, L"a\\b") == 0 &&
          RegDeleteKeyA(Key, "a") == 0);
    ERROR_IS(RegDeleteKeyA(Key, "a"), ERROR_FILE_NOT_FOUND);
    ERROR_IS(RegDeleteKeyA(Key, NULL), ERROR_INVALID_PARAMETER);
    ERROR_IS(RegCreateKeyExA(Key, NULL, 0, NULL, 0, KEY_READ, NULL, &Same, NULL), ERROR_BADKEY);
    CHECK(RegDeleteKeyA(HKEY_LOCAL_MACHINE, TEST_KEY) == 0 && RegCloseKey(Key) == 0);
}

static void values_are_set_read_and_listed(void)
{
    static const char Text[] = "gr\xc3\xbc\xc3\x9f"
                               "e";
    HKEY Key;
    BYTE Data[64];
    WCHAR Wide[32];
    char Name[32];
    DWORD Type, Size = sizeof(Data), Length = sizeof(Name), Number = 7;

    CHECK(RegCreateKeyExA(HKEY_CURRENT_USER, "Test", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &Key,
                          NULL) == 0);
    CHECK(RegSetValueExA(Key, "Text", 0, REG_SZ, (const BYTE *)Text, sizeof(Text)) == 0);
    CHECK(RegQueryValueExA(Key, "text", NULL, &Type, Data, &Size) == 0 && Type == REG_SZ &&
          Size == sizeof(Text) && !memcmp(Data, Text, Size));
    Size = sizeof(Wide);
    CHECK(RegQueryValueExW(Key, L"Text", NULL, &Type, (BYTE *)Wide, &Size) == 0 && Size == 12 &&
          Wide[2] == 0xfc && Wide[4] == 'e');
    Size = 3;
    ERROR_IS(RegQueryValueExA(Key, "Text", NULL, NULL, Data, &Size), ERROR_MORE_DATA);
    CHECK(Size == sizeof(Text));
    Size = 0;
    CHECK(RegQueryValueExA(Key, "Text", NULL, NULL, NULL, &Size) == 0 && Size == sizeof(Text));
    ERROR_IS(RegQueryValueExA(Key, "Text", NULL, NULL, Data, NULL), ERROR_INVALID_PARAMETER);
    ERROR_IS(RegQueryValueExA(Key, "None", NULL, NULL, NULL, NULL), ERROR_FILE_NOT_FOUND);
    CHECK(RegSetValueExW(Key, NULL, 0, REG_DWORD, (const BYTE *)&Number, sizeof(Number)) == 0);
    Size = sizeof(Data);
    CHECK(RegEnumValueA(Key, 0, Name, &Length, NULL, &Type, Data, &Size) == 0 && Length == 4 &&
          !strcmp(Name, "Text"));
    Length = 4;
    ERROR_IS(RegEnumValueA(Key, 0, Name, &Length, NULL, NULL, NULL, NULL), ERROR_MORE_DATA);
    Length = 32;
    CHECK(RegEnumValueW(Key, 1, Wide, &Length, NULL, &Type, NULL, NULL) == 0 && Length == 0 &&
          Type == REG_DWORD);
    ERROR_IS(RegEnumValueW(Key, 2, Wide, &Length, NULL, NULL, NULL, NULL), ERROR_NO_MORE_ITEMS);
    CHECK(RegDeleteValueA(Key, "Text") == 0 && RegDeleteValueW(Key, NULL) == 0);
    ERROR_IS(RegDeleteValueA(Key, "Text"), ERROR_FILE_NOT_FOUND);
    CHECK(RegDeleteKeyA(HKEY_CURRENT_USER, "Test") == 0 && RegCloseKey(Key) == 0);
}

static void keys_are_listed(void)
{
    char Name[16];
    WCHAR Wide[16];
    DWORD Length = 2, Index = 0;
    FILETIME Time;
    LSTATUS Error;

    ERROR_IS(RegEnumKeyExA(HKEY_LOCAL_MACHINE, 0, Name, &Length, NULL, NULL, NULL, NULL),
             ERROR_MORE_DATA);
    do {
        Length = sizeof(Name);
        Error = RegEnumKeyExA(HKEY_LOCAL_MACHINE, Index++, Name, &Length, NULL, NULL, NULL, &Time);
        CHECK(Error || Length == strlen(Name));
    } while (!Error && _stricmp(Name, "System"));
    CHECK(!Error);
    Length = 16;
    CHECK(RegEnumKeyExW(HKEY_LOCAL_MACHINE, Index - 1, Wide, &Length, NULL, NULL, NULL, NULL) ==
              0 &&
          Length == 6);
    ERROR_IS(RegEnumKeyExA(HKEY_LOCAL_MACHINE, 1000, Name, &Length, NULL, NULL, NULL, NULL),
             ERROR_NO_MORE_ITEMS);
}

static void a_token_tells_its_user_and_adjusts_its_privileges(void)
{
    SID_IDENTIFIER_AUTHORITY World = SECURITY_WORLD_SID_AUTHORITY;
    TOKEN_PRIVILEGES New = {1, {{{0, 0}, SE_PRIVILEGE_ENABLED}}};
    DWORD Buffer[100], Returned;
    PSID Everyone, Other;
    HANDLE Token;

    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES, &Token));
    FAILS(GetTokenInformation(Token, TokenUser, NULL, 0, &Returned), ERROR_INSUFFICIENT_BUFFER);
    CHECK(GetTokenInformation(Token, TokenUser, Buffer, sizeof(Buffer), &Returned) &&
          IsValidSid(((TOKEN_USER *)Buffer)->User.Sid));
    CHECK(AllocateAndInitializeSid(&World, 1, 0, 0, 0, 0, 0, 0, 0, 0, &Everyone) &&
          AllocateAndInitializeSid(&World, 1, 1, 0, 0, 0, 0, 0, 0, 0, &Other));
    CHECK(EqualSid(Everyone, Everyone) && !EqualSid(Everyone, Other) &&
          !EqualSid(Everyone, ((TOKEN_USER *)Buffer)->User.Sid));
    CHECK(!FreeSid(Everyone) && !FreeSid(Other));
    FAILS(AllocateAndInitializeSid(&World, 9, 0, 0, 0, 0, 0, 0, 0, 0, &Everyone),
          ERROR_INVALID_SID);
    CHECK(LookupPrivilegeValueA(NULL, "SeDebugPrivilege", &New.Privileges[0].Luid) &&
          New.Privileges[0].Luid.LowPart == 20);
    CHECK(LookupPrivilegeValueW(NULL, L"seloaddriverprivilege", &New.Privileges[0].Luid) &&
          New.Privileges[0].Luid.LowPart == 10);
    FAILS(LookupPrivilegeValueA(NULL, "SeNoPrivilege", &New.Privileges[0].Luid),
          ERROR_NO_SUCH_PRIVILEGE);
    CHECK(AdjustTokenPrivileges(Token, FALSE, &New, 0, NULL, NULL) &&
          GetLastError() == ERROR_SUCCESS);
    New.Privileges[0].Luid.LowPart = 1000;
    CHECK(AdjustTokenPrivileges(Token, FALSE, &New, 0, NULL, NULL) &&
          GetLastError() == ERROR_NOT_ALL_ASSIGNED);
    CHECK(CloseHandle(Token));
}

static void a_service_tells_its_configuration(void)
{
    union {
        QUERY_SERVICE_CONFIGA A;
        QUERY_SERVICE_CONFIGW W;
        BYTE Bytes[4096];
    } Config;
    SERVICE_STATUS_PROCESS Status;
    DWORD Needed;
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE Service = CreateServiceA(
        Manager, "advapitest", "Its name", SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
        SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, "nothing.so", NULL, NULL, NULL, NULL, NULL);

    CHECK(Manager && Service);
    FAILS(QueryServiceConfigA(Service, NULL, 0, &Needed), ERROR_INSUFFICIENT_BUFFER);
    CHECK(QueryServiceConfigA(Service, &Config.A, Needed, &Needed) &&
          !strcmp(Config.A.lpDisplayName, "Its name") &&
          !strcmp(Config.A.lpBinaryPathName, "nothing.so") &&
          Config.A.dwStartType == SERVICE_DEMAND_START);
    CHECK(ChangeServiceConfigA(Service, SERVICE_NO_CHANGE, SERVICE_DISABLED, SERVICE_NO_CHANGE,
                               NULL, NULL, NULL, NULL, NULL, NULL, "Another"));
    CHECK(QueryServiceConfigW(Service, &Config.W, sizeof(Config), &Needed) &&
          Config.W.dwStartType == SERVICE_DISABLED &&
          Config.W.dwServiceType == SERVICE_KERNEL_DRIVER && Config.W.lpDisplayName[0] == 'A');
    FAILS(ChangeServiceConfigW(Service, 99, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, NULL, NULL, NULL,
                               NULL, NULL, NULL, NULL),
          ERROR_INVALID_PARAMETER);
    FAILS(StartServiceA(Service, 0, NULL), ERROR_SERVICE_DISABLED);
    FAILS(QueryServiceStatusEx(Service, SC_STATUS_PROCESS_INFO, NULL, 0, &Needed),
          ERROR_INSUFFICIENT_BUFFER);
    CHECK(Needed == sizeof(Status) &&
          QueryServiceStatusEx(Service, SC_STATUS_PROCESS_INFO, (BYTE *)&Status, sizeof(Status),
                               &Needed) &&
          Status.dwCurrentState == SERVICE_STOPPED && Status.dwProcessId == 0);
    FAILS(QueryServiceStatusEx(Service, 5, (BYTE *)&Status, sizeof(Status), &Needed),
          ERROR_INVALID_LEVEL);
    CHECK(DeleteService(Service) && CloseServiceHandle(Service) && CloseServiceHandle(Manager));
}

static SC_HANDLE created_service(SC_HANDLE Manager)
{
    return CreateServiceA(Manager, "advapigone", NULL, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                          SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, "nothing.so", NULL, NULL,
                          NULL, NULL, NULL);
}

static void a_deleted_service_goes_with_its_last_handle(void)
{
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE First = created_service(Manager);
    SC_HANDLE Other = OpenServiceA(Manager, "ADVAPIGONE", SERVICE_ALL_ACCESS), Third;

    CHECK(Manager && First && Other);
    CHECK(DeleteService(First) && CloseServiceHandle(First));
    FAILS(StartServiceA(Other, 0, NULL), ERROR_SERVICE_MARKED_FOR_DELETE);
    FAILS(DeleteService(Other), ERROR_SERVICE_MARKED_FOR_DELETE);
    FAILS(ChangeServiceConfigA(Other, SERVICE_NO_CHANGE, SERVICE_DISABLED, SERVICE_NO_CHANGE, NULL,
                               NULL, NULL, NULL, NULL, NULL, NULL),
          ERROR_SERVICE_MARKED_FOR_DELETE);
    FAILS(created_service(Manager), ERROR_SERVICE_MARKED_FOR_DELETE);
    Third = OpenServiceA(Manager, "advapigone", SERVICE_QUERY_STATUS);
    CHECK(Third && CloseServiceHandle(Other));
    FAILS(created_service(Manager), ERROR_SERVICE_MARKED_FOR_DELETE);
    CHECK(CloseServiceHandle(Third));
    FAILS(OpenServiceA(Manager, "advapigone", SERVICE_QUERY_STATUS), ERROR_SERVICE_DOES_NOT_EXIST);
    First = created_service(Manager);
    CHECK(First && DeleteService(First) && CloseServiceHandle(First));
    CHECK(CloseServiceHandle(Manager));
}

static void services_are_listed(void)
{
    union {
        ENUM_SERVICE_STATUSA One[1];
        BYTE Bytes[8192];
    } List;
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ENUMERATE_SERVICE);
    DWORD Needed, Returned, Resume = 0, Found = 0;

    CHECK(Manager);
    FAILS(EnumServicesStatusA(Manager, SERVICE_DRIVER, SERVICE_ACTIVE, NULL, 0, &Needed, &Returned,
                              &Resume),
          ERROR_MORE_DATA);
    CHECK(Needed && !Returned && !Resume && Needed <= sizeof(List));
    CHECK(EnumServicesStatusA(Manager, SERVICE_DRIVER, SERVICE_ACTIVE, List.One, Needed + 8,
                              &Needed, &Returned, &Resume) &&
          !Needed);
    for (DWORD i = 0; i < Returned; i++)
        Found += !_stricmp(List.One[i].lpServiceName, "example") &&
                 List.One[i].ServiceStatus.dwCurrentState == SERVICE_RUNNING;
    CHECK(Found == 1);
    FAILS(EnumServicesStatusA(Manager, 0, SERVICE_ACTIVE, List.One, sizeof(List), &Needed,
                              &Returned, NULL),
          ERROR_INVALID_PARAMETER);
    CHECK(CloseServiceHandle(Manager));
}

static void services_are_listed_with_their_processes(void)
{
    union {
        ENUM_SERVICE_STATUS_PROCESSA One[1];
        BYTE Bytes[8192];
    } List;
    SC_HANDLE Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ENUMERATE_SERVICE);
    DWORD Needed, Returned, Resume = 0, Found = 0;

#define ENUMERATE(level, size, group)                                                              \
    EnumServicesStatusExA(Manager, level, SERVICE_DRIVER, SERVICE_ACTIVE, List.Bytes, size,        \
                          &Needed, &Returned, &Resume, group)
    FAILS(ENUMERATE(SC_ENUM_PROCESS_INFO, 8, NULL), ERROR_MORE_DATA);
    CHECK(Needed > sizeof(List.One[0]) && !Returned);
    CHECK(ENUMERATE(SC_ENUM_PROCESS_INFO, sizeof(List), ""));
    for (DWORD i = 0; i < Returned; i++)
        Found += !_stricmp(List.One[i].lpServiceName, "example") &&
                 List.One[i].ServiceStatusProcess.dwCurrentState == SERVICE_RUNNING &&
                 !List.One[i].ServiceStatusProcess.dwProcessId;
    CHECK(Found == 1);
    FAILS(ENUMERATE((SC_ENUM_TYPE)7, sizeof(List), NULL), ERROR_INVALID_LEVEL);
    FAILS(ENUMERATE(SC_ENUM_PROCESS_INFO, sizeof(List), "network"), ERROR_SERVICE_DOES_NOT_EXIST);
    CHECK(CloseServiceHandle(Manager));
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {TEST(keys_are_created_opened_and_deleted),
                                            TEST(values_are_set_read_and_listed),
                                            TEST(keys_are_listed),
                                            TEST(a_token_tells_its_user_and_adjusts_its_privileges),
                                            TEST(a_service_tells_its_configuration),
                                            TEST(a_deleted_service_goes_with_its_last_handle),
                                            TEST(services_are_listed),
                                            TEST(services_are_listed_with_their_processes),
                                            {0}};
    return tap_run(Tests);
}
