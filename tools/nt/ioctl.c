/* nt ioctl: one control request by hand. */
#include "tools/nt/nt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char Digit)
{
    const char *Digits = "0123456789abcdef";
    const char *At = Digit ? strchr(Digits, Digit | 0x20) : NULL;

    return At ? (int)(At - Digits) : -1;
}

/* "01 02ff" → bytes; -1: not hexadecimal. */
static long parse_hex(const char *Text, unsigned char *Bytes, size_t Room)
{
    size_t Count = 0;

    while (*Text) {
        if (*Text == ' ') {
            Text++;
            continue;
        }
        if (hex_digit(Text[0]) < 0 || hex_digit(Text[1]) < 0 || Count == Room)
            return -1;
        Bytes[Count++] = (unsigned char)(hex_digit(Text[0]) << 4 | hex_digit(Text[1]));
        Text += 2;
    }
    return (long)Count;
}

static void dump(const unsigned char *Bytes, size_t Count)
{
    for (size_t Row = 0; Row < Count; Row += 16) {
        printf("%08zx ", Row);
        for (size_t i = Row; i < Row + 16; i++)
            i < Count ? printf(" %02x", Bytes[i]) : printf("   ");
        printf("  ");
        for (size_t i = Row; i < Row + 16 && i < Count; i++)
            putchar(Bytes[i] >= ' ' && Bytes[i] <= '~' ? Bytes[i] : '.');
        putchar('\n');
    }
}

static HANDLE open_device(const char *Name)
{
    char Path[512];

    if (Name[0] == '\\')
        snprintf(Path, sizeof(Path), "%s", Name);
    else
        snprintf(Path, sizeof(Path), "\\\\.\\%s", Name);
    return CreateFileA(Path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

/* A name of the object manager is none of Win32. */
static void hint(const char *Name)
{
    if (!strncasecmp(Name, "\\Device\\", 8))
        fprintf(stderr,
                "nt ioctl: DEVICE is the name of a link in '\\GLOBAL?\?' (nt obj lists them), or "
                "'\\\\.\\GLOBALROOT%s'\n",
                Name);
}

/* --out BYTES, taken out of the arguments; 4096 if not given, -1 if it is no number. */
static long output_size(int *Count, char **Arguments)
{
    char *End;
    long Bytes = 4096;

    for (int i = 1; i + 1 < *Count; i++)
        if (!strcmp(Arguments[i], "--out")) {
            Bytes = strtol(Arguments[i + 1], &End, 0);
            if (*End || Bytes < 0 || Bytes > 1 << 26)
                return -1;
            memmove(&Arguments[i], &Arguments[i + 2],
                    (size_t)(*Count - i - 1) * sizeof(*Arguments));
            *Count -= 2;
        }
    return Bytes;
}

int verb_ioctl(const struct verb *Verb, int Count, char **Arguments)
{
    static unsigned char Input[1 << 16];
    long Room = output_size(&Count, Arguments), InputBytes = 0;
    unsigned char *Output;
    unsigned long Code;
    HANDLE Device;
    DWORD Done = 0;
    char *End;
    int Exit = EXIT_DONE;
    BOOL Fine;

    if (Count < 3 || Count > 4 || Room < 0)
        return usage(Verb);
    Code = strtoul(Arguments[2], &End, 0);
    if (Count == 4)
        InputBytes = parse_hex(Arguments[3], Input, sizeof(Input));
    if (*End || Code > MAXDWORD || InputBytes < 0)
        return usage(Verb);
    Device = open_device(Arguments[1]);
    if (Device == INVALID_HANDLE_VALUE) {
        Exit = fail(Verb->Name, Arguments[1]);
        hint(Arguments[1]);
        return Exit;
    }
    Output = calloc(1, (size_t)Room + 1);
    Fine = Output && DeviceIoControl(Device, (DWORD)Code, Input, (DWORD)InputBytes, Output,
                                     (DWORD)Room, &Done, NULL);
    if (Fine || GetLastError() == ERROR_MORE_DATA)
        dump(Output, Done);
    if (!Fine)
        Exit = fail(Verb->Name, Arguments[2]);
    free(Output);
    CloseHandle(Device);
    return Exit;
}
