/*
 * The poor man's pipe: what the driver and its clients agree on.
 *
 * Every name below the device is a pipe: \\.\Example\HELLO. Whoever opens the same name, in any
 * letter case, meets at the same pipe; what one writes another reads, as a stream of bytes. An open
 * without a name is just another name, the empty one. The pipe exists from the first open to the
 * last close.
 *
 * CREATE
 *
 *   STATUS_NAME_TOO_LONG     more than EXAMPLE_NAME_LIMIT characters, with the backslash in front
 *   STATUS_ACCESS_DENIED     the device's descriptor, or the pipe's restriction, denies it
 *   STATUS_QUOTA_EXCEEDED    this process has as many names, or bytes, as it may have
 *
 * WRITE copies as much as fits, READ copies what is there; the count is Information. The modes
 * below change that.
 *
 *   STATUS_UNSUCCESSFUL         (write) the pipe is full, or the length is 0
 *   STATUS_BUFFER_TOO_SMALL     (read) the pipe is empty, or the length is 0
 *   STATUS_PIPE_BUSY            (write) it is full, STATUS_PIPE_EMPTY (read) it is empty:
 *                               with EXAMPLE_CLEAR_STATUS
 *   STATUS_INVALID_BUFFER_SIZE  (write) a message that can never fit
 *   STATUS_BUFFER_OVERFLOW      (read) a part of a message; the rest is still there
 *   STATUS_PIPE_BROKEN          in a mode that waits: the readers (of a write), the writers (of a
 *                               read) have gone
 *   STATUS_CANCELLED            the request waited, and its wait was ended
 *   STATUS_QUOTA_EXCEEDED       no more memory for this process: for the ring, or for a request
 *                               that waits
 *   the exception's code        (neither variant) the address cannot be used. A fault moves nothing
 *
 * A handle opened for reading makes its holder a reader of the pipe, one for writing a writer; most
 * are both.
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
 * Four demonstrations of the ways to pass buffers. Access: read and write. In: a text that ends
 * with a NUL within the input length; it is logged. Out: a text that names the method, with its
 * NUL, and Information is its size.
 *
 *   STATUS_UNSUCCESSFUL       a buffer is missing, or the input has no NUL
 *   STATUS_BUFFER_TOO_SMALL   the output buffer is too small; Information is the size it needs
 *   the exception's code      (neither) an address cannot be used
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

/*
 * The following are buffered, and served for a handle that may read or write (DISCARD: write):
 *
 *   STATUS_ACCESS_DENIED      the handle may do neither
 *   STATUS_BUFFER_TOO_SMALL   less in, or less room out, than the structure has
 *   STATUS_FILE_CLOSED        the handle is being closed
 */

/* Any value of a mode, in SET_MODE: as it is. */
#define EXAMPLE_KEEP 0xFFFFFFFF
/* What a pipe does when a write does not fit ... */
#define EXAMPLE_FULL_DROP_NEW 0  /* takes what fits; fails if nothing does */
#define EXAMPLE_FULL_OVERWRITE 1 /* the oldest gives way (whole messages): all is taken */
#define EXAMPLE_FULL_WAIT 2      /* waits until all of it is taken; writers are served in order */
/* ... and when there is nothing to read. */
#define EXAMPLE_EMPTY_FAIL 0
#define EXAMPLE_EMPTY_WAIT 1 /* waits; readers are served in order */

/* Flags. Messages: each write is one (of EXAMPLE_MESSAGE_COST more bytes), each read takes one. A
 * read into a buffer that is too small gets what fits with STATUS_BUFFER_OVERFLOW, the next read
 * goes on in that message. A message that can never fit: STATUS_INVALID_BUFFER_SIZE. An empty
 * message is a message. */
#define EXAMPLE_MESSAGES 1
/* Full: STATUS_PIPE_BUSY, empty: STATUS_PIPE_EMPTY, length 0: STATUS_SUCCESS. */
#define EXAMPLE_CLEAR_STATUS 2
#define EXAMPLE_MESSAGE_COST 4

typedef struct _EXAMPLE_MODE {
    ULONG Capacity; /* bytes, at most EXAMPLE_CAPACITY_MOST. 0: as it is */
    ULONG WhenFull;
    ULONG WhenEmpty;
    ULONG Flags;
} EXAMPLE_MODE;

/*
 * In: EXAMPLE_MODE, for all handles of the pipe. What is in the pipe stays.
 *   STATUS_INVALID_PARAMETER      a value is not one of the above
 *   STATUS_BUFFER_TOO_SMALL       the pipe holds more than the new capacity
 *   STATUS_INVALID_DEVICE_STATE   a change that a waiting request stands against (WhenFull:
 *                                 writers, WhenEmpty: readers, Capacity and EXAMPLE_MESSAGES:
 *                                 both), or EXAMPLE_MESSAGES changes while the pipe is not empty
 *   STATUS_QUOTA_EXCEEDED         no room for the new ring in this process's quota,
 *   STATUS_INSUFFICIENT_RESOURCES or in the pool
 */
#define IOCTL_EXAMPLE_SET_MODE                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x810, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _EXAMPLE_STATE {
    EXAMPLE_MODE Mode;
    ULONG Used;    /* bytes in the pipe, the cost of messages included */
    ULONG Handles; /* opens of this pipe */
    ULONG Readers; /* of these: may read */
    ULONG Writers; /* may write */
    ULONG WaitingReaders;
    ULONG WaitingWriters;
    ULONG Watchers;      /* requests IOCTL_EXAMPLE_WAIT */
    ULONG Conditions;    /* as IOCTL_EXAMPLE_WAIT */
    ULONGLONG Dropped;   /* bytes that were overwritten or discarded */
    ULONGLONG Refused;   /* bytes that did not fit (EXAMPLE_FULL_DROP_NEW) */
    ULONGLONG BytesRead; /* through this handle */
    ULONGLONG BytesWritten;
} EXAMPLE_STATE;

/* Out: EXAMPLE_STATE. */
#define IOCTL_EXAMPLE_QUERY_STATE                                                                  \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x811, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* What is in the pipe is lost; waiting writers go on. Neither in nor out. */
#define IOCTL_EXAMPLE_DISCARD                                                                      \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x812, METHOD_BUFFERED, FILE_WRITE_ACCESS)

/* Who may open the pipe from now on: everyone whom the device lets in; its owner, who is the user
 * who opened it first; the owner and whoever has that SID, as user or as group. */
#define EXAMPLE_EVERYONE 0
#define EXAMPLE_OWNER 1
#define EXAMPLE_SID 2

typedef struct _EXAMPLE_RESTRICTION {
    ULONG Who;
    ULONG Reserved; /* 0 */
    /* EXAMPLE_SID: the SID follows */
} EXAMPLE_RESTRICTION;

/*
 * In: EXAMPLE_RESTRICTION.
 *   STATUS_INVALID_PARAMETER    a value is not one of the above
 *   STATUS_INVALID_SID          the SID is none, or not whole
 *   STATUS_ACCESS_DENIED        the caller is not the owner
 *   STATUS_SHARING_VIOLATION    another user than the owner has the pipe open
 */
#define IOCTL_EXAMPLE_RESTRICT                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x813, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* Conditions of a pipe. */
#define EXAMPLE_READABLE 1     /* a read gets something */
#define EXAMPLE_WRITABLE 2     /* a write of one byte succeeds */
#define EXAMPLE_DRAINED 4      /* there is nothing in it */
#define EXAMPLE_HAS_READERS 8  /* a handle is open for reading */
#define EXAMPLE_HAS_WRITERS 16 /* for writing */
#define EXAMPLE_NO_READERS 32  /* there have been some, and all have gone */
#define EXAMPLE_NO_WRITERS 64  /* likewise */
#define EXAMPLE_ANY_CONDITION 127

/*
 * Waits until one of these conditions holds. In: ULONG, conditions. Out: ULONG, all that hold then.
 *   STATUS_INVALID_PARAMETER   no condition, or one that is none of the above
 *   STATUS_QUOTA_EXCEEDED      too many requests of this process wait
 *   STATUS_CANCELLED           the wait was ended
 */
#define IOCTL_EXAMPLE_WAIT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x814, METHOD_BUFFERED, FILE_ANY_ACCESS)

C_ASSERT(IOCTL_EXAMPLE_DIRECT_IN == 0x0022E001);
C_ASSERT(IOCTL_EXAMPLE_DIRECT_OUT == 0x0022E006);
C_ASSERT(IOCTL_EXAMPLE_BUFFERED == 0x0022E008);
C_ASSERT(IOCTL_EXAMPLE_NEITHER == 0x0022E00F);
C_ASSERT(IOCTL_EXAMPLE_SET_MODE == 0x00222040);
C_ASSERT(IOCTL_EXAMPLE_QUERY_STATE == 0x00222044);
C_ASSERT(IOCTL_EXAMPLE_DISCARD == 0x0022A048);
C_ASSERT(IOCTL_EXAMPLE_RESTRICT == 0x0022204C);
C_ASSERT(IOCTL_EXAMPLE_WAIT == 0x00222050);
C_ASSERT(sizeof(EXAMPLE_MODE) == 16 && sizeof(EXAMPLE_STATE) == 80);

#endif
