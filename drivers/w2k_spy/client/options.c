/* The command line of w2k_mem, one argument at a time. */
#include "mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char OptionsUsage[] =
    "usage: w2k_mem [--json] [--color=auto|always|never] { { [+options|-options] [/path] } "
    "[#[[0]x]size] [[0]x]base }\n\n"
    "Shows memory, from a base on, size bytes (256 until #size changes it; #0 sets a base without "
    "showing it).\n\n"
    "  address   z   count from zero            r   physical addresses\n"
    "  data      w   WORDs (16 bits)            d   DWORDs (32 bits)         q   QWORDs (64 bits)\n"
    "  base      t   an offset in the TEB       f   an offset in the processor control region\n"
    "            u   the pointer in the TEB     k   the pointer in the processor control region\n"
    "            h   a handle: its object       p   the pointer at the last base + offset\n"
    "            a   added to the last base     s   subtracted from it\n"
    "  system    o   operating system           c   processor                g   GDT      i   IDT\n"
    "            b   contiguous blocks of memory\n"
    "  modules   x   let the module of a /path run its start-up code\n\n"
    "+ switches on, - off; of address, data and base one letter at a time is on. Letter case does "
    "not matter.\n"
    "Numbers are decimal, or hexadecimal with x or 0x.\n\n"
    "  w2k_mem +o                          what system this is\n"
    "  w2k_mem +d #0x40 0x7FFE0000         the first 64 bytes of the page that the kernel shares\n"
    "  w2k_mem +b                          all of memory that is there\n\n"
    "Exit codes: 0 shown, 1 nothing was there, 2 usage, 3 the device failed, 20 no device, 21 its "
    "version,\n10 to 14 the service.\n";

/* "12", "x1F", "0x1F" */
static BOOL Number(const char *Text, ULONGLONG *Value)
{
    const char *Digits = Text;
    int Base = 10;
    char *End;

    if (Digits[0] == '0' && tolower((unsigned char)Digits[1]) == 'x')
        Digits++;
    if (tolower((unsigned char)*Digits) == 'x') {
        Digits++;
        Base = 16;
    }
    if (!isxdigit((unsigned char)*Digits))
        return FALSE;
    *Value = strtoull(Digits, &End, Base);
    return !*End && (*Value != ~0ULL || Base == 16);
}

static void SetAddress(MEM_OPTIONS *Options, MEM_ADDRESS Mode, BOOL On)
{
    if (On)
        Options->Address = Mode;
    else if (Options->Address == Mode)
        Options->Address = ADDRESS_LINEAR;
}

static void SetGroup(MEM_OPTIONS *Options, ULONG Group, BOOL On)
{
    if (On)
        Options->Group = Group;
    else if (Options->Group == Group)
        Options->Group = 1;
}

static void SetBase(MEM_OPTIONS *Options, MEM_BASE Mode, BOOL On)
{
    if (On)
        Options->Base = Mode;
    else if (Options->Base == Mode)
        Options->Base = BASE_PLAIN;
}

static BOOL Letter(MEM_OPTIONS *Options, char Letter, BOOL On)
{
    static const char Addresses[] = "zr", Groups[] = "wdq", Bases[] = "tfukhasp", Views[] = "ocgib";
    const char *At;

    if ((At = strchr(Addresses, Letter)) != NULL)
        SetAddress(Options, (MEM_ADDRESS)(ADDRESS_ZERO + (At - Addresses)), On);
    else if ((At = strchr(Groups, Letter)) != NULL)
        SetGroup(Options, 2u << (At - Groups), On);
    else if ((At = strchr(Bases, Letter)) != NULL)
        SetBase(Options, (MEM_BASE)(BASE_TEB + (At - Bases)), On);
    else if ((At = strchr(Views, Letter)) != NULL)
        Options->Views =
            On ? Options->Views | 1u << (At - Views) : Options->Views & ~(1u << (At - Views));
    else if (Letter == 'x')
        Options->Execute = On;
    else
        return FALSE;
    return TRUE;
}

static MEM_KIND Letters(const char *Text, MEM_OPTIONS *Options)
{
    BOOL On = *Text == '+';

    if (!Text[1])
        return ITEM_BAD;
    while (*++Text)
        if (!Letter(Options, (char)tolower((unsigned char)*Text), On))
            return ITEM_BAD;
    return ITEM_OPTIONS;
}

MEM_KIND OptionsTake(const char *Argument, MEM_OPTIONS *Options, ULONGLONG *Value)
{
    switch (*Argument) {
    case '+':
    case '-':
        return Letters(Argument, Options);
    case '/':
        return Argument[1] ? ITEM_PATH : ITEM_BAD;
    case '#':
        return Number(Argument + 1, &Options->Size) ? ITEM_SIZE : ITEM_BAD;
    default:
        return Number(Argument, Value) ? ITEM_BASE : ITEM_BAD;
    }
}
