/*
 * What the files of ex share. Each file owns one noun and its part of the state; system.c starts
 * and stops them.
 */
#pragma once

#include "ex/ex.h"
#include "vf/bugcodes.h"

#define EXP_C4 DRIVER_VERIFIER_DETECTED_VIOLATION

VOID ExpInitializeResources(VOID);
VOID ExpShutdownResources(VOID);
VOID ExpInitializeLookasides(VOID);
VOID ExpShutdownLookasides(VOID);
VOID ExpInitializeHandleTables(VOID);
VOID ExpShutdownHandleTables(VOID);
VOID ExpInitializeTimeZone(VOID);
VOID ExpInitializeWorkQueues(VOID);
VOID ExpShutdownWorkQueues(VOID);

BOOLEAN ExpFindResource(ULONG_PTR Low, ULONG_PTR High, PVOID *Object);
BOOLEAN ExpFindLookaside(ULONG_PTR Low, ULONG_PTR High, PVOID *Object);
