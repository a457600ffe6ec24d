/*
 * Looks at the windows of the SharingMemory client, as a user would; runs under Wine. It writes
 * what is to be read there.
 *
 *   window clock             the dialog itself, its time from a page of this program
 *   window run COMMAND...    starts a program, reads its message box, presses OK, and writes its
 * exit code
 */
#include "../drivers/sharingmemory/client/client.h"
#include "../drivers/sharingmemory/client/window.h"
#include <stdio.h>
#include <string.h>

#define TICKS_A_SECOND 10000000LL

static SHARED_CLOCK Page; /* midnight of the first day */

/* Its dialog box, when it is to be seen. */
static HWND Find(DWORD Process)
{
    for (;;) {
        HWND Window = NULL;

        while ((Window = FindWindowExA(NULL, Window, "#32770", NULL))) {
            DWORD Owner = 0;

            GetWindowThreadProcessId(Window, &Owner);
            if (Owner == Process && IsWindowVisible(Window))
                return Window;
        }
        Sleep(20);
    }
}

static BOOL CALLBACK SayPart(HWND Part, LPARAM Unused)
{
    char Class[32] = "", Text[200] = "";

    (void)Unused;
    GetClassNameA(Part, Class, sizeof(Class));
    GetWindowTextA(Part, Text, sizeof(Text));
    if (*Text)
        printf("%s '%s'%s\n", Class, Text, IsWindowEnabled(Part) ? "" : ", disabled");
    return TRUE;
}

static void Say(HWND Window)
{
    char Text[64] = "";

    GetWindowTextA(Window, Text, sizeof(Text));
    printf("window '%s'\n", Text);
    EnumChildWindows(Window, SayPart, 0);
}

static int CALLBACK CountFont(const LOGFONTA *Font, const TEXTMETRICA *Metric, DWORD Type,
                              LPARAM Count)
{
    (void)Font, (void)Metric, (void)Type;
    ++*(int *)Count;
    return 1;
}

/* A Wine without a font library, or a machine without fonts: nothing is to be measured there. */
static BOOL HasFonts(void)
{
    HDC Context = GetDC(NULL);
    int Count = 0;

    EnumFontFamiliesA(Context, NULL, CountFont, (LPARAM)&Count);
    ReleaseDC(NULL, Context);
    return Count > 0;
}

/* The text must have room, or it would be wrapped and its end not be seen. */
static BOOL Fits(HWND Part)
{
    char Text[16] = "";
    SIZE Size = {0, 0};
    RECT Room;
    HDC Context = GetDC(Part);
    HGDIOBJ Before = SelectObject(Context, (HGDIOBJ)SendMessageA(Part, WM_GETFONT, 0, 0));

    GetWindowTextA(Part, Text, sizeof(Text));
    GetTextExtentPoint32A(Context, Text, (int)strlen(Text), &Size);
    GetClientRect(Part, &Room);
    SelectObject(Context, Before);
    ReleaseDC(Part, Context);
    return Size.cx > 0 && Size.cx <= Room.right && Size.cy <= Room.bottom;
}

static DWORD WINAPI Watch(LPVOID Unused)
{
    HWND Window = Find(GetCurrentProcessId());
    char Text[16];

    (void)Unused;
    Say(Window);
    printf("fits %d\nicons %d %d\n", !HasFonts() || Fits(GetDlgItem(Window, WINDOW_TIME)),
           SendMessageA(Window, WM_GETICON, ICON_BIG, 0) != 0,
           SendMessageA(Window, WM_GETICON, ICON_SMALL, 0) != 0);
    Page.Time.LocalTime = (23 * 3600 + 59 * 60 + 58) * TICKS_A_SECOND;
    do {
        Sleep(20);
        GetDlgItemTextA(Window, WINDOW_TIME, Text, sizeof(Text));
    } while (!strcmp(Text, "00:00:00"));
    Say(Window);
    PostMessageA(Window, WM_KEYDOWN, VK_ESCAPE, 0);
    return 0;
}

static int Clock(void)
{
    OPTIONS Options = {0};

    CloseHandle(CreateThread(NULL, 0, Watch, NULL, 0, NULL));
    return DisplayClock(&Page, &Options);
}

static int RunAndRead(int Count, char **Arguments)
{
    char Line[1024] = "";
    STARTUPINFOA Start = {.cb = sizeof(Start)};
    PROCESS_INFORMATION Process;
    DWORD Code = 0;
    HWND Window;

    for (int i = 0; i < Count; i++)
        snprintf(Line + strlen(Line), sizeof(Line) - strlen(Line), "%s%s", i ? " " : "",
                 Arguments[i]);
    if (!CreateProcessA(NULL, Line, NULL, NULL, FALSE, 0, NULL, NULL, &Start, &Process))
        return 1;
    Window = Find(Process.dwProcessId);
    Say(Window);
    PostMessageA(Window, WM_COMMAND, IDOK, 0);
    WaitForSingleObject(Process.hProcess, INFINITE);
    GetExitCodeProcess(Process.hProcess, &Code);
    printf("ended with %u\n", (unsigned)Code);
    return 0;
}

int main(int Count, char **Arguments)
{
    ClientName = "window";
    if (Count == 2 && !strcmp(Arguments[1], "clock"))
        printf("ended with %d\n", Clock());
    else if (Count > 2 && !strcmp(Arguments[1], "run"))
        return RunAndRead(Count - 2, Arguments + 2);
    else
        return 2;
    return 0;
}
