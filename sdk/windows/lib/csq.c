/*
 * Cancel-safe queues with extended insertion, for Windows XP, whose kernel lacks them and for which
 * the WDK has csq.lib: the executive's own, which touches nothing but documented members.
 */
#include <ntifs.h>

#include <csq.h>

#define NT_CSQ_LIBRARY
#define IOP_CALL(Routine, ...) (Routine)(__VA_ARGS__)
#define VF_IRQL_MAX(Irql)

/* The headers say that they are imported. */
#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#include "../../../ntos/io/csq.c"
