/*
 * The protocol engine: interprets a format. Text is copied; %x consumes the next value and prints
 * the letter x and what the value means; %% is one %.
 */
#include "protocol.h"

typedef struct _LINE {
    PROTOCOL *Protocol;
    const PROTOCOL_CALL *Call;
    ULONG At;                                    /* in the buffer */
    ULONG Next;                                  /* value */
    ULONG Recognised;                            /* escapes that consumed one */
    BOOLEAN HasHandle, Registered, First, Known; /* of the filter */
} LINE;

static VOID Put(LINE *Line, CHAR Letter)
{
    if (Line->At < PROTOCOL_LINE - 1)
        Line->Protocol->Line[Line->At++] = Letter;
}

static VOID PutText(LINE *Line, PCSTR Text)
{
    while (*Text)
        Put(Line, *Text++);
}

static VOID PutHex(LINE *Line, ULONGLONG Value)
{
    ULONG Shift = 60;

    while (Shift && !(Value >> Shift))
        Shift -= 4;
    for (;; Shift -= 4) {
        Put(Line, "0123456789ABCDEF"[Value >> Shift & 0xF]);
        if (!Shift)
            return;
    }
}

/* One line is one line: control characters are not copied. */
static VOID PutWide(LINE *Line, PCWSTR Text, ULONG Characters)
{
    ULONG i;

    for (i = 0; i < Characters && Text[i]; i++)
        Put(Line, Text[i] < 0x20 || Text[i] == 0x7F || Text[i] > 0xFF ? '?' : (CHAR)Text[i]);
}

static BOOLEAN Read(LINE *Line, PVOID To, ULONG_PTR From, ULONG Bytes)
{
    return From && Line->Protocol->Read(To, (PVOID)From, Bytes, Line->Call->User) == Bytes;
}

static VOID PutNarrow(LINE *Line, ULONG_PTR From)
{
    CHAR Letter;
    ULONG i;

    for (i = 0; i < PROTOCOL_TEXT && Read(Line, &Letter, From + i, 1) && Letter; i++)
        Put(Line, (UCHAR)Letter < 0x20 ? '?' : Letter);
}

static VOID PutWideAt(LINE *Line, ULONG_PTR From)
{
    WCHAR Letter;
    ULONG i;

    for (i = 0; i < PROTOCOL_TEXT && Read(Line, &Letter, From + i * 2, 2) && Letter; i++)
        PutWide(Line, &Letter, 1);
}

/* A UNICODE_STRING to Protocol->Name; NUL behind it. FALSE: it cannot be read. */
static BOOLEAN FetchString(LINE *Line, ULONG_PTR From)
{
    PROTOCOL *Protocol = Line->Protocol;
    UNICODE_STRING String;
    ULONG Characters;

    Protocol->Name[0] = 0;
    if (!Read(Line, &String, From, sizeof(String)))
        return FALSE;
    Characters = String.Length / sizeof(WCHAR);
    if (Characters > PROTOCOL_TEXT)
        Characters = PROTOCOL_TEXT;
    if (Characters &&
        !Read(Line, Protocol->Name, (ULONG_PTR)String.Buffer, Characters * (ULONG)sizeof(WCHAR)))
        Characters = 0;
    Protocol->Name[Characters] = 0;
    return Characters || !String.Length;
}

static BOOLEAN FetchObjectName(LINE *Line, ULONG_PTR From)
{
    OBJECT_ATTRIBUTES Attributes;

    Line->Protocol->Name[0] = 0;
    return Read(Line, &Attributes, From, sizeof(Attributes)) &&
           FetchString(Line, (ULONG_PTR)Attributes.ObjectName);
}

static VOID PutQuoted(LINE *Line, PCWSTR Text)
{
    Put(Line, '"');
    PutWide(Line, Text, PROTOCOL_TEXT);
    Put(Line, '"');
}

static VOID PutHandle(LINE *Line, HANDLE Handle)
{
    PutHex(Line, (ULONG_PTR)Line->Call->Process);
    Put(Line, '.');
    PutHex(Line, (ULONG_PTR)Handle);
}

static VOID NoteHandle(LINE *Line, BOOLEAN Known)
{
    if (!Line->HasHandle) {
        Line->HasHandle = Line->First = TRUE;
        Line->Known = Known;
    }
}

/* The name of a new handle: that of the object attributes that follow. Where they lie, the format
 * tells. */
static ULONG_PTR AttributesOf(const PROTOCOL_CALL *Call)
{
    ULONG Value = 0;
    PCSTR At;

    for (At = Call->Format; *At; At++) {
        if (*At != '%' || !At[1])
            continue;
        At++;
        if (*At == '%')
            continue;
        if (*At == 'o')
            return Value < Call->Parameters ? Call->Values[Value] : 0;
        Value++;
    }
    return 0;
}

static VOID NewHandle(LINE *Line, ULONG_PTR Where)
{
    NTSTATUS Status = (NTSTATUS)Line->Call->Values[0];
    HANDLE Handle = NULL;

    Line->HasHandle = TRUE;
    if (!NT_SUCCESS(Status) || !Read(Line, &Handle, Where, sizeof(Handle)))
        return;
    PutHandle(Line, Handle);
    FetchObjectName(Line, AttributesOf(Line->Call));
    if (RegistryAdd(Line->Protocol, Line->Call->Process, Handle, Line->Protocol->Name))
        Line->Registered = TRUE;
}

static VOID UsedHandle(LINE *Line, HANDLE Handle)
{
    ULONG Slot = RegistryFind(Line->Protocol, Line->Call->Process, Handle);

    NoteHandle(Line, Slot != 0);
    PutHandle(Line, Handle);
    if (!Slot)
        return;
    Put(Line, '=');
    PutQuoted(Line, RegistryName(Line->Protocol, Slot));
}

/* Its registration ended before the call; a call that failed brings it back. */
static VOID ClosedHandle(LINE *Line, HANDLE Handle)
{
    const PROTOCOL_CALL *Call = Line->Call;

    NoteHandle(Line, Call->Closed);
    PutHandle(Line, Handle);
    if (!Call->Closed)
        return;
    Put(Line, '=');
    PutQuoted(Line, Call->ClosedName);
    if (!NT_SUCCESS((NTSTATUS)Call->Values[0]))
        RegistryAdd(Line->Protocol, Call->Process, Handle, Call->ClosedName);
}

static VOID StatusBlock(LINE *Line, ULONG_PTR From)
{
    IO_STATUS_BLOCK Block;

    if (!Read(Line, &Block, From, sizeof(Block)))
        return;
    PutHex(Line, (ULONG)Block.Status);
    Put(Line, '.');
    PutHex(Line, Block.Information);
}

static VOID ClientId(LINE *Line, ULONG_PTR From)
{
    CLIENT_ID Id;

    if (!Read(Line, &Id, From, sizeof(Id)))
        return;
    PutHex(Line, (ULONG_PTR)Id.UniqueProcess);
    Put(Line, '.');
    PutHex(Line, (ULONG_PTR)Id.UniqueThread);
}

static VOID Pointed(LINE *Line, ULONG_PTR From, ULONG Bytes)
{
    ULONGLONG Value = 0;

    if (Read(Line, &Value, From, Bytes))
        PutHex(Line, Value);
}

/* FALSE: there is no such escape. */
static BOOLEAN Number(LINE *Line, CHAR Letter, ULONG_PTR Value)
{
    switch (Letter) {
    case 'b':
        PutText(Line, (UCHAR)Value ? "TRUE" : "FALSE");
        return TRUE;
    case 'n':
    case 's':
        PutHex(Line, (ULONG)Value);
        return TRUE;
    case 'p':
        if (Value)
            PutHex(Line, Value);
        return TRUE;
    case 'd':
        Pointed(Line, Value, sizeof(ULONG));
        return TRUE;
    case 'l':
        Pointed(Line, Value, sizeof(LARGE_INTEGER));
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN Text(LINE *Line, CHAR Letter, ULONG_PTR Value)
{
    switch (Letter) {
    case 'a':
        PutNarrow(Line, Value);
        return TRUE;
    case 'w':
        PutWideAt(Line, Value);
        return TRUE;
    case 'u':
        if (FetchString(Line, Value))
            PutQuoted(Line, Line->Protocol->Name);
        return TRUE;
    case 'o':
        if (FetchObjectName(Line, Value))
            PutQuoted(Line, Line->Protocol->Name);
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN Other(LINE *Line, CHAR Letter, ULONG_PTR Value)
{
    switch (Letter) {
    case 'i':
        StatusBlock(Line, Value);
        return TRUE;
    case 'c':
        ClientId(Line, Value);
        return TRUE;
    case '+':
        NewHandle(Line, Value);
        return TRUE;
    case '!':
        UsedHandle(Line, (HANDLE)Value);
        return TRUE;
    case '-':
        ClosedHandle(Line, (HANDLE)Value);
        return TRUE;
    default:
        return FALSE;
    }
}

static VOID Escape(LINE *Line, CHAR Letter)
{
    ULONG_PTR Value = Line->Next < Line->Call->Parameters ? Line->Call->Values[Line->Next] : 0;
    ULONG Before = Line->At;

    Put(Line, Letter);
    if (Number(Line, Letter, Value) || Text(Line, Letter, Value) || Other(Line, Letter, Value)) {
        Line->Next++;
        Line->Recognised++;
        return;
    }
    Line->At = Before;
    Put(Line, '%');
    Put(Line, Letter);
}

static VOID Interpret(LINE *Line)
{
    PCSTR At;

    for (At = Line->Call->Format; *At; At++)
        if (*At != '%')
            Put(Line, *At);
        else if (!At[1])
            return;
        else if (*++At == '%')
            Put(Line, '%');
        else
            Escape(Line, *At);
}

static BOOLEAN Passes(const LINE *Line)
{
    if (Line->Recognised != Line->Call->Parameters)
        return FALSE;
    return !Line->Call->Filter || !Line->HasHandle || Line->Registered || Line->Known;
}

/* A line that was too long keeps its end. */
static VOID Finish(LINE *Line)
{
    if (Line->At > PROTOCOL_LINE - 64)
        Line->At = PROTOCOL_LINE - 64;
    PutHex(Line, (ULONGLONG)Line->Protocol->Time());
    Put(Line, ',');
    PutHex(Line, (ULONG_PTR)Line->Call->Thread);
    Put(Line, ',');
    PutHex(Line, Line->Protocol->Data->sh.dHandles);
    Put(Line, '\n');
}

BOOLEAN ProtocolLog(PROTOCOL *Protocol, const PROTOCOL_CALL *Call)
{
    LINE Line;

    RtlZeroMemory(&Line, sizeof(Line));
    Line.Protocol = Protocol;
    Line.Call = Call;
    PutHex(&Line, Protocol->Data->sh.dCalls + 1);
    Put(&Line, ':');
    Interpret(&Line);
    if (!Passes(&Line))
        return FALSE;
    Finish(&Line);
    Protocol->Data->sh.dCalls++;
    RingWrite(Protocol->Data, Protocol->Line, Line.At);
    return TRUE;
}

BOOLEAN ProtocolClosing(PROTOCOL *Protocol, HANDLE Process, HANDLE Handle, PWCHAR Name)
{
    ULONG Slot = RegistryFind(Protocol, Process, Handle), i = 0;
    PCWSTR From;

    if (!Slot)
        return FALSE;
    From = RegistryName(Protocol, Slot);
    for (; i < PROTOCOL_TEXT && From[i]; i++)
        Name[i] = From[i];
    Name[i] = 0;
    RegistryRemove(Protocol, Slot);
    return TRUE;
}

BOOLEAN ProtocolMayKnow(const PROTOCOL *Protocol, HANDLE Process, HANDLE Handle)
{
    const volatile LONG *Known = &Protocol->Known[RegistryBucket(Process, Handle)];

#ifdef __GNUC__
    return __atomic_load_n(Known, __ATOMIC_RELAXED) != 0;
#else
    return ReadNoFence(Known) != 0;
#endif
}

VOID ProtocolReset(PROTOCOL *Protocol)
{
    SPY_HEADER *Header = &Protocol->Data->sh;
    ULONG i;

    Header->liStart.QuadPart = Protocol->Time();
    Header->dRead = Header->dWrite = Header->dCalls = Header->dHandles = Header->dName = 0;
    Header->dMisses = 0;
    for (i = 0; i < PROTOCOL_BUCKETS; i++)
        InterlockedExchange(&Protocol->Known[i], 0);
}
