/* Memory as rows of sixteen bytes. */
#include "mem.h"
#include <stdlib.h>
#include <string.h>

#define ROW 16
#define CHUNK 0x8000
#define DIGITS ((int)sizeof(PVOID) * 2)

static USHORT *Buffer(void)
{
    static union {
        SPY_MEMORY_DATA Data;
        char Bytes[SPY_MEMORY_DATA_HEAD + CHUNK * sizeof(USHORT)];
    } Block;

    return Block.Data.awData;
}

/* Size bytes at Base, at most a chunk. NULL: the device failed. */
static const USHORT *Fetch(DEVICE *Device, ULONGLONG Base, ULONG Size)
{
    SPY_MEMORY_BLOCK Block;
    USHORT *Data = Buffer();

    memset(&Block, 0, sizeof(Block));
    Block.pAddress = (PVOID)(ULONG_PTR)Base;
    Block.dBytes = Size;
    if (!DeviceAsk(Device, SPY_IO_MEMORY_DATA, &Block, sizeof(Block),
                   (char *)Data - SPY_MEMORY_DATA_HEAD,
                   SPY_MEMORY_DATA_HEAD + Size * (ULONG)sizeof(USHORT)))
        return NULL;
    return Data;
}

static ULONGLONG Physical(DEVICE *Device, ULONGLONG Address)
{
    PVOID Linear = (PVOID)(ULONG_PTR)Address;
    ULONGLONG Value = 0;

    DEVICE_ASK(Device, SPY_IO_PHYSICAL, &Linear, &Value);
    return Value;
}

static void PrintAddress(DEVICE *Device, const MEM_OPTIONS *Options, ULONGLONG Base, ULONGLONG At)
{
    static ULONGLONG Page, Frame;
    ULONGLONG Address = Base + At;

    if (Options->Address == ADDRESS_ZERO)
        Address = At;
    if (Options->Address == ADDRESS_PHYSICAL) {
        if (!At || Address >> 12 != Page) {
            Page = Address >> 12;
            Frame = Physical(Device, Page << 12);
        }
        if (!Frame) {
            fprintf(Output.File, "%*s", DIGITS, "-");
            return;
        }
        Address = Frame | (Address & 0xFFF);
    }
    fprintf(Output.File, "%0*llX", DIGITS, (unsigned long long)Address);
}

/* Groups are little-endian: the byte at the lowest address is the last one shown. */
static void PrintNumbers(const USHORT *Data, ULONG Count, ULONG Group)
{
    for (ULONG i = 0; i < ROW; i++) {
        ULONG At = i / Group * Group + Group - 1 - i % Group;

        if (i % Group == 0)
            fputs(i == ROW / 2 ? "  " : " ", Output.File);
        if (At < Count && (Data[At] & SPY_BYTE_VALID))
            fprintf(Output.File, "%02X", Data[At] & 0xFF);
        else
            fputs("  ", Output.File);
    }
}

static void PrintText(const USHORT *Data, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++) {
        UCHAR Byte = (UCHAR)Data[i];

        fputc(!(Data[i] & SPY_BYTE_VALID)   ? ' '
              : Byte >= 0x20 && Byte < 0x7F ? Byte
                                            : '.',
              Output.File);
    }
}

static void PrintRow(DEVICE *Device, const MEM_OPTIONS *Options, ULONGLONG Base, ULONGLONG At,
                     const USHORT *Data, ULONG Count)
{
    OutputInk(INK_ADDRESS);
    PrintAddress(Device, Options, Base, At);
    OutputInk(INK_PLAIN);
    fputs(" |", Output.File);
    PrintNumbers(Data, Count, Options->Group);
    fputs(" | ", Output.File);
    OutputInk(INK_TEXT);
    PrintText(Data, Count);
    OutputInk(INK_PLAIN);
    fputc('\n', Output.File);
}

static void PrintHeader(const MEM_OPTIONS *Options)
{
    ULONG Bar = (ULONG)DIGITS + 2, Columns = 0;

    OutputInk(INK_FAINT);
    fprintf(Output.File, "%-*s |", DIGITS,
            Options->Address == ADDRESS_PHYSICAL ? "physical" : "address");
    for (ULONG i = 0; i < ROW; i += Options->Group)
        Columns += (ULONG)fprintf(Output.File, "%s%0*X", i == ROW / 2 ? "  " : " ",
                                  (int)Options->Group * 2, (unsigned)i);
    fputs(" | text\n", Output.File);
    for (ULONG i = 0; i < Bar + Columns + 3 + ROW; i++)
        fputc(i == Bar - 1 || i == Bar + Columns + 1 ? '+' : '-', Output.File);
    fputc('\n', Output.File);
    OutputInk(INK_PLAIN);
}

static ULONGLONG CountValid(DEVICE *Device, ULONGLONG Base, ULONGLONG Size)
{
    ULONGLONG Valid = 0;

    for (ULONGLONG Done = 0; Done < Size; Done += CHUNK) {
        ULONG Count = (ULONG)(Size - Done < CHUNK ? Size - Done : CHUNK);
        const USHORT *Data = Fetch(Device, Base + Done, Count);

        for (ULONG i = 0; Data && i < Count; i++)
            Valid += Data[i] >> 8 & 1;
    }
    return Valid;
}

static void Rows(DEVICE *Device, const MEM_OPTIONS *Options, ULONGLONG Base, ULONGLONG Size)
{
    for (ULONGLONG Done = 0; Done < Size; Done += CHUNK) {
        ULONG Count = (ULONG)(Size - Done < CHUNK ? Size - Done : CHUNK);
        const USHORT *Data = Fetch(Device, Base + Done, Count);

        for (ULONG i = 0; Data && i < Count; i += ROW)
            PrintRow(Device, Options, Base, Done + i, Data + i, Count - i < ROW ? Count - i : ROW);
    }
}

/* "bytes": two digits a byte, ?? for what is not there. */
static void Json(DEVICE *Device, ULONGLONG Base, ULONGLONG Size, ULONGLONG Valid)
{
    char *Text = malloc((size_t)Size * 2 + 1), *At = Text;

    JsonOpen(NULL, '{');
    JsonNumber("base", Base);
    JsonNumber("physical", Physical(Device, Base));
    JsonNumber("size", Size);
    JsonNumber("valid", Valid);
    for (ULONGLONG Done = 0; Text && Done < Size; Done += CHUNK) {
        ULONG Count = (ULONG)(Size - Done < CHUNK ? Size - Done : CHUNK);
        const USHORT *Data = Fetch(Device, Base + Done, Count);

        for (ULONG i = 0; i < Count; i++, At += 2)
            if (Data && (Data[i] & SPY_BYTE_VALID))
                snprintf(At, 3, "%02x", Data[i] & 0xFF);
            else
                memcpy(At, "??", 3);
    }
    if (Text) {
        *At = 0;
        JsonText("bytes", Text);
    }
    free(Text);
    JsonClose('}');
}

ULONGLONG DumpMemory(DEVICE *Device, const MEM_OPTIONS *Options, ULONGLONG Base, ULONGLONG Size)
{
    ULONGLONG Valid = CountValid(Device, Base, Size);

    if (Output.Json) {
        Json(Device, Base, Size, Valid);
        return Valid;
    }
    OutputInk(INK_TITLE);
    fprintf(Output.File, "\n%0*llX..%0*llX: %llu valid byte%s\n\n", DIGITS,
            (unsigned long long)Base, DIGITS, (unsigned long long)(ULONG_PTR)(Base + Size - 1),
            (unsigned long long)Valid, Valid == 1 ? "" : "s");
    OutputInk(INK_PLAIN);
    PrintHeader(Options);
    Rows(Device, Options, Base, Size);
    return Valid;
}
