/* Messages and numbers. */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_LENGTH 512

const char *ClientName = "client";
void (*ClientShow)(const char *Message);

static void Say(const char *Message)
{
    fflush(stdout);
    if (ClientShow)
        ClientShow(Message);
    else
        fprintf(stderr, "%s: %s\n", ClientName, Message);
}

void ClientFails(const char *Text, DWORD Error)
{
    char Words[256], Message[MESSAGE_LENGTH];
    DWORD Length = 0;

    if (!Error) {
        Say(Text);
        return;
    }
    Length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, Error,
                            0, Words, sizeof(Words), NULL);
    while (Length &&
           (Words[Length - 1] == '\n' || Words[Length - 1] == '\r' || Words[Length - 1] == ' '))
        Length--;
    snprintf(Message, sizeof(Message), "%s: error %u%s%.*s", Text, (unsigned)Error,
             Length ? ", " : "", (int)Length, Words);
    Say(Message);
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
