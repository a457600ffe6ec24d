/* Messages and numbers. */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>

const char *ClientName = "client";

void ClientFails(const char *Text, DWORD Error)
{
    char Words[256];
    DWORD Length = 0;

    fflush(stdout);
    if (!Error) {
        fprintf(stderr, "%s: %s\n", ClientName, Text);
        return;
    }
    Length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, Error,
                            0, Words, sizeof(Words), NULL);
    while (Length &&
           (Words[Length - 1] == '\n' || Words[Length - 1] == '\r' || Words[Length - 1] == ' '))
        Length--;
    fprintf(stderr, "%s: %s: error %u%s%.*s\n", ClientName, Text, (unsigned)Error,
            Length ? ", " : "", (int)Length, Words);
}

ULONGLONG ClientMilliseconds(void)
{
    LARGE_INTEGER Counter, Frequency;

    QueryPerformanceCounter(&Counter);
    QueryPerformanceFrequency(&Frequency);
    return (ULONGLONG)(Counter.QuadPart / Frequency.QuadPart) * 1000 +
           (ULONGLONG)(Counter.QuadPart % Frequency.QuadPart) * 1000 / Frequency.QuadPart;
}

BOOL ClientNumber(const char *Text, long Low, long High, long *Number)
{
    char *End;

    *Number = strtol(Text, &End, 10);
    return End != Text && !*End && *Number >= Low && *Number <= High;
}
