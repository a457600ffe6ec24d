// User-mode accessors: documented, safe access to user memory. Each raises an exception when an
// address is not user memory or cannot be touched; call them inside __try, at IRQL <= APC_LEVEL.
//
// The executive exports the copying, filling, measuring and interlocked primitives; the hundred
// typed forms are made of them here. A Mode parameter of KernelMode means plain memory.
#pragma once
#include <ntddk.h>

#ifdef __cplusplus
extern "C" {
#endif

// A copy of 1, 2, 4 or 8 bytes at an aligned address is a single access.
VOID NTAPI CopyFromUser(VOID *Destination, const volatile VOID *Source, SIZE_T Length);
VOID NTAPI CopyToUser(volatile VOID *Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI CopyToUserFromUser(volatile VOID *Destination, const volatile VOID *Source,
                              SIZE_T Length);
VOID NTAPI MoveToUserFromUser(volatile VOID *Destination, const volatile VOID *Source,
                              SIZE_T Length);
VOID NTAPI FillUserMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill);
SIZE_T NTAPI StringLengthFromUser(const volatile CHAR *String);
SIZE_T NTAPI WideStringLengthFromUser(const volatile WCHAR *String);
LONG NTAPI InterlockedCompareExchangeToUser(LONG volatile *Destination, LONG ExChange,
                                            LONG Comperand);
LONG64 NTAPI InterlockedCompareExchange64ToUser(LONG64 volatile *Destination, LONG64 ExChange,
                                                LONG64 Comperand);
LONG NTAPI InterlockedAndToUser(LONG volatile *Destination, LONG Value);
LONG64 NTAPI InterlockedAnd64ToUser(LONG64 volatile *Destination, LONG64 Value);
LONG NTAPI InterlockedOrToUser(LONG volatile *Destination, LONG Value);
LONG64 NTAPI InterlockedOr64ToUser(LONG64 volatile *Destination, LONG64 Value);

// Copies by mode
static inline VOID CopyFromMode(VOID *Destination, const volatile VOID *Source, SIZE_T Length,
                                KPROCESSOR_MODE Mode)
{
    if (Mode == KernelMode)
        memcpy(Destination, (const VOID *)Source, Length);
    else
        CopyFromUser(Destination, Source, Length);
}
static inline VOID CopyToMode(volatile VOID *Destination, const VOID *Source, SIZE_T Length,
                              KPROCESSOR_MODE Mode)
{
    if (Mode == KernelMode)
        memcpy((VOID *)Destination, Source, Length);
    else
        CopyToUser(Destination, Source, Length);
}
static inline VOID CopyFromUserToMode(volatile VOID *Destination, const volatile VOID *Source,
                                      SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode == KernelMode)
        CopyFromUser((VOID *)Destination, Source, Length);
    else
        CopyToUserFromUser(Destination, Source, Length);
}
static inline VOID FillModeMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill,
                                  KPROCESSOR_MODE Mode)
{
    if (Mode == KernelMode)
        memset((VOID *)Destination, Fill, Length);
    else
        FillUserMemory(Destination, Length, Fill);
}
#define ZeroUserMemory(Destination, Length) FillUserMemory(Destination, Length, 0)
#define ZeroModeMemory(Destination, Length, Mode) FillModeMemory(Destination, Length, 0, Mode)

static inline const volatile VOID *NtCheckAlignment(const volatile VOID *Address, SIZE_T Alignment)
{
    if (((ULONG_PTR)Address & (Alignment - 1)) != 0)
        ExRaiseDatatypeMisalignment();
    return Address;
}
#define CopyFromUserAligned(Destination, Source, Length, Alignment)                                \
    CopyFromUser(Destination, NtCheckAlignment(Source, Alignment), Length)
#define CopyFromModeAligned(Destination, Source, Length, Alignment, Mode)                          \
    CopyFromMode(Destination, NtCheckAlignment(Source, Alignment), Length, Mode)
#define CopyFromUserNonTemporal CopyFromUser
#define CopyFromModeNonTemporal CopyFromMode
#define CopyToUserNonTemporal CopyToUser
#define CopyToModeNonTemporal CopyToMode

// Structures: both pointers must have the same type
#define NT_SAME_TYPE(a, b) ((VOID)sizeof((a) == (b)))
#define ReadStructFromUser(Destination, Source)                                                    \
    (NT_SAME_TYPE(Destination, Source), CopyFromUser(Destination, Source, sizeof(*(Source))))
#define ReadStructFromMode(Destination, Source, Mode)                                              \
    (NT_SAME_TYPE(Destination, Source), CopyFromMode(Destination, Source, sizeof(*(Source)), Mode))
#define ReadStructFromUserAligned(Destination, Source, Alignment)                                  \
    (NT_SAME_TYPE(Destination, Source),                                                            \
     CopyFromUserAligned(Destination, Source, sizeof(*(Source)), Alignment))
#define ReadStructFromModeAligned(Destination, Source, Alignment, Mode)                            \
    (NT_SAME_TYPE(Destination, Source),                                                            \
     CopyFromModeAligned(Destination, Source, sizeof(*(Source)), Alignment, Mode))
#define WriteStructToUser(Destination, Source)                                                     \
    (NT_SAME_TYPE(Destination, Source), CopyToUser(Destination, Source, sizeof(*(Source))))
#define WriteStructToMode(Destination, Source, Mode)                                               \
    (NT_SAME_TYPE(Destination, Source), CopyToMode(Destination, Source, sizeof(*(Source)), Mode))
#define WriteStructToUserAligned(Destination, Source, Alignment)                                   \
    (NtCheckAlignment(Destination, Alignment), WriteStructToUser(Destination, Source))
#define WriteStructToModeAligned(Destination, Source, Alignment, Mode)                             \
    (NtCheckAlignment(Destination, Alignment), WriteStructToMode(Destination, Source, Mode))

// Strings
static inline SIZE_T StringLengthFromMode(const volatile CHAR *String, KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode ? strlen((const CHAR *)String) : StringLengthFromUser(String);
}
static inline SIZE_T WideStringLengthFromMode(const volatile WCHAR *String, KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode ? wcslen((const WCHAR *)String) : WideStringLengthFromUser(String);
}

// One value: four reads and four writes for each type
#define NT_ACCESSORS_PLAIN(name, type)                                                             \
    static inline type Read##name##FromUser(const volatile type *Source)                           \
    {                                                                                              \
        type Value;                                                                                \
        CopyFromUser(&Value, Source, sizeof(Value));                                               \
        return Value;                                                                              \
    }                                                                                              \
    static inline type Read##name##FromMode(const volatile type *Source, KPROCESSOR_MODE Mode)     \
    {                                                                                              \
        type Value;                                                                                \
        CopyFromMode(&Value, Source, sizeof(Value), Mode);                                         \
        return Value;                                                                              \
    }                                                                                              \
    static inline VOID Write##name##ToUser(volatile type *Destination, type Value)                 \
    {                                                                                              \
        CopyToUser(Destination, &Value, sizeof(Value));                                            \
    }                                                                                              \
    static inline VOID Write##name##ToMode(volatile type *Destination, type Value,                 \
                                           KPROCESSOR_MODE Mode)                                   \
    {                                                                                              \
        CopyToMode(Destination, &Value, sizeof(Value), Mode);                                      \
    }
#define NT_ACCESSORS(name, type)                                                                   \
    NT_ACCESSORS_PLAIN(name, type)                                                                 \
    static inline type Read##name##FromUserAcquire(const volatile type *Source)                    \
    {                                                                                              \
        type Value = Read##name##FromUser(Source);                                                 \
        __atomic_thread_fence(__ATOMIC_ACQUIRE);                                                   \
        return Value;                                                                              \
    }                                                                                              \
    static inline type Read##name##FromModeAcquire(const volatile type *Source,                    \
                                                   KPROCESSOR_MODE Mode)                           \
    {                                                                                              \
        type Value = Read##name##FromMode(Source, Mode);                                           \
        __atomic_thread_fence(__ATOMIC_ACQUIRE);                                                   \
        return Value;                                                                              \
    }                                                                                              \
    static inline VOID Write##name##ToUserRelease(volatile type *Destination, type Value)          \
    {                                                                                              \
        __atomic_thread_fence(__ATOMIC_RELEASE);                                                   \
        Write##name##ToUser(Destination, Value);                                                   \
    }                                                                                              \
    static inline VOID Write##name##ToModeRelease(volatile type *Destination, type Value,          \
                                                  KPROCESSOR_MODE Mode)                            \
    {                                                                                              \
        __atomic_thread_fence(__ATOMIC_RELEASE);                                                   \
        Write##name##ToMode(Destination, Value, Mode);                                             \
    }
NT_ACCESSORS(Boolean, BOOLEAN)
NT_ACCESSORS(Char, CHAR)
NT_ACCESSORS(UChar, UCHAR)
NT_ACCESSORS(Short, SHORT)
NT_ACCESSORS(UShort, USHORT)
NT_ACCESSORS(Long, LONG)
NT_ACCESSORS(ULong, ULONG)
NT_ACCESSORS(LongLong, LONGLONG)
NT_ACCESSORS(ULongLong, ULONGLONG)
NT_ACCESSORS(Long64, LONG64)
NT_ACCESSORS(ULong64, ULONG64)
NT_ACCESSORS(Int8, INT8)
NT_ACCESSORS(UInt8, UINT8)
NT_ACCESSORS(Int16, INT16)
NT_ACCESSORS(UInt16, UINT16)
NT_ACCESSORS(Int32, INT32)
NT_ACCESSORS(UInt32, UINT32)
NT_ACCESSORS(Int64, INT64)
NT_ACCESSORS(UInt64, UINT64)
NT_ACCESSORS(IntPtr, INT_PTR)
NT_ACCESSORS(UIntPtr, UINT_PTR)
NT_ACCESSORS(LongPtr, LONG_PTR)
NT_ACCESSORS(ULongPtr, ULONG_PTR)
NT_ACCESSORS(SizeT, SIZE_T)
NT_ACCESSORS(SSizeT, SSIZE_T)
NT_ACCESSORS(NtStatus, NTSTATUS)
NT_ACCESSORS(Handle, HANDLE)
NT_ACCESSORS(WChar, WCHAR)
NT_ACCESSORS(Pointer, PVOID)
NT_ACCESSORS_PLAIN(LargeInteger, LARGE_INTEGER)
NT_ACCESSORS_PLAIN(ULargeInteger, ULARGE_INTEGER)
NT_ACCESSORS_PLAIN(UnicodeString, UNICODE_STRING)

// Interlocked operations by mode
static inline LONG InterlockedCompareExchangeToMode(LONG volatile *Destination, LONG ExChange,
                                                    LONG Comperand, KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode ? __sync_val_compare_and_swap(Destination, Comperand, ExChange)
                              : InterlockedCompareExchangeToUser(Destination, ExChange, Comperand);
}
static inline LONG64 InterlockedCompareExchange64ToMode(LONG64 volatile *Destination,
                                                        LONG64 ExChange, LONG64 Comperand,
                                                        KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode
               ? __sync_val_compare_and_swap(Destination, Comperand, ExChange)
               : InterlockedCompareExchange64ToUser(Destination, ExChange, Comperand);
}
#define NT_INTERLOCKED_TO_MODE(name, type, builtin)                                                \
    static inline type Interlocked##name##ToMode(type volatile *Destination, type Value,           \
                                                 KPROCESSOR_MODE Mode)                             \
    {                                                                                              \
        return Mode == KernelMode ? builtin(Destination, Value)                                    \
                                  : Interlocked##name##ToUser(Destination, Value);                 \
    }
NT_INTERLOCKED_TO_MODE(And, LONG, __sync_fetch_and_and)
NT_INTERLOCKED_TO_MODE(And64, LONG64, __sync_fetch_and_and)
NT_INTERLOCKED_TO_MODE(Or, LONG, __sync_fetch_and_or)
NT_INTERLOCKED_TO_MODE(Or64, LONG64, __sync_fetch_and_or)

#ifdef __cplusplus
}
#endif
