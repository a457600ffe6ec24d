#include "spy.h"
BOOLEAN SpyCallAllowed;
#define LATER(f)                                                                                   \
    NTSTATUS f(SPY_REQUEST *R)                                                                     \
    {                                                                                              \
        UNREFERENCED_PARAMETER(R);                                                                 \
        return STATUS_NOT_IMPLEMENTED;                                                             \
    }
LATER(SpyHookInfo)
LATER(SpyHookInstall)
LATER(SpyHookRemove)
LATER(SpyHookPause)
LATER(SpyHookFilter)
LATER(SpyHookReset)
LATER(SpyHookRead)
LATER(SpyHookWrite)
LATER(SpyModuleInfo)
LATER(SpyPeHeader)
LATER(SpyPeExport)
LATER(SpyPeSymbol)
LATER(SpyCall)
VOID SpyHooksInitialize(PDEVICE_OBJECT D)
{
    UNREFERENCED_PARAMETER(D);
}
VOID SpyHooksUnload(VOID)
{
}
