/* The C run-time library that a client expects of Windows besides what libc has: memory from
 * malloc, the console, and the scanning routines that know the size of what they fill. */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a client's headers declare them. */
int vwprintf(const wchar_t *, va_list) NT_CRT(vwprintf);
int wprintf(const wchar_t *, ...) NT_CRT(wprintf);
errno_t fopen_s(FILE **, const char *, const char *);
int _kbhit(void), _getch(void), _putch(int);

char *_strdup(const char *Text)
{
    return Text ? strdup(Text) : NULL;
}

wchar_t *_wcsdup(const wchar_t *Text)
{
    size_t Bytes = Text ? (wcslen(Text) + 1) * sizeof(wchar_t) : 0;
    wchar_t *Copy = Text ? malloc(Bytes) : NULL;

    return Copy ? memcpy(Copy, Text, Bytes) : NULL;
}

errno_t fopen_s(FILE **File, const char *Name, const char *Mode)
{
    if (!File)
        return EINVAL;
    *File = Name && Mode ? fopen(Name, Mode) : NULL;
    if (*File)
        return 0;
    return Name && Mode ? errno : EINVAL;
}

/* ---- the console: the terminal hands over whole lines ---- */

int _kbhit(void)
{
    return linux_read_ready(0);
}

int _getch(void)
{
    fflush(stdout);
    return getchar();
}

int _putch(int Letter)
{
    return putchar(Letter);
}

int vwprintf(const wchar_t *Format, va_list List)
{
    va_list Again;
    int Length, Bytes;
    wchar_t *Wide;
    char *Narrow;

    va_copy(Again, List);
    Length = _vscwprintf(Format, Again);
    va_end(Again);
    Wide = Length < 0 ? NULL : malloc(((size_t)Length + 1) * sizeof(wchar_t));
    if (!Wide)
        return -1;
    _vsnwprintf(Wide, (size_t)Length + 1, Format, List);
    Narrow = BaseNarrow(Wide);
    Bytes = Narrow ? fputs(Narrow, stdout) : -1;
    free(Narrow);
    free(Wide);
    return Bytes < 0 ? -1 : Length;
}

int wprintf(const wchar_t *Format, ...)
{
    va_list List;
    int Length;

    va_start(List, Format);
    Length = vwprintf(Format, List);
    va_end(List);
    return Length;
}

/* ---- sscanf_s ---- */

struct conversion {
    BOOL Discard, Text; /* Text: the argument is followed by its size */
    int Width;          /* 0: none given */
    char Length[3], Kind[256];
};

static const char *read_set(const char *At, char *Kind)
{
    size_t Length = 1 + (At[1] == '^');

    Length += At[Length] == ']';
    while (At[Length] && At[Length] != ']')
        Length++;
    if (At[Length] != ']' || Length > 250)
        return NULL;
    memcpy(Kind, At, Length + 1);
    Kind[Length + 1] = 0;
    return At + Length + 1;
}

/* What stands behind a %. Microsoft's l has 32 bits for whole numbers, and I64 is ll. */
static const char *read_conversion(const char *At, struct conversion *Out)
{
    BOOL Long = FALSE;
    size_t Used = 0;

    memset(Out, 0, sizeof(*Out));
    Out->Discard = *At == '*';
    At += Out->Discard;
    for (; isdigit((unsigned char)*At); At++)
        Out->Width = Out->Width < 100000 ? Out->Width * 10 + *At - '0' : Out->Width;
    if (!strncmp(At, "I64", 3) || !strncmp(At, "I32", 3)) {
        strcpy(Out->Length, At[1] == '6' ? "ll" : "");
        At += 3;
    } else {
        for (; *At && strchr("hlLzjt", *At) && Used < 2; At++)
            Out->Length[Used++] = *At;
        Long = !strcmp(Out->Length, "l");
    }
    if (*At == '[') {
        At = read_set(At, Out->Kind);
    } else if (*At) {
        Out->Kind[0] = *At++;
    }
    if (!At || !Out->Kind[0])
        return NULL;
    if (Long && strchr("diouxXn", Out->Kind[0]))
        Out->Length[0] = 0;
    Out->Text = strchr("sc[", Out->Kind[0]) != NULL;
    return Out->Text && Out->Length[0] ? NULL : At; /* no wide text */
}

/* What does not fit is no match, and the caller makes the text an empty one. */
static BOOL fits(const struct conversion *How, int Used, const char *Text, unsigned Size)
{
    size_t Length = How->Kind[0] == 'c' ? (size_t)Used : strlen(Text) + 1;

    return Length <= Size;
}

static int scan_text(const char *Input, const char *Format, const struct conversion *How, int *Used,
                     char *Target, unsigned Size)
{
    char *Room = malloc(strlen(Input) + 2);
    int Got = Room ? sscanf(Input, Format, Room, Used) : EOF;

    if (Got == 1 && !fits(How, *Used, Room, Size)) {
        if (Size)
            *Target = 0;
        Got = 0;
    } else if (Got == 1) {
        memcpy(Target, Room, How->Kind[0] == 'c' ? (size_t)*Used : strlen(Room) + 1);
    }
    free(Room);
    return Got;
}

static int scan(const char *Input, const char *Format, va_list List)
{
    const char *Start = Input;
    int Count = 0;

    while (*Format) {
        struct conversion How;
        char One[300];
        int Used = 0, Got;

        if (isspace((unsigned char)*Format)) {
            Format++;
            Input += strspn(Input, " \t\r\n\v\f");
            continue;
        }
        if (*Format != '%' || Format[1] == '%') {
            Input += *Format == '%' ? strspn(Input, " \t\r\n\v\f") : 0;
            if (*Input != *Format)
                return *Input || Count ? Count : EOF;
            Format += *Format == '%' ? 2 : 1;
            Input++;
            continue;
        }
        Format = read_conversion(Format + 1, &How);
        if (!Format)
            return Count;
        if (How.Kind[0] == 'n') {
            *va_arg(List, int *) = (int)(Input - Start);
            continue;
        }
        if (How.Width)
            snprintf(One, sizeof(One), "%%%s%d%s%s%%n", How.Discard ? "*" : "", How.Width,
                     How.Length, How.Kind);
        else
            snprintf(One, sizeof(One), "%%%s%s%s%%n", How.Discard ? "*" : "", How.Length, How.Kind);
        if (How.Discard) {
            Got = sscanf(Input, One, &Used) == EOF ? EOF : Used > 0;
        } else if (How.Text) {
            char *Target = va_arg(List, char *);

            Got = scan_text(Input, One, &How, &Used, Target, va_arg(List, unsigned));
        } else {
            Got = sscanf(Input, One, va_arg(List, void *), &Used);
        }
        if (Got != 1)
            return Got == EOF && !Count ? EOF : Count;
        Count += !How.Discard;
        Input += Used;
    }
    return Count;
}

int sscanf_s(const char *Input, const char *Format, ...)
{
    va_list List;
    int Count;

    if (!Input || !Format)
        return EOF;
    va_start(List, Format);
    Count = scan(Input, Format, List);
    va_end(List);
    return Count;
}
