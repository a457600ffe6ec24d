/*
 * SharingMemory: what the driver and its clients agree on.
 *
 * The driver gives each client one page of its own memory, read-only, and writes the local time
 * into it once a second.
 */
#ifndef SHARINGMEMORY_PUBLIC_H
#define SHARINGMEMORY_PUBLIC_H

#ifndef CTL_CODE
#include <winioctl.h>
#endif

#define SHARINGMEMORY_DEVICE L"\\Device\\SharingMemory"
#define SHARINGMEMORY_LINK L"\\DosDevices\\SharingMemory"
#define SHARINGMEMORY_SERVICE "SharingMemory"
#define SHARINGMEMORY_PATH "\\\\.\\SharingMemory"

/*
 * IOCTL_GIVE_ME_YOUR_MEMORY: maps the page into the calling process.
 *
 *   method, access   buffered, FILE_READ_ACCESS
 *   in               nothing
 *   out              the address of the page, a pointer of the calling process
 *
 *   STATUS_SUCCESS                 Information is the size of the pointer, which stays the same
 *   STATUS_BUFFER_TOO_SMALL        the output buffer cannot hold a pointer
 *   STATUS_ACCESS_DENIED           another process has made the handle, or for other than reading
 *   STATUS_INSUFFICIENT_RESOURCES  no memory for the page, its description or its mapping
 *   STATUS_INVALID_DEVICE_STATE    the handle is being closed
 *
 * Any other code: STATUS_INVALID_DEVICE_REQUEST. No failure changes what was shared before.
 */
#define IOCTL_GIVE_ME_YOUR_MEMORY                                                                  \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)

/*
 * The page. The writer makes Sequence odd, writes the time, and makes it even again; a reader that
 * finds the same even number before and after has read one time and not half of two. The rest of
 * the page is zero.
 */
typedef struct _SHARED_CLOCK {
    union {
        LONGLONG LocalTime; /* 100 ns since 1601, local: a FILETIME */
        struct {
            ULONG Low;
            LONG High;
        } Part;
    } Time;
    volatile ULONG Sequence;
} SHARED_CLOCK;
C_ASSERT(sizeof(SHARED_CLOCK) == 16);
C_ASSERT(IOCTL_GIVE_ME_YOUR_MEMORY == 0x00226000);

/* A whole time; it never waits long, for the writer is a few instructions. */
/* ThreadSanitizer cannot see that the sequence number makes up for reading while another writes. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
__attribute__((no_sanitize("thread")))
#endif
#endif
static __inline LONGLONG
SharedClockRead(const SHARED_CLOCK *Clock)
{
    const volatile SHARED_CLOCK *Page = Clock;
    ULONG Before, Low;
    LONG High;

    do {
        do
            Before = Page->Sequence;
        while (Before & 1);
        MemoryBarrier();
        Low = Page->Time.Part.Low;
        High = Page->Time.Part.High;
        MemoryBarrier();
    } while (Page->Sequence != Before);
    return (LONGLONG)(((ULONGLONG)(ULONG)High << 32) | Low);
}

#endif
