/* Two processes: names, mappings, handles that are duplicated or inherited, exit codes. The program
 * is its own child. */
#include "tap.h"

#include <stdlib.h>

static char Program[1024];

static BOOL start(PROCESS_INFORMATION *Child, BOOL Inherit, const char *Words)
{
    char Line[2048];

    snprintf(Line, sizeof(Line), "\"%s\" %s", Program, Words);
    return CreateProcessA(NULL, Line, NULL, NULL, Inherit, 0, NULL, NULL, NULL, Child);
}

static DWORD finish(PROCESS_INFORMATION *Child)
{
    DWORD Code = 12345;

    WaitForSingleObject(Child->hProcess, INFINITE);
    GetExitCodeProcess(Child->hProcess, &Code);
    CloseHandle(Child->hProcess);
    CloseHandle(Child->hThread);
    return Code;
}

static void a_child_ends_with_its_code(void)
{
    PROCESS_INFORMATION Child;

    CHECK(start(&Child, FALSE, "return 3") && finish(&Child) == 3);
    CHECK(start(&Child, FALSE, "exit 4") && finish(&Child) == 4);
    CHECK(start(&Child, FALSE, "terminate 5") && finish(&Child) == 5);
}

static void a_child_that_waits_can_be_ended(void)
{
    PROCESS_INFORMATION Child;
    DWORD Code;

    CHECK(start(&Child, FALSE, "sleep") && GetExitCodeProcess(Child.hProcess, &Code) &&
          Code == STILL_ACTIVE);
    CHECK(GetProcessId(Child.hProcess) == Child.dwProcessId &&
          TerminateProcess(Child.hProcess, 9) && finish(&Child) == 9);
}

static void a_named_event_is_seen_by_both(void)
{
    HANDLE Event = CreateEventA(NULL, TRUE, FALSE, "win32-process-event");
    PROCESS_INFORMATION Child;

    CHECK(start(&Child, FALSE, "set win32-process-event") && finish(&Child) == 0);
    CHECK(WaitForSingleObject(Event, 0) == WAIT_OBJECT_0 && CloseHandle(Event));
}

static void a_mapping_is_shared_by_both(void)
{
    HANDLE Section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096,
                                        "win32-process-section");
    char *View = MapViewOfFile(Section, FILE_MAP_WRITE, 0, 0, 0);
    PROCESS_INFORMATION Child;

    CHECK(View);
    strcpy(View, "question");
    CHECK(start(&Child, FALSE, "map win32-process-section") && finish(&Child) == 0 &&
          !strcmp(View, "answer"));
    CHECK(UnmapViewOfFile(View) && CloseHandle(Section));
}

static void an_inheritable_handle_is_inherited_and_no_other(void)
{
    SECURITY_ATTRIBUTES Security = {sizeof(Security), NULL, TRUE};
    HANDLE Yes = CreateEventA(&Security, TRUE, FALSE, NULL),
           No = CreateEventA(NULL, TRUE, FALSE, NULL);
    PROCESS_INFORMATION Child;
    char Words[100];

    snprintf(Words, sizeof(Words), "handle %u", (unsigned)(ULONG_PTR)Yes);
    CHECK(start(&Child, TRUE, Words) && finish(&Child) == 0 &&
          WaitForSingleObject(Yes, 0) == WAIT_OBJECT_0);
    ResetEvent(Yes);
    CHECK(start(&Child, FALSE, Words) && finish(&Child) == ERROR_INVALID_HANDLE &&
          WaitForSingleObject(Yes, 0) == WAIT_TIMEOUT);
    snprintf(Words, sizeof(Words), "handle %u", (unsigned)(ULONG_PTR)No);
    CHECK(start(&Child, TRUE, Words) && finish(&Child) == ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(Yes) && CloseHandle(No));
}

static void a_handle_is_duplicated_into_another_process(void)
{
    HANDLE Mine = CreateEventA(NULL, TRUE, FALSE, NULL), Theirs, Back;
    PROCESS_INFORMATION Child;

    CHECK(start(&Child, FALSE, "sleep"));
    CHECK(DuplicateHandle(GetCurrentProcess(), Mine, Child.hProcess, &Theirs, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(DuplicateHandle(Child.hProcess, Theirs, GetCurrentProcess(), &Back, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(SetEvent(Back) && WaitForSingleObject(Mine, 0) == WAIT_OBJECT_0);
    TerminateProcess(Child.hProcess, 0);
    CHECK(finish(&Child) == 0 && CloseHandle(Mine) && CloseHandle(Back));
}

static void a_program_that_is_no_client_or_not_there_is_refused(void)
{
    PROCESS_INFORMATION Child;
    char No[] = "/nonexistent/program", True[] = "/bin/true";

    FAILS(CreateProcessA(NULL, No, NULL, NULL, FALSE, 0, NULL, NULL, NULL, &Child),
          ERROR_FILE_NOT_FOUND);
    FAILS(CreateProcessA(NULL, True, NULL, NULL, FALSE, 0, NULL, NULL, NULL, &Child),
          ERROR_BAD_EXE_FORMAT);
}

static int child(int Count, char **Words)
{
    HANDLE Handle;

    if (!strcmp(Words[1], "return"))
        return atoi(Words[2]);
    if (!strcmp(Words[1], "exit"))
        ExitProcess((UINT)atoi(Words[2]));
    if (!strcmp(Words[1], "terminate"))
        TerminateProcess(GetCurrentProcess(), (UINT)atoi(Words[2]));
    if (!strcmp(Words[1], "sleep"))
        Sleep(INFINITE);
    if (!strcmp(Words[1], "set")) {
        Handle = OpenEventA(EVENT_MODIFY_STATE, FALSE, Words[2]);
        return !(Handle && SetEvent(Handle));
    }
    if (!strcmp(Words[1], "handle"))
        return SetEvent((HANDLE)(ULONG_PTR)strtoul(Words[2], NULL, 10)) ? 0 : (int)GetLastError();
    if (!strcmp(Words[1], "map")) {
        char *View = MapViewOfFile(OpenFileMappingA(FILE_MAP_WRITE, FALSE, Words[2]),
                                   FILE_MAP_WRITE, 0, 0, 0);

        if (!View || strcmp(View, "question"))
            return 1;
        strcpy(View, "answer");
        return 0;
    }
    return Count;
}

int main(int Count, char **Words)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {
        TEST(a_child_ends_with_its_code),
        TEST(a_child_that_waits_can_be_ended),
        TEST(a_named_event_is_seen_by_both),
        TEST(a_mapping_is_shared_by_both),
        TEST(an_inheritable_handle_is_inherited_and_no_other),
        TEST(a_handle_is_duplicated_into_another_process),
        TEST(a_program_that_is_no_client_or_not_there_is_refused),
        {0}};

    if (Count > 1)
        return child(Count, Words);
    GetModuleFileNameA(NULL, Program, sizeof(Program));
    return tap_run(Tests);
}
