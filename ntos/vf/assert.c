/* Assertions of the executive itself. */
#include "vfp.h"

#include <string.h>

#define VF_ASSERTION_CODE 0xE2 /* MANUALLY_INITIATED_CRASH */

void VfAssertionFailed(const char *Expression, const char *File, int Line)
{
    const char *Slash = strrchr(File, '/');

    VfBugCheck(VF_ASSERTION_CODE, (ULONG_PTR)__builtin_return_address(0), (ULONG_PTR)Line, 0, 0,
               "assertion failed: %s (%s:%d)", Expression, Slash ? Slash + 1 : File, Line);
}
