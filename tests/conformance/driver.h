/* conformance: a driver that uses documented routines and reports what it sees. */
#ifndef CONFORMANCE_DRIVER_H
#define CONFORMANCE_DRIVER_H

#include <ntifs.h>

#include "public.h"

#define CONFORMANCE_TAG 'fnoC'

typedef struct _REPORT {
    PCHAR Text;
    ULONG Length, Size;
    PDEVICE_OBJECT Device;
    PUNICODE_STRING RegistryPath;
} REPORT;

VOID Say(REPORT *Report, PCSTR What, PCSTR Format, ...);
#define SAY_STATUS(Report, What, Status) Say(Report, What, "%08x", (ULONG)(Status))
#define SAY_NUMBER(Report, What, Number) Say(Report, What, "%d", (int)(Number))

#define CONFORMANCE_DECLARE(Name) VOID Test##Name(REPORT *Report);
CONFORMANCE_TOPICS(CONFORMANCE_DECLARE)

#endif
