/*
 * sharing: the page that one open of the device shares with the process that opened it.
 *
 * Three callers meet at a SHARING: the request (in the owner), CLEANUP (in whichever process closes
 * the last handle) and the end of the owner. Each takes SHARING.Lock, and whoever ends the sharing
 * first leaves nothing for the others.
 *
 * Lock order: DEVICE.Lock > SHARING.Lock > CLOCK.Lock (a spin lock). CREATE and CLOSE hold
 * DEVICE.Lock only to link and unlink, and let go of a process after it, so that the end of a
 * process, which takes DEVICE.Lock, never waits for itself.
 */
#ifndef SHARING_H
#define SHARING_H

#include "../../common/driver.h"
#include "../public.h"

#define SHARING_TAG 'rahS'

/* The clock of the device: the page it writes to, if any. */
typedef struct _CLOCK {
    KSPIN_LOCK Lock;
    SHARED_CLOCK *Page; /* NULL: nobody listens */
} CLOCK;

typedef struct _SHARING {
    LIST_ENTRY Links; /* DEVICE.Sharings, from CREATE to CLOSE */
    FAST_MUTEX Lock;
    PEPROCESS Owner; /* who opened; referenced */
    PVOID Page;      /* one page of non-paged pool, NULL: nothing is shared */
    PMDL Mdl;
    PVOID UserAddress; /* in Owner */
    BOOLEAN Closing;
} SHARING;

/* The device is exclusive, so there is at most one SHARING that is not closing. */
typedef struct _DEVICE {
    CLOCK Clock;
    FAST_MUTEX Lock; /* Sharings */
    LIST_ENTRY Sharings;
} DEVICE;

/* ClockInitialize before IoInitializeTimer. ClockShow makes Page (or none) the one that is written;
 * after it returns the old one is not touched any more. IRQL <= DISPATCH_LEVEL. */
VOID ClockInitialize(CLOCK *Clock);
VOID ClockShow(CLOCK *Clock, SHARED_CLOCK *Page);
IO_TIMER_ROUTINE ClockTick;

/* PASSIVE_LEVEL, in the context of the process that opens. */
NTSTATUS SharingCreate(SHARING **Sharing);
/* In the caller's context. Asked again, it gives the same address. */
NTSTATUS SharingMap(SHARING *Sharing, PDEVICE_OBJECT Device, PVOID *UserAddress);
/* Ends the mapping in the owner's context, wherever the caller is. Idempotent; SharingMap fails
 * from then on. The owner's address space is still there: the device calls this at its end. */
VOID SharingEnd(SHARING *Sharing, PDEVICE_OBJECT Device);
/* After SharingEnd. */
VOID SharingDelete(SHARING *Sharing);

#endif
