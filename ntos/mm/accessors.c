/*
 * The primitives of the user-mode accessors. Each raises STATUS_ACCESS_VIOLATION for memory that is
 * no user memory of the current process, or cannot be touched so. IRQL <= APC_LEVEL. A copy of 1,
 * 2, 4 or 8 bytes at an aligned address is one access. Doc: wdm/nf-wdm-copyfromuser
 */
#include "mi.h"

#include <string.h>
#include <usermode_accessors.h>

static void MiRaiseUnless(NTSTATUS Status)
{
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

VOID NTAPI CopyFromUser(VOID *Destination, const volatile VOID *Source, SIZE_T Length)
{
    VF_IRQL_MAX(APC_LEVEL);
    MiRaiseUnless(MmCopyFromUser(Destination, (const void *)Source, Length));
}

VOID NTAPI CopyToUser(volatile VOID *Destination, const VOID *Source, SIZE_T Length)
{
    VF_IRQL_MAX(APC_LEVEL);
    MiRaiseUnless(MmCopyToUser((void *)Destination, Source, Length));
}

#define MI_BOUNCE 1024

static void MiBounce(char *To, const char *From, SIZE_T Length)
{
    char Buffer[MI_BOUNCE];

    MiRaiseUnless(MmCopyFromUser(Buffer, From, Length));
    MiRaiseUnless(MmCopyToUser(To, Buffer, Length));
}

VOID NTAPI CopyToUserFromUser(volatile VOID *Destination, const volatile VOID *Source,
                              SIZE_T Length)
{
    VF_IRQL_MAX(APC_LEVEL);
    for (SIZE_T Done = 0; Done < Length; Done += MI_BOUNCE)
        MiBounce((char *)Destination + Done, (const char *)Source + Done,
                 min(Length - Done, (SIZE_T)MI_BOUNCE));
}

/* As the other, but the ranges may overlap. */
VOID NTAPI MoveToUserFromUser(volatile VOID *Destination, const volatile VOID *Source,
                              SIZE_T Length)
{
    VF_IRQL_MAX(APC_LEVEL);
    if ((ULONG_PTR)Destination - (ULONG_PTR)Source >= Length) {
        CopyToUserFromUser(Destination, Source, Length);
        return;
    }
    while (Length) { /* from the end */
        SIZE_T Piece = min(Length, (SIZE_T)MI_BOUNCE);

        Length -= Piece;
        MiBounce((char *)Destination + Length, (const char *)Source + Length, Piece);
    }
}

VOID NTAPI FillUserMemory(volatile VOID *Destination, SIZE_T Length, UCHAR Fill)
{
    char Buffer[MI_BOUNCE];

    VF_IRQL_MAX(APC_LEVEL);
    memset(Buffer, Fill, sizeof(Buffer));
    for (SIZE_T Done = 0; Done < Length; Done += MI_BOUNCE)
        MiRaiseUnless(MmCopyToUser((char *)Destination + Done, Buffer,
                                   min(Length - Done, (SIZE_T)MI_BOUNCE)));
}

/* Characters of Unit bytes before the first zero one; memory is read a piece at a time, never over
 * a page's end. */
static SIZE_T MiLength(const char *String, SIZE_T Unit)
{
    static const WCHAR Zero;
    char Buffer[256];

    for (SIZE_T Done = 0;;) {
        SIZE_T Piece = min(sizeof(Buffer), PAGE_SIZE - BYTE_OFFSET(String + Done));

        Piece = max(Piece & ~(Unit - 1), Unit);
        MiRaiseUnless(MmCopyFromUser(Buffer, String + Done, Piece));
        for (SIZE_T i = 0; i < Piece; i += Unit)
            if (!memcmp(Buffer + i, &Zero, Unit))
                return (Done + i) / Unit;
        Done += Piece;
    }
}

SIZE_T NTAPI StringLengthFromUser(const volatile CHAR *String)
{
    VF_IRQL_MAX(APC_LEVEL);
    return MiLength((const char *)String, sizeof(CHAR));
}

SIZE_T NTAPI WideStringLengthFromUser(const volatile WCHAR *String)
{
    VF_IRQL_MAX(APC_LEVEL);
    return MiLength((const char *)String, sizeof(WCHAR));
}

typedef struct MI_INTERLOCKED {
    volatile void *Address;
    LONG64 Value, Expected, Old;
} MI_INTERLOCKED;

static void MiExchange32(void *Context)
{
    MI_INTERLOCKED *Operation = Context;
    LONG Expected = (LONG)Operation->Expected;

    __atomic_compare_exchange_n((volatile LONG *)Operation->Address, &Expected,
                                (LONG)Operation->Value, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    Operation->Old = Expected;
}

static void MiExchange64(void *Context)
{
    MI_INTERLOCKED *Operation = Context;

    __atomic_compare_exchange_n((volatile LONG64 *)Operation->Address, &Operation->Expected,
                                Operation->Value, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    Operation->Old = Operation->Expected;
}

static void MiAnd32(void *Context)
{
    MI_INTERLOCKED *Operation = Context;

    Operation->Old = __atomic_fetch_and((volatile LONG *)Operation->Address, (LONG)Operation->Value,
                                        __ATOMIC_SEQ_CST);
}

static void MiAnd64(void *Context)
{
    MI_INTERLOCKED *Operation = Context;

    Operation->Old = __atomic_fetch_and((volatile LONG64 *)Operation->Address, Operation->Value,
                                        __ATOMIC_SEQ_CST);
}

static void MiOr32(void *Context)
{
    MI_INTERLOCKED *Operation = Context;

    Operation->Old = __atomic_fetch_or((volatile LONG *)Operation->Address, (LONG)Operation->Value,
                                       __ATOMIC_SEQ_CST);
}

static void MiOr64(void *Context)
{
    MI_INTERLOCKED *Operation = Context;

    Operation->Old = __atomic_fetch_or((volatile LONG64 *)Operation->Address, Operation->Value,
                                       __ATOMIC_SEQ_CST);
}

/* Only where the memory is this process's too: the slot, or an embedding program's. */
static LONG64 MiInterlocked(void (*Operate)(void *), volatile void *Address, SIZE_T Bytes,
                            LONG64 Value, LONG64 Expected)
{
    MI_INTERLOCKED Operation = {Address, Value, Expected, 0};

    VF_IRQL_MAX(APC_LEVEL);
    if ((ULONG_PTR)Address & (Bytes - 1))
        ExRaiseDatatypeMisalignment();
    if (!MmIsUserRange((const void *)Address, Bytes) || !MiCallGuarded(Operate, &Operation))
        ExRaiseAccessViolation();
    return Operation.Old;
}

LONG NTAPI InterlockedCompareExchangeToUser(LONG volatile *Destination, LONG ExChange,
                                            LONG Comperand)
{
    return (LONG)MiInterlocked(MiExchange32, Destination, sizeof(LONG), ExChange, Comperand);
}

LONG64 NTAPI InterlockedCompareExchange64ToUser(LONG64 volatile *Destination, LONG64 ExChange,
                                                LONG64 Comperand)
{
    return MiInterlocked(MiExchange64, Destination, sizeof(LONG64), ExChange, Comperand);
}

LONG NTAPI InterlockedAndToUser(LONG volatile *Destination, LONG Value)
{
    return (LONG)MiInterlocked(MiAnd32, Destination, sizeof(LONG), Value, 0);
}

LONG64 NTAPI InterlockedAnd64ToUser(LONG64 volatile *Destination, LONG64 Value)
{
    return MiInterlocked(MiAnd64, Destination, sizeof(LONG64), Value, 0);
}

LONG NTAPI InterlockedOrToUser(LONG volatile *Destination, LONG Value)
{
    return (LONG)MiInterlocked(MiOr32, Destination, sizeof(LONG), Value, 0);
}

LONG64 NTAPI InterlockedOr64ToUser(LONG64 volatile *Destination, LONG64 Value)
{
    return MiInterlocked(MiOr64, Destination, sizeof(LONG64), Value, 0);
}
