/* The clock in a window: the dialog "Kernel Timer". */
#include "client.h"
#include "window.h"
#include <stdio.h>

#define TIMER 100
#define TIMER_MILLISECONDS 250 /* the driver writes once a second, at a moment of its own */

static HMODULE Module(void)
{
    return GetModuleHandleA(NULL);
}

static void Box(const char *Message)
{
    MessageBoxA(NULL, Message, "Kernel Timer", MB_OK | MB_ICONERROR);
}

/* The program belongs to the desktop: of the terminal that it was called from it has what was
 * redirected, and asks for the rest. */
static void UseConsole(void)
{
    HANDLE Output = GetStdHandle(STD_OUTPUT_HANDLE);

    if ((Output && Output != INVALID_HANDLE_VALUE) || !AttachConsole(ATTACH_PARENT_PROCESS))
        return;
    freopen("CONIN$", "r", stdin);
    freopen("CONOUT$", "w", stdout);
    freopen("CONOUT$", "w", stderr);
}

/* Called first without options, so that what is wrong with them can be said in the terminal. */
void DisplayPrepare(const OPTIONS *Options)
{
    static BOOL Asked;

    if (!Asked)
        UseConsole();
    else
        ClientShow = Options->Console ? NULL : Box;
    Asked = TRUE;
}

static void Update(HWND Dialog, const SHARED_CLOCK *Clock)
{
    TIME_OF_DAY Time = TimeOfDay(SharedClockRead(Clock));
    char New[16], Old[16] = "";

    snprintf(New, sizeof(New), "%02u:%02u:%02u", Time.Hour, Time.Minute, Time.Second);
    GetDlgItemTextA(Dialog, WINDOW_TIME, Old, sizeof(Old));
    if (lstrcmpA(New, Old))
        SetDlgItemTextA(Dialog, WINDOW_TIME, New);
}

/* Of the two that the file holds; it goes with the process. */
static void SetIcon(HWND Dialog, WPARAM Which, int Size)
{
    HANDLE Icon = LoadImageA(Module(), MAKEINTRESOURCEA(WINDOW_ICON), IMAGE_ICON, Size, Size,
                             LR_DEFAULTCOLOR);

    SendMessageA(Dialog, WM_SETICON, Which, (LPARAM)Icon);
}

static void Begin(HWND Dialog, LPARAM Clock)
{
    SetWindowLongPtrA(Dialog, GWLP_USERDATA, Clock);
    SetIcon(Dialog, ICON_BIG, GetSystemMetrics(SM_CXICON));
    SetIcon(Dialog, ICON_SMALL, GetSystemMetrics(SM_CXSMICON));
    Update(Dialog, (const SHARED_CLOCK *)Clock);
    SetTimer(Dialog, TIMER, TIMER_MILLISECONDS, NULL);
}

static INT_PTR CALLBACK OnMessage(HWND Dialog, UINT Message, WPARAM Which, LPARAM Argument)
{
    if (Message == WM_INITDIALOG) {
        Begin(Dialog, Argument);
    } else if (Message == WM_TIMER) {
        Update(Dialog, (const SHARED_CLOCK *)GetWindowLongPtrA(Dialog, GWLP_USERDATA));
    } else if (Message == WM_COMMAND && LOWORD(Which) == IDCANCEL) { /* Esc, too */
        KillTimer(Dialog, TIMER);
        EndDialog(Dialog, EXIT_DONE);
    } else {
        return FALSE;
    }
    return TRUE;
}

int DisplayClock(const SHARED_CLOCK *Clock, const OPTIONS *Options)
{
    INT_PTR Code;

    if (Options->Console)
        return DisplayRun(Clock);
    Code =
        DialogBoxParamA(Module(), MAKEINTRESOURCEA(WINDOW_DIALOG), NULL, OnMessage, (LPARAM)Clock);
    if (Code != -1)
        return (int)Code;
    ClientFails("cannot show a window", GetLastError());
    return EXIT_NO_WINDOW;
}
