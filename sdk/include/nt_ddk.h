// What the overlay adds to ntddk.h. ntddk.h includes this; a driver never does.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

PKPCR NTAPI KeGetPcr(VOID);
ULONG NTAPI KeGetCurrentProcessorNumber(VOID);

// The system range of this machine (docs/architecture.md) is not that of the DDK's constant.
#undef MM_LOWEST_SYSTEM_ADDRESS
#define MM_LOWEST_SYSTEM_ADDRESS MmSystemRangeStart

#ifdef __cplusplus
}
#endif
