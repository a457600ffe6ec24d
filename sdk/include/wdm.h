// The DDK's wdm.h with its privileged inline code turned into calls of the executive.
#pragma once

#include <sal.h>
#include <intrin.h>

#define KeGetCurrentIrql NtInlineKeGetCurrentIrql
#define KeLowerIrql NtInlineKeLowerIrql
#define KfRaiseIrql NtInlineKfRaiseIrql
#define KeRaiseIrqlToDpcLevel NtInlineKeRaiseIrqlToDpcLevel
#define KeRaiseIrqlToSynchLevel NtInlineKeRaiseIrqlToSynchLevel
#define KeGetCurrentThread NtInlineKeGetCurrentThread
#define InterlockedBitTestAndSet NtInlineInterlockedBitTestAndSet
#define InterlockedBitTestAndReset NtInlineInterlockedBitTestAndReset
#define KdDebuggerEnabled NtObjectKdDebuggerEnabled
#define KdDebuggerNotPresent NtObjectKdDebuggerNotPresent
// The structure is aligned as pool is: 336 bytes, not 328.
#define _DEVICE_OBJECT __attribute__((__aligned__(16))) _DEVICE_OBJECT
#include_next <wdm.h>
#undef _DEVICE_OBJECT
#undef KeGetCurrentIrql
#undef KeLowerIrql
#undef KfRaiseIrql
#undef KeRaiseIrqlToDpcLevel
#undef KeRaiseIrqlToSynchLevel
#undef KeGetCurrentThread
#undef KdDebuggerEnabled
#undef KdDebuggerNotPresent
#undef KD_DEBUGGER_ENABLED
#undef KD_DEBUGGER_NOT_PRESENT

#include <nt_crt.h>
#include <nt_wdm.h>
