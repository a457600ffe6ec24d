/* Messages for a debugger: they go to the kernel's debug log, beside the drivers' prints; without a
 * kernel to standard error. */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <stdlib.h>
#include <string.h>

NTSTATUS NTAPI NtDisplayString(PUNICODE_STRING);

/* A string of the kernel holds 32,767 characters at most: longer text goes in parts. */
void WINAPI OutputDebugStringW(LPCWSTR Text)
{
    while (Text && *Text) {
        size_t Length = wcsnlen(Text, 0x4000);
        UNICODE_STRING String = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)),
                                 (PWSTR)Text};
        char *Narrow;

        if (!STATUS_OK(NtDisplayString(&String))) {
            Narrow = BaseNarrow(Text);
            host_write_error(Narrow ? Narrow : "");
            free(Narrow);
            return;
        }
        Text += Length;
    }
}

void WINAPI OutputDebugStringA(LPCSTR Text)
{
    DWORD Error = GetLastError();
    PWSTR Wide = Text ? BaseWide(Text) : NULL;

    OutputDebugStringW(Wide);
    free(Wide);
    SetLastError(Error);
}

BOOL WINAPI IsDebuggerPresent(void)
{
    return host_is_traced();
}

void WINAPI DebugBreak(void)
{
    linux_trap();
}
