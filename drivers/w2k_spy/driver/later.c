#include "spy.h"
BOOLEAN SpyCallAllowed;
#define LATER(f)                                                                                   \
    NTSTATUS f(SPY_REQUEST *R)                                                                     \
    {                                                                                              \
        UNREFERENCED_PARAMETER(R);                                                                 \
        return STATUS_NOT_IMPLEMENTED;                                                             \
    }
LATER(SpyModuleInfo)
LATER(SpyPeHeader)
LATER(SpyPeExport)
LATER(SpyPeSymbol)
LATER(SpyCall)
