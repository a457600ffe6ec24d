/*
 * sharing: the page that one open of the device shares with the process that opened it.
 *
 * Lock order: SHARING.Lock > CLOCK.Lock (a spin lock). A SHARING lives from CREATE to CLOSE.
 */
#ifndef SHARING_H
#define SHARING_H

#include <ntifs.h>
#include "../public.h"

#define SHARING_TAG 'rahS'

/* The clock of the device: the page it writes to, if any. */
typedef struct _CLOCK {
    KSPIN_LOCK Lock;
    SHARED_CLOCK *Page; /* NULL: nobody listens */
} CLOCK;

typedef struct _SHARING {
    FAST_MUTEX Lock;
    PEPROCESS Owner;    /* who opened; referenced */
    PVOID Page;         /* one page of non-paged pool, NULL: nothing is shared */
    PMDL Mdl;
    PVOID UserAddress;  /* in Owner */
    BOOLEAN Closing;
    LIST_ENTRY Links;   /* DEVICE.Sharings */
} SHARING;

typedef struct _DEVICE {
    CLOCK Clock;
    FAST_MUTEX Lock;      /* Sharings */
    LIST_ENTRY Sharings;
} DEVICE;

/* ClockInitialize before IoInitializeTimer. ClockShow makes Page (or none) the one that is written; after it returns the old one is not
 * touched any more. IRQL <= DISPATCH_LEVEL. */
VOID ClockInitialize(CLOCK *Clock);
VOID ClockShow(CLOCK *Clock, SHARED_CLOCK *Page);
IO_TIMER_ROUTINE ClockTick;

/* PASSIVE_LEVEL, in the context of the process that opens. */
NTSTATUS SharingCreate(SHARING **Sharing);
/* In the caller's context; SHARING.Lock is taken inside. */
NTSTATUS SharingMap(SHARING *Sharing, PDEVICE_OBJECT Device, PVOID *UserAddress);
/* Ends the mapping in the owner's context, wherever the caller is. Idempotent; SharingMap fails from then on. */
VOID SharingEnd(SHARING *Sharing, PDEVICE_OBJECT Device);
/* The owner ends: as SharingEnd, called in its context; the SHARING itself stays for the handles that others have. */
VOID SharingDelete(SHARING *Sharing);

#endif
