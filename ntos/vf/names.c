/* The names of major functions and of statuses. */
#include "vf/names.h"

static const char *const VfMajorNames[] = {
    "IRP_MJ_CREATE",
    "IRP_MJ_CREATE_NAMED_PIPE",
    "IRP_MJ_CLOSE",
    "IRP_MJ_READ",
    "IRP_MJ_WRITE",
    "IRP_MJ_QUERY_INFORMATION",
    "IRP_MJ_SET_INFORMATION",
    "IRP_MJ_QUERY_EA",
    "IRP_MJ_SET_EA",
    "IRP_MJ_FLUSH_BUFFERS",
    "IRP_MJ_QUERY_VOLUME_INFORMATION",
    "IRP_MJ_SET_VOLUME_INFORMATION",
    "IRP_MJ_DIRECTORY_CONTROL",
    "IRP_MJ_FILE_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CONTROL",
    "IRP_MJ_INTERNAL_DEVICE_CONTROL",
    "IRP_MJ_SHUTDOWN",
    "IRP_MJ_LOCK_CONTROL",
    "IRP_MJ_CLEANUP",
    "IRP_MJ_CREATE_MAILSLOT",
    "IRP_MJ_QUERY_SECURITY",
    "IRP_MJ_SET_SECURITY",
    "IRP_MJ_POWER",
    "IRP_MJ_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CHANGE",
    "IRP_MJ_QUERY_QUOTA",
    "IRP_MJ_SET_QUOTA",
    "IRP_MJ_PNP",
};

PCSTR VfMajorName(UCHAR Major)
{
    return Major < RTL_NUMBER_OF(VfMajorNames) ? VfMajorNames[Major] : NULL;
}

static const struct {
    ULONG Status;
    PCSTR Name;
} VfStatuses[] = {
#include "vf/statuses.inc"
};

PCSTR VfStatusName(NTSTATUS Status)
{
    SIZE_T Low = 0, High = RTL_NUMBER_OF(VfStatuses);

    while (Low < High) {
        SIZE_T Middle = (Low + High) / 2;

        if (VfStatuses[Middle].Status == (ULONG)Status)
            return VfStatuses[Middle].Name;
        if (VfStatuses[Middle].Status < (ULONG)Status)
            Low = Middle + 1;
        else
            High = Middle;
    }
    return NULL;
}
