/* pipeclient: what usedriver2 (writes) and usedriver3 (reads) have in common. */
#ifndef PIPECLIENT_H
#define PIPECLIENT_H

#include "../../common/client.h"
#include "../public.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_DEVICE = 20 };

#define PIPE_LINE 1024 /* the longest line, its NUL included */
#define PIPE_READ 256  /* bytes asked for at once */

typedef struct _PIPE_OPTIONS {
    const char *Name;   /* of the pipe; "" without one */
    const char *Device; /* Example, ExampleDirect, ExampleNeither */
    BOOL Quiet, Once;
    long Seconds;
} PIPE_OPTIONS;

/* FALSE: after a message and Usage. */
BOOL PipeParse(int Count, char **Arguments, const char *Usage, PIPE_OPTIONS *Options);
/* NULL after a message. */
HANDLE PipeOpenByName(const PIPE_OPTIONS *Options);
BOOL PipeState(HANDLE Pipe, EXAMPLE_STATE *State);

/* A write is refused because the pipe is full; a read because it is empty. */
BOOL PipeIsFull(DWORD Error);
BOOL PipeIsEmpty(DWORD Error);
#define PIPE_PAUSE 5 /* milliseconds between two tries */

#endif
