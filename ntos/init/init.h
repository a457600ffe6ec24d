/*
 * init, inside: starting and stopping the rooms in order.
 */
#ifndef INIT_H
#define INIT_H

#include "hal/hal.h"
#include "nt/nt.h"
#include <usernt.h>

/* Both are called by the Linux thread that boots. After InitStartRooms it is a thread of the System
 * process; after InitStopRooms it is none of the executive's. Drivers are unloaded in between by
 * LdrUnloadAll. */
/* Describes who may use the directories of the namespace. */
NTSTATUS InitProtectNamespace(void);
NTSTATUS InitStartRooms(const USERNT_OPTIONS *Options);
void InitStopRooms(void);

/* Tests: the room with this number (0: vf) fails instead of starting. MAXULONG: none. */
#define INIT_ROOMS 13
extern ULONG InitFailingRoom;

BOOLEAN InitIsUp(void); /* between UserNtBoot and UserNtShutdown */

/* The embedded process, or NULL in the kernel process. */
NTSTATUS InitEnterEmbedded(struct _EPROCESS **Process);
void InitLeaveEmbedded(struct _EPROCESS *Process);

#endif
