/* pipeclient: what usedriver2 (writes) and usedriver3 (reads) have in common. */
#ifndef PIPECLIENT_H
#define PIPECLIENT_H

#include "../../common/client.h"
#include "../public.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_DEVICE = 20 };

#define PIPE_LINE 1024   /* the longest line, its NUL included */
#define PIPE_READ 256    /* bytes asked for at once, in a conversation */
#define PIPE_BLOCK 65536 /* in a stream */

typedef struct _PIPE_OPTIONS {
    const char *Name;   /* of the pipe; "" without one */
    const char *Device; /* Example, ExampleDirect, ExampleNeither */
    const char *Only;   /* who else may open it: "me", or a SID */
    BOOL Reads;         /* set by the reader: it has --once */
    BOOL Quiet, Once, Help;
    long Seconds; /* -1: without end */
} PIPE_OPTIONS;

/* FALSE: after a message and Usage. */
BOOL PipeParse(int Count, char **Arguments, const char *Usage, PIPE_OPTIONS *Options);
/* For reading, writing or both; requests may wait. With --only the pipe is restricted. NULL after a
 * message. */
HANDLE PipeOpenByName(const PIPE_OPTIONS *Options, DWORD Access);
BOOL PipeState(HANDLE Pipe, EXAMPLE_STATE *State);
/* EXAMPLE_KEEP: as it is. FALSE after a message. */
BOOL PipeSetPolicy(HANDLE Pipe, ULONG WhenFull, ULONG WhenEmpty);

/* The time that one request may wait. */
DWORD PipePatience(const PIPE_OPTIONS *Options);
/* One request, which is cancelled when the time is over; then FALSE with ERROR_OPERATION_ABORTED,
 * or what has gone by then. */
BOOL PipeRead(HANDLE Pipe, void *Data, DWORD Length, DWORD *Done, DWORD Milliseconds);
BOOL PipeWrite(HANDLE Pipe, const void *Data, DWORD Length, DWORD *Done, DWORD Milliseconds);
/* Waits for one of these conditions. Which hold; 0: none in time, or an error (the last error
 * tells). */
ULONG PipeAwait(HANDLE Pipe, ULONG Conditions, DWORD Milliseconds);

/* A write is refused because the pipe is full; a read because it is empty. */
BOOL PipeIsFull(DWORD Error);
BOOL PipeIsEmpty(DWORD Error);

/* Flushes standard output. EXIT_FAILED after a message, if not all of it went out; else Code. */
int PipeEndOutput(int Code);

/* progress.c: how far a long transfer is, on standard error if that is a terminal, not before a
 * second has passed. */
typedef struct _PIPE_PROGRESS {
    BOOL Wanted, Shown;
    ULONGLONG Start, Last, Bytes;
} PIPE_PROGRESS;
void ProgressBegin(PIPE_PROGRESS *Progress, BOOL OutputIsData);
void ProgressAdd(PIPE_PROGRESS *Progress, DWORD Bytes);
void ProgressEnd(PIPE_PROGRESS *Progress);

#endif
