/* What the files of room vf share. */
#pragma once

#include "vf/vf.h"
#include <stdarg.h>

#define VF_FRAMES_MAX 48

/* One bug check on its way to the report. */
typedef struct VF_STOP {
    ULONG Code;
    ULONG_PTR Parameters[4];
    char Text[256];
    BOOLEAN HasRegisters; /* of a fault */
    struct host_registers Registers;
    void *Frames[VF_FRAMES_MAX];
    size_t FrameCount;
} VF_STOP;

KIRQL VfCurrentIrql(void);
_Noreturn void VfStop(ULONG Code, const ULONG_PTR *Parameters, const struct host_fault *Fault,
                      const char *Text);

/* What the documentation says of a code: the cause (may be "") and the meanings of its parameters.
 */
typedef struct VF_CODE_TEXT {
    USHORT Code;
    UCHAR Which; /* the parameter whose value selects the row, from 1; 0: any */
    USHORT Value;
    const char *Cause;
    const char *Meanings[4];
} VF_CODE_TEXT;
const VF_CODE_TEXT *VfBugCheckText(ULONG Code, const ULONG_PTR *Parameters);

void VfReport(const VF_STOP *Stop);
size_t VfTakeDetails(char *Text, size_t Size);
void VfRunBugCheckCallbacks(ULONG Code, void (*Put)(const char *Format, ...));
void VfForgetBugCheckCallbacks(void);
void VfReportTrace(void (*Put)(const char *Format, ...));
void VfReportLog(void (*Put)(const char *Format, ...));

/* An exception that no handler took is reported where it happened, although its frames are gone. */
void VfTellOrigin(VF_STOP *Stop, ULONG Code);
void VfUnhandledRecord(const EXCEPTION_RECORD *Record);
int VfPassOn(EXCEPTION_RECORD *Record);
void VfResetFaults(void);
void VfLogWrite(const void *Caller, const char *Text, size_t Length);
void VfResetLog(void);
void VfResetFilters(void);
void VfResetTrace(void);
void VfRefreshDebugger(void);
