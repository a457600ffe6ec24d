/* Lines for people, JSON for programs. */
#include "mem.h"

OUTPUT Output;

void OutputInk(INK Ink)
{
    static const char *const Codes[] = {"\033[0m", "\033[1m", "\033[36m", "\033[32m", "\033[2m"};

    if (Output.Colour && !Output.Json)
        fputs(Codes[Ink], Output.File);
}

void OutputTitle(const char *Title)
{
    OutputInk(INK_TITLE);
    fprintf(Output.File, "\n%s\n", Title);
    OutputInk(INK_PLAIN);
}

static void Text(const char *Text)
{
    fputc('"', Output.File);
    for (; *Text; Text++)
        if (*Text == '"' || *Text == '\\')
            fprintf(Output.File, "\\%c", *Text);
        else if ((unsigned char)*Text < 0x20)
            fprintf(Output.File, "\\u%04x", (unsigned char)*Text);
        else
            fputc(*Text, Output.File);
    fputc('"', Output.File);
}

static void Member(const char *Name)
{
    if (!Output.First)
        fputs(Output.Depth > 2 ? ", " : ",", Output.File);
    Output.First = FALSE;
    if (Output.Depth <= 2)
        fprintf(Output.File, "\n%*s", (int)Output.Depth * 2, "");
    if (Name) {
        Text(Name);
        fputs(": ", Output.File);
    }
}

void JsonOpen(const char *Name, char Bracket)
{
    if (Output.Depth)
        Member(Name);
    fputc(Bracket, Output.File);
    Output.Depth++;
    Output.First = TRUE;
}

void JsonClose(char Bracket)
{
    Output.Depth--;
    if (!Output.First && Output.Depth < 2)
        fprintf(Output.File, "\n%*s", (int)Output.Depth * 2, "");
    fputc(Bracket, Output.File);
    if (!Output.Depth)
        fputc('\n', Output.File);
    Output.First = FALSE;
}

void JsonNumber(const char *Name, ULONGLONG Value)
{
    Member(Name);
    fprintf(Output.File, "%llu", (unsigned long long)Value);
}

void JsonText(const char *Name, const char *Value)
{
    Member(Name);
    Text(Value);
}

void OutputNumber(const char *Name, const char *Words, ULONGLONG Value, BOOL Hex)
{
    if (Output.Json)
        JsonNumber(Name, Value);
    else if (Hex)
        fprintf(Output.File, "  %-28s 0x%0*llX\n", Words, (int)sizeof(PVOID) * 2,
                (unsigned long long)Value);
    else
        fprintf(Output.File, "  %-28s %llu\n", Words, (unsigned long long)Value);
}
