/* Names for what people read: reports, traces. */
#ifndef VF_NAMES_H
#define VF_NAMES_H

#include <ntifs.h>

PCSTR VfMajorName(UCHAR Major);      /* "IRP_MJ_CREATE"; NULL: there is no such function */
PCSTR VfStatusName(NTSTATUS Status); /* "STATUS_PENDING"; NULL: it is not documented */

#endif
