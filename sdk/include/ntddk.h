// The DDK's ntddk.h with its privileged inline code turned into calls of the executive.
#pragma once

#ifndef _NTDDK_
#define _NTDDK_
#endif
#define KeGetPcr NtInlineKeGetPcr
#define KeGetCurrentProcessorNumber NtInlineKeGetCurrentProcessorNumber
#include_next <ntddk.h>
#undef KeGetPcr
#undef KeGetCurrentProcessorNumber

#include <nt_ddk.h>
