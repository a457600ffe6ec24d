/* Keys by relative paths, for the Rtl routines. Each gives a referenced key object. */
#pragma once

#include "cm/cm.h"

NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, PVOID *Key);
NTSTATUS CmpOpenBelow(PVOID Key, PCWSTR Name, PVOID *Found);
NTSTATUS CmpReferenceKey(HANDLE Handle, PVOID *Key);
