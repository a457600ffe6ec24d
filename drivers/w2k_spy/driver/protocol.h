/*
 * protocol: lines about calls, from a format, the arguments and the result; the registry of
 * handles with their names; the ring of lines. A unit of its own: how memory is read and what time
 * it is, it is told. The caller holds a lock over each call but ProtocolMayKnow.
 */
#ifndef SPY_PROTOCOL_H
#define SPY_PROTOCOL_H

#include <ntifs.h>
#ifndef CTL_CODE
#include <winioctl.h>
#endif
#include "../public.h"

#define PROTOCOL_LINE 8192
#define PROTOCOL_TEXT SPY_NAME /* characters of one text */
#define PROTOCOL_BUCKETS 4096

typedef struct _PROTOCOL {
    SPY_PROTOCOL *Data;
    /* As SpyRead; User: the addresses are a client's. */
    SIZE_T (*Read)(PVOID To, const VOID *From, SIZE_T Bytes, BOOLEAN User);
    LONGLONG (*Time)(VOID);
    volatile LONG Known[PROTOCOL_BUCKETS]; /* handles in the registry, by their hash */
    CHAR Line[PROTOCOL_LINE];
    WCHAR Name[PROTOCOL_TEXT + 1];
} PROTOCOL;

typedef struct _PROTOCOL_CALL {
    PCSTR Format;
    ULONG Parameters;        /* the result included */
    const ULONG_PTR *Values; /* the result first */
    HANDLE Process, Thread;
    BOOLEAN User;
    BOOLEAN Filter;
    BOOLEAN Closed;    /* ClosedName was taken out of the registry before the call */
    PWCHAR ClosedName; /* ends with a NUL; of PROTOCOL_TEXT characters and that */
} PROTOCOL_CALL;

VOID ProtocolReset(PROTOCOL *Protocol);
/* Writes the line of a call, or not, as the filter wants. TRUE: it was written. */
BOOLEAN ProtocolLog(PROTOCOL *Protocol, const PROTOCOL_CALL *Call);
/* Before a call that closes Handle: takes it out of the registry. FALSE: it was not there. */
BOOLEAN ProtocolClosing(PROTOCOL *Protocol, HANDLE Process, HANDLE Handle, PWCHAR Name);
/* Without the lock. FALSE: the registry surely has no such handle. */
BOOLEAN ProtocolMayKnow(const PROTOCOL *Protocol, HANDLE Process, HANDLE Handle);

/* registry.c: slots count from 1; 0 is none. */
ULONG RegistryFind(const PROTOCOL *Protocol, HANDLE Process, HANDLE Handle);
ULONG RegistryAdd(PROTOCOL *Protocol, HANDLE Process, HANDLE Handle, PCWSTR Name);
VOID RegistryRemove(PROTOCOL *Protocol, ULONG Slot);
PCWSTR RegistryName(const PROTOCOL *Protocol, ULONG Slot);
ULONG RegistryBucket(HANDLE Process, HANDLE Handle);

/* ring.c */
VOID RingWrite(SPY_PROTOCOL *Data, const VOID *Bytes, ULONG Count);
/* A line without its newline, with a NUL; a longer line is cut. 0: no line is complete. */
ULONG RingReadLine(SPY_PROTOCOL *Data, CHAR *To, ULONG Size);
ULONG RingReadRaw(SPY_PROTOCOL *Data, CHAR *To, ULONG Size);
ULONG RingCount(const SPY_PROTOCOL *Data);

#endif
