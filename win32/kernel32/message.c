/*
 * FormatMessage: system messages (the sentences of messages.txt; else an error's name in words)
 * and strings of the program's own, with inserts.
 *
 * Inserts are %1 to %99, each with an optional printf format between exclamation marks (!s! if
 * there is none); %% is a percent sign, %n a line break, %0 ends the text without one. Message
 * tables in modules do not exist here: FORMAT_MESSAGE_FROM_HMODULE fails with
 * ERROR_RESOURCE_TYPE_NOT_FOUND.
 */
#include "win32/kernel32/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct message {
    DWORD Number;
    const char *Text;
} Messages[] = {
#define MESSAGE(number, text) {number, text},
#include "messages.inc"
#undef MESSAGE
};

struct text { /* grows */
    char *Start;
    size_t Length, Room;
    int Failed;
};

static void put(struct text *Text, const char *From, size_t Count)
{
    if (Text->Length + Count + 1 > Text->Room) {
        size_t Room = (Text->Length + Count + 1) * 2;
        char *Larger = realloc(Text->Start, Room);

        if (!Larger) {
            Text->Failed = 1;
            return;
        }
        Text->Start = Larger;
        Text->Room = Room;
    }
    memcpy(Text->Start + Text->Length, From, Count);
    Text->Length += Count;
    Text->Start[Text->Length] = 0;
}

static int by_number(const void *Key, const void *Entry)
{
    DWORD A = *(const DWORD *)Key, B = ((const struct message *)Entry)->Number;

    return (A > B) - (A < B);
}

/* An NTSTATUS, or an HRESULT made of an error, is looked up as that error. */
static const char *system_message(DWORD Number)
{
    const struct message *Found;

    if ((Number & 0xffff0000) == 0x80070000)
        Number &= 0xffff;
    Found = bsearch(&Number, Messages, sizeof(Messages) / sizeof(Messages[0]), sizeof(Messages[0]),
                    by_number);
    return Found ? Found->Text : NULL;
}

/* The words that the inserts stand for: an array, or a va_list that is read once, up to the highest
 * insert. */
struct inserts {
    DWORD_PTR Value[99];
    int Count;
};

static int highest_insert(const char *Source)
{
    int Highest = 0;

    for (; *Source; Source++)
        if (*Source == '%' && *++Source >= '1' && *Source <= '9') {
            int Number = (int)strtol(Source, NULL, 10);

            if (Number <= 99 && Number > Highest)
                Highest = Number;
        } else if (!*Source) {
            break;
        }
    return Highest;
}

static void put_insert(struct text *Out, DWORD_PTR Value, const char *Format, size_t Length)
{
    char One[32], Result[1024];

    snprintf(One, sizeof(One), "%%%.*s", (int)Length, Format);
    put(Out, Result,
        (size_t)min(max(_snprintf(Result, sizeof(Result), One, Value), 0),
                    (int)sizeof(Result) - 1));
}

/* After the percent sign; returns where the text goes on, NULL at %0. */
static const char *escape(struct text *Out, const char *At, const struct inserts *Inserts)
{
    char *End;
    long Number;

    if (*At == '0')
        return NULL;
    if (*At < '1' || *At > '9') {
        put(Out,
            *At == 'n'   ? "\r\n"
            : *At == 't' ? "\t"
            : *At == 'r' ? "\r"
                         : At,
            *At == 'n' ? 2 : *At != 0);
        return *At ? At + 1 : At;
    }
    Number = strtol(At, &End, 10);
    if (!Inserts || Number > Inserts->Count) {
        put(Out, At - 1, (size_t)(End - At) + 1);
        return End;
    }
    if (*End == '!' && strchr(End + 1, '!')) {
        const char *Close = strchr(End + 1, '!');

        put_insert(Out, Inserts->Value[Number - 1], End + 1, (size_t)(Close - End) - 1);
        return Close + 1;
    }
    put_insert(Out, Inserts->Value[Number - 1], "s", 1);
    return End;
}

static void expand(struct text *Out, const char *Source, const struct inserts *Inserts,
                   BOOL OneLine)
{
    while (Source && *Source) {
        if (*Source == '%') {
            Source = escape(Out, Source + 1, Inserts);
        } else if (OneLine && (*Source == '\r' || *Source == '\n')) {
            put(Out, " ", 1);
            Source += Source[0] == '\r' && Source[1] == '\n' ? 2 : 1;
        } else {
            put(Out, Source++, 1);
        }
    }
}

static BOOL build(struct text *Out, DWORD Flags, LPCVOID Source, DWORD Id, va_list *Arguments)
{
    struct inserts Inserts = {.Count = 0};
    const char *Pattern = Source;

    if (Flags & FORMAT_MESSAGE_FROM_SYSTEM) {
        Pattern = system_message(Id);
        if (!Pattern) {
            SetLastError(ERROR_MR_MID_NOT_FOUND);
            return FALSE;
        }
    } else if (!(Flags & FORMAT_MESSAGE_FROM_STRING)) {
        SetLastError(Flags & FORMAT_MESSAGE_FROM_HMODULE ? ERROR_RESOURCE_TYPE_NOT_FOUND
                                                         : ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!(Flags & FORMAT_MESSAGE_IGNORE_INSERTS) && Arguments) {
        Inserts.Count = highest_insert(Pattern);
        for (int i = 0; i < Inserts.Count; i++)
            Inserts.Value[i] = Flags & FORMAT_MESSAGE_ARGUMENT_ARRAY
                                   ? ((DWORD_PTR *)Arguments)[i]
                                   : va_arg(*Arguments, DWORD_PTR);
    }
    if (Flags & FORMAT_MESSAGE_IGNORE_INSERTS)
        put(Out, Pattern, strlen(Pattern));
    else
        expand(Out, Pattern, &Inserts, (Flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) != 0);
    if ((Flags & FORMAT_MESSAGE_FROM_SYSTEM) && !(Flags & FORMAT_MESSAGE_MAX_WIDTH_MASK))
        put(Out, ".\r\n", 3);
    if (Out->Failed)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return !Out->Failed;
}

DWORD WINAPI FormatMessageA(DWORD Flags, LPCVOID Source, DWORD Id, DWORD Language, LPSTR Buffer,
                            DWORD Size, va_list *Arguments)
{
    struct text Out = {0};
    DWORD Length = 0;

    (void)Language;
    if (!build(&Out, Flags, Source, Id, Arguments))
        goto end;
    if (Flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) {
        *(char **)Buffer = Out.Start;
        return (DWORD)Out.Length;
    }
    if (Out.Length + 1 > Size) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        goto end;
    }
    if (Out.Start)
        memcpy(Buffer, Out.Start, Out.Length + 1);
    Length = (DWORD)Out.Length;
end:
    free(Out.Start);
    return Length;
}

DWORD WINAPI FormatMessageW(DWORD Flags, LPCVOID Source, DWORD Id, DWORD Language, LPWSTR Buffer,
                            DWORD Size, va_list *Arguments)
{
    char *Narrow = Flags & FORMAT_MESSAGE_FROM_STRING ? BaseNarrow(Source) : NULL, *Text = NULL;
    DWORD Length = FormatMessageA(Flags | FORMAT_MESSAGE_ALLOCATE_BUFFER, Narrow, Id, Language,
                                  (LPSTR)&Text, 0, Arguments);
    PWSTR Wide = Length ? BaseWide(Text) : NULL;

    free(Narrow);
    free(Text);
    if (!Wide)
        return 0;
    Length = (DWORD)wcslen(Wide);
    if (Flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) {
        *(LPWSTR *)Buffer = Wide;
        return Length;
    }
    if (Length + 1 > Size) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        Length = 0;
    } else {
        memcpy(Buffer, Wide, (Length + 1) * sizeof(WCHAR));
    }
    free(Wide);
    return Length;
}
