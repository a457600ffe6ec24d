/* What needs no kernel: locks, thread-local storage, text, modules, surroundings, standard handles.
 */
#define USERNT_CLIENT 1
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

static CRITICAL_SECTION Section;
static SRWLOCK Slim = SRWLOCK_INIT;
static CONDITION_VARIABLE Turned = CONDITION_VARIABLE_INIT;
static int Counter, Turn;

static DWORD WINAPI count_up_in(LPVOID Section)
{
    for (int i = 0; i < 20000; i++) {
        EnterCriticalSection(Section);
        Counter++;
        LeaveCriticalSection(Section);
    }
    return 0;
}

static DWORD WINAPI count_up_slim(LPVOID Lock)
{
    for (int i = 0; i < 20000; i++) {
        AcquireSRWLockExclusive(Lock);
        Counter++;
        ReleaseSRWLockExclusive(Lock);
        AcquireSRWLockShared(Lock);
        ReleaseSRWLockShared(Lock);
    }
    return 0;
}

static BOOL run_four(LPTHREAD_START_ROUTINE Routine, LPVOID Argument)
{
    HANDLE Threads[4];

    Counter = 0;
    for (int i = 0; i < 4; i++)
        if (!(Threads[i] = CreateThread(NULL, 0, Routine, Argument, 0, NULL)))
            return FALSE;
    if (WaitForMultipleObjects(4, Threads, TRUE, INFINITE) != WAIT_OBJECT_0)
        return FALSE;
    for (int i = 0; i < 4; i++)
        CloseHandle(Threads[i]);
    return Counter == 80000;
}

static void a_critical_section_excludes(void)
{
    InitializeCriticalSection(&Section);
    EnterCriticalSection(&Section);
    CHECK(TryEnterCriticalSection(&Section));
    LeaveCriticalSection(&Section);
    LeaveCriticalSection(&Section);
    CHECK(run_four(count_up_in, &Section));
    DeleteCriticalSection(&Section);
}

static void a_slim_lock_excludes(void)
{
    CHECK(run_four(count_up_slim, &Slim));
    AcquireSRWLockShared(&Slim);
    CHECK(TryAcquireSRWLockShared(&Slim) && !TryAcquireSRWLockExclusive(&Slim));
    ReleaseSRWLockShared(&Slim);
    ReleaseSRWLockShared(&Slim);
    CHECK(TryAcquireSRWLockExclusive(&Slim) && !TryAcquireSRWLockShared(&Slim));
    ReleaseSRWLockExclusive(&Slim);
}

static DWORD WINAPI take_turns(LPVOID Mine)
{
    EnterCriticalSection(&Section);
    for (int i = 0; i < 500; i++) {
        while (Turn != (int)(ULONG_PTR)Mine)
            SleepConditionVariableCS(&Turned, &Section, INFINITE);
        Turn = !Turn;
        WakeAllConditionVariable(&Turned);
    }
    LeaveCriticalSection(&Section);
    return 0;
}

static void a_condition_variable_wakes_and_times_out(void)
{
    HANDLE Threads[2];

    InitializeCriticalSection(&Section);
    for (int i = 0; i < 2; i++)
        Threads[i] = CreateThread(NULL, 0, take_turns, (LPVOID)(ULONG_PTR)i, 0, NULL);
    CHECK(WaitForMultipleObjects(2, Threads, TRUE, INFINITE) == WAIT_OBJECT_0 &&
          CloseHandle(Threads[0]) && CloseHandle(Threads[1]));
    EnterCriticalSection(&Section);
    FAILS(SleepConditionVariableCS(&Turned, &Section, 1), ERROR_TIMEOUT);
    LeaveCriticalSection(&Section);
}

static BOOL CALLBACK once(PINIT_ONCE Once, PVOID Parameter, PVOID *Context)
{
    (void)Once;
    ++*(int *)Parameter;
    *Context = (PVOID)(ULONG_PTR)16;
    return *(int *)Parameter > 1;
}

static void what_is_initialized_once_is_tried_until_it_succeeds(void)
{
    INIT_ONCE Once = INIT_ONCE_STATIC_INIT;
    PVOID Context = NULL;
    int Count = 0;

    CHECK(!InitOnceExecuteOnce(&Once, once, &Count, &Context) &&
          InitOnceExecuteOnce(&Once, once, &Count, &Context));
    CHECK(InitOnceExecuteOnce(&Once, once, &Count, &Context) && Count == 2 &&
          Context == (PVOID)(ULONG_PTR)16);
}

static void a_slot_given_again_is_empty(void)
{
    DWORD Slot = TlsAlloc(), Again;

    CHECK(Slot != TLS_OUT_OF_INDEXES && TlsSetValue(Slot, &Slot) && TlsGetValue(Slot) == &Slot &&
          TlsFree(Slot));
    FAILS(TlsGetValue(Slot), ERROR_INVALID_PARAMETER);
    Again = TlsAlloc();
    CHECK(Again == Slot && TlsGetValue(Again) == NULL && TlsFree(Again));
}

static void text_is_converted_both_ways(void)
{
    WCHAR Wide[8];
    char Narrow[8];

    CHECK(MultiByteToWideChar(CP_UTF8, 0, "\xc3\xa4z", -1, NULL, 0) == 3 &&
          MultiByteToWideChar(CP_UTF8, 0, "\xc3\xa4z", -1, Wide, 8) == 3);
    CHECK(Wide[0] == 0xe4 && Wide[1] == 'z' &&
          WideCharToMultiByte(CP_UTF8, 0, Wide, -1, Narrow, 8, NULL, NULL) == 4);
    CHECK(!strcmp(Narrow, "\xc3\xa4z"));
    FAILS(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, Wide, 2), ERROR_INSUFFICIENT_BUFFER);
    FAILS(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "\xff", 1, Wide, 2),
          ERROR_NO_UNICODE_TRANSLATION);
    FAILS(MultiByteToWideChar(4711, 0, "a", 1, Wide, 2), ERROR_INVALID_PARAMETER);
}

static void strings_compare_and_change_case(void)
{
    char Text[8] = "aBc";

    CHECK(lstrlenA(NULL) == 0 && lstrlenW(L"abc") == 3 && lstrcmpiA("ABC", "abc") == 0 &&
          lstrcmpA("a", "b") < 0 && lstrcmpiW(L"\xe4", L"\xc4") == 0);
    CHECK(!strcmp(CharUpperA(Text), "ABC") && !strcmp(CharLowerA(Text), "abc") &&
          lstrcpynA(Text, "12345", 3) && !strcmp(Text, "12"));
}

static BOOL is_told_as(DWORD Error, const char *Expected)
{
    char Text[200] = "";
    DWORD Length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  Error, 0, Text, sizeof(Text), NULL);

    return Length == strlen(Text) && !strcmp(Text, Expected);
}

static void the_safe_scanner_knows_the_room(void)
{
    char Word[6], Letters[2];
    LONG Number = 0;
    long long Large = 0;
    int At = 0;

    CHECK(sscanf_s("12 -7 words ab", "%ld %I64d %5s %2c%n", &Number, &Large, Word, 6u, Letters, 2u,
                   &At) == 4);
    CHECK(Number == 12 && Large == -7 && !strcmp(Word, "words") && !memcmp(Letters, "ab", 2) &&
          At == 14);
    CHECK(sscanf_s("7 toolong", "%d %s", &At, Word, 6u) == 1 && At == 7 && !Word[0]);
    CHECK(sscanf_s("a=b", "%*[a-z]=%[a-z]", Word, 6u) == 1 && !strcmp(Word, "b"));
    CHECK(sscanf_s("", "%d", &At) == EOF && sscanf_s("x", "%d", &At) == 0);
}

static void text_is_copied_and_files_are_opened_safely(void)
{
    char *Narrow = _strdup("text");
    WCHAR *Wide = _wcsdup(L"text");
    FILE *File = NULL;

    CHECK(Narrow && !strcmp(Narrow, "text") && !_strdup(NULL));
    CHECK(Wide && !wcscmp(Wide, L"text") && !_wcsdup(NULL));
    free(Narrow);
    free(Wide);
    CHECK(fopen_s(&File, "/dev/null", "r") == 0 && File && fclose(File) == 0);
    CHECK(fopen_s(&File, "/nonesuch/file", "r") == ENOENT && !File);
    CHECK(fopen_s(NULL, "/dev/null", "r") == EINVAL);
    CHECK(wprintf(L"# %ls %d\n", L"wide", 5) == 9);
}

static void errors_are_told_in_sentences(void)
{
    char Text[8];

    CHECK(is_told_as(ERROR_SUCCESS, "The operation has completed successfully.\r\n"));
    CHECK(is_told_as(ERROR_ACCESS_DENIED, "Access is denied.\r\n"));
    CHECK(is_told_as(ERROR_GEN_FAILURE, "A device attached to the system is not functioning.\r\n"));
    CHECK(is_told_as(ERROR_NOACCESS, "Invalid access to memory location.\r\n"));
    CHECK(is_told_as(ERROR_SERVICE_MARKED_FOR_DELETE, "The service is marked for deletion.\r\n"));
    CHECK(is_told_as(0x80070005, "Access is denied.\r\n"));       /* an HRESULT made of an error */
    CHECK(is_told_as(ERROR_ARENA_TRASHED, "Arena trashed.\r\n")); /* none: its name */
    FAILS(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0x7fffffff, 0, Text, 8, NULL),
          ERROR_MR_MID_NOT_FOUND);
    FAILS(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_ACCESS_DENIED, 0, Text, 8, NULL),
          ERROR_INSUFFICIENT_BUFFER);
}

static void modules_and_their_routines_are_found(void)
{
    HMODULE Ntdll = GetModuleHandleA("ntdll.dll");
    char Path[512];

    CHECK(Ntdll && GetProcAddress(Ntdll, "NtClose") && GetProcAddress(Ntdll, "ZwClose") &&
          GetProcAddress(Ntdll, "RtlInitUnicodeString"));
    FAILS(GetProcAddress(Ntdll, "NoSuchRoutine"), ERROR_PROC_NOT_FOUND);
    CHECK(GetModuleHandleW(L"KERNEL32.DLL") &&
          GetProcAddress(GetModuleHandleW(L"kernel32"), "CreateFileA") && GetModuleHandleA(NULL));
    FAILS(GetModuleHandleA("nosuch.dll"), ERROR_MOD_NOT_FOUND);
    FAILS(LoadLibraryA("nosuch.dll"), ERROR_MOD_NOT_FOUND);
    CHECK(GetModuleFileNameA(NULL, Path, sizeof(Path)) == strlen(Path) &&
          strstr(Path, "test-local"));
    CHECK(GetModuleFileNameA(NULL, Path, 4) == 4 && GetLastError() == ERROR_INSUFFICIENT_BUFFER &&
          strlen(Path) == 3);
}

static void the_environment_is_read_and_changed(void)
{
    char Text[64];

    CHECK(SetEnvironmentVariableA("USERNT_TEST", "value") &&
          GetEnvironmentVariableA("USERNT_TEST", Text, sizeof(Text)) == 5);
    CHECK(!strcmp(Text, "value") && GetEnvironmentVariableA("USERNT_TEST", Text, 2) == 6);
    CHECK(ExpandEnvironmentStringsA("a%USERNT_TEST%b%no%", Text, sizeof(Text)) == 12 &&
          !strcmp(Text, "avalueb%no%"));
    CHECK(SetEnvironmentVariableA("USERNT_TEST", NULL));
    FAILS(GetEnvironmentVariableA("USERNT_TEST", Text, sizeof(Text)), ERROR_ENVVAR_NOT_FOUND);
    CHECK(strstr(GetCommandLineA(), "test-local"));
}

static void the_machine_describes_itself(void)
{
    OSVERSIONINFOA Version = {.dwOSVersionInfoSize = sizeof(Version)};
    char Name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD Size = sizeof(Name);
    SYSTEM_INFO Info;

    GetSystemInfo(&Info);
    CHECK(Info.dwPageSize == 4096 && Info.dwNumberOfProcessors &&
          Info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64);
    CHECK(GetVersionExA(&Version) && Version.dwMajorVersion == 10 &&
          GetComputerNameA(Name, &Size) && Size == strlen(Name));
    Size = 0;
    FAILS(GetComputerNameA(Name, &Size), ERROR_BUFFER_OVERFLOW);
}

static void standard_handles_are_linux_streams(void)
{
    HANDLE Out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD Done;

    CHECK(Out && Out != INVALID_HANDLE_VALUE && WriteFile(Out, "# written\n", 10, &Done, NULL) &&
          Done == 10);
    CHECK(WriteConsoleW(Out, L"# wide\n", 7, &Done, NULL) && Done == 7 &&
          GetFileType(Out) != FILE_TYPE_UNKNOWN);
    FAILS(GetStdHandle(5) == INVALID_HANDLE_VALUE ? 0 : 1, ERROR_INVALID_HANDLE);
}

static void times_convert_both_ways(void)
{
    SYSTEMTIME Time = {2024, 2, 4, 29, 23, 59, 58, 999}, Back;
    FILETIME File;

    CHECK(SystemTimeToFileTime(&Time, &File) && FileTimeToSystemTime(&File, &Back) &&
          !memcmp(&Time, &Back, sizeof(Time)));
    Time.wDay = 31;
    FAILS(SystemTimeToFileTime(&Time, &File), ERROR_INVALID_PARAMETER);
    GetSystemTime(&Back);
    CHECK(Back.wYear > 2000 && GetTickCount64() <= GetTickCount64());
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {
        TEST(a_critical_section_excludes),
        TEST(a_slim_lock_excludes),
        TEST(a_condition_variable_wakes_and_times_out),
        TEST(what_is_initialized_once_is_tried_until_it_succeeds),
        TEST(a_slot_given_again_is_empty),
        TEST(text_is_converted_both_ways),
        TEST(strings_compare_and_change_case),
        TEST(the_safe_scanner_knows_the_room),
        TEST(text_is_copied_and_files_are_opened_safely),
        TEST(errors_are_told_in_sentences),
        TEST(modules_and_their_routines_are_found),
        TEST(the_environment_is_read_and_changed),
        TEST(the_machine_describes_itself),
        TEST(standard_handles_are_linux_streams),
        TEST(times_convert_both_ways),
        {0}};
    return tap_run(Tests);
}
