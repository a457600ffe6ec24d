/*
 * The poor man's pipe: what the driver and its clients agree on.
 *
 * Every name below the device is a pipe: \\.\Example\HELLO. Whoever opens the same name, in any
 * letter case, meets at the same pipe; what one writes another reads, as a stream of bytes. An open
 * without a name is just another name, the empty one. The pipe exists from the first open to the
 * last close.
 *
 * A name has at most EXAMPLE_NAME_LIMIT characters, the backslash in front included: else
 * STATUS_NAME_TOO_LONG.
 *
 * WRITE copies as much as fits.  STATUS_SUCCESS with the count, or STATUS_UNSUCCESSFUL: the pipe is
 * full, or the length is 0. READ copies what is there.     STATUS_SUCCESS with the count, or
 * STATUS_BUFFER_TOO_SMALL: it is empty, or the length is 0. An address that cannot be used (neither
 * variant): the exception's code. A fault moves nothing.
 */
#ifndef EXAMPLE_PUBLIC_H
#define EXAMPLE_PUBLIC_H

#ifndef CTL_CODE
#include <winioctl.h>
#endif

#define EXAMPLE_SERVICE "Example"
#define EXAMPLE_NAME_LIMIT 256
#define EXAMPLE_CAPACITY 1999 /* bytes that a new pipe holds */
#define EXAMPLE_CAPACITY_MOST 0x100000

/* How the driver gets at the clients' buffers. A choice of the build: example, example_direct,
 * example_neither. */
#define EXAMPLE_BUFFERED 1
#define EXAMPLE_DIRECT 2
#define EXAMPLE_NEITHER 3

/*
 * Four demonstrations of the ways to pass buffers. Input: a text that ends with a NUL within the
 * input length; it is logged. Output: a text that names the method, with its NUL, and Information
 * is its size.
 *
 *   STATUS_UNSUCCESSFUL       a buffer is missing, or the input has no NUL
 *   STATUS_BUFFER_TOO_SMALL   the output buffer is too small; Information is the size that is
 * needed the exception's code      (neither) an address cannot be used
 *
 * DIRECT_IN: the second buffer is for reading only, it carries data *to* the driver. So it is
 * checked as the others, and logged; nothing is written into it, and Information is 0.
 *
 * Any other code: STATUS_NOT_SUPPORTED.
 */
#define IOCTL_EXAMPLE_DIRECT_IN                                                                    \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_IN_DIRECT, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#define IOCTL_EXAMPLE_DIRECT_OUT                                                                   \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#define IOCTL_EXAMPLE_BUFFERED                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#define IOCTL_EXAMPLE_NEITHER                                                                      \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_NEITHER, FILE_READ_ACCESS | FILE_WRITE_ACCESS)

#define EXAMPLE_TEXT_DIRECT_IN "direct in"
#define EXAMPLE_TEXT_DIRECT_OUT "Answer by direct output"
#define EXAMPLE_TEXT_BUFFERED "Answer by buffered output"
#define EXAMPLE_TEXT_NEITHER "Answer by neither method"

/* What a pipe does when a write does not fit ... */
#define EXAMPLE_FULL_DROP_NEW 0  /* takes what fits; fails if nothing does */
#define EXAMPLE_FULL_OVERWRITE 1 /* the oldest gives way; a write always succeeds whole */
#define EXAMPLE_FULL_WAIT                                                                          \
    2 /* the request waits until all of it is taken; writers are served in order */
/* ... and when there is nothing to read. */
#define EXAMPLE_EMPTY_FAIL 0
#define EXAMPLE_EMPTY_WAIT 1 /* the request waits; readers are served in order */

#define EXAMPLE_MESSAGES                                                                           \
    1 /* each write is a message (of EXAMPLE_MESSAGE_COST more bytes), each read takes one */
#define EXAMPLE_CLEAR_STATUS                                                                       \
    2 /* full: STATUS_PIPE_BUSY, empty: STATUS_PIPE_EMPTY, length 0: STATUS_SUCCESS */
#define EXAMPLE_MESSAGE_COST 4

typedef struct _EXAMPLE_MODE {
    ULONG Capacity; /* bytes; 0: as it is. At most EXAMPLE_CAPACITY_MOST */
    ULONG WhenFull;
    ULONG WhenEmpty;
    ULONG Flags;
} EXAMPLE_MODE;

typedef struct _EXAMPLE_STATE {
    EXAMPLE_MODE Mode;
    ULONG Used;    /* bytes in the pipe, the cost of messages included */
    ULONG Handles; /* opens of this pipe */
    ULONG WaitingReaders;
    ULONG WaitingWriters;
    ULONGLONG BytesRead; /* through this handle */
    ULONGLONG BytesWritten;
} EXAMPLE_STATE;

/*
 * IOCTL_EXAMPLE_SET_MODE: EXAMPLE_MODE in. For all handles of the pipe.
 *   STATUS_INVALID_PARAMETER      a value is not one of the above
 *   STATUS_BUFFER_TOO_SMALL       no EXAMPLE_MODE, or the pipe holds more than the new capacity
 *   STATUS_INVALID_DEVICE_STATE   requests wait, or EXAMPLE_MESSAGES changes while the pipe is not
 * empty IOCTL_EXAMPLE_QUERY_STATE: EXAMPLE_STATE out. IOCTL_EXAMPLE_DISCARD: what is in the pipe is
 * lost; waiting writers go on.
 *
 * Messages: a read into a buffer that is too small gets what fits with STATUS_BUFFER_OVERFLOW
 * (ERROR_MORE_DATA), the next read goes on in that message. A message that cannot ever fit:
 * STATUS_INVALID_BUFFER_SIZE. An empty message is a message.
 */
#define IOCTL_EXAMPLE_SET_MODE                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x810, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#define IOCTL_EXAMPLE_QUERY_STATE                                                                  \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x811, METHOD_BUFFERED, FILE_READ_ACCESS)
#define IOCTL_EXAMPLE_DISCARD                                                                      \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x812, METHOD_BUFFERED, FILE_WRITE_ACCESS)

C_ASSERT(IOCTL_EXAMPLE_DIRECT_IN == 0x0022E001);
C_ASSERT(IOCTL_EXAMPLE_DIRECT_OUT == 0x0022E006);
C_ASSERT(IOCTL_EXAMPLE_BUFFERED == 0x0022E008);
C_ASSERT(IOCTL_EXAMPLE_NEITHER == 0x0022E00F);
C_ASSERT(sizeof(EXAMPLE_MODE) == 16 && sizeof(EXAMPLE_STATE) == 48);

#endif
