/*
 * Function 23: calls a routine of the kernel, or copies a few bytes from it.
 *
 * Whoever may use it owns the kernel. It is off unless the value AllowCall (REG_DWORD) of the
 * service's key is 1 when the driver is loaded; and the device is for administrators alone. An
 * exception in the call is a status; a routine that is called wrongly may do anything.
 */
#include "spy.h"
#include "module.h"
#ifdef USERNT
#include <usernt_call.h>
#endif

BOOLEAN SpyCallAllowed;

typedef ULONG_PTR W;

#define LIST_0
#define LIST_1 v[0]
#define LIST_2 LIST_1, v[1]
#define LIST_3 LIST_2, v[2]
#define LIST_4 LIST_3, v[3]
#define LIST_5 LIST_4, v[4]
#define LIST_6 LIST_5, v[5]
#define LIST_7 LIST_6, v[6]
#define LIST_8 LIST_7, v[7]
#define LIST_9 LIST_8, v[8]
#define LIST_10 LIST_9, v[9]
#define LIST_11 LIST_10, v[10]
#define LIST_12 LIST_11, v[11]
#define LIST_13 LIST_12, v[12]
#define LIST_14 LIST_13, v[13]
#define LIST_15 LIST_14, v[14]
#define LIST_16 LIST_15, v[15]
#define TYPE_0 VOID
#define TYPE_1 W
#define TYPE_2 TYPE_1, W
#define TYPE_3 TYPE_2, W
#define TYPE_4 TYPE_3, W
#define TYPE_5 TYPE_4, W
#define TYPE_6 TYPE_5, W
#define TYPE_7 TYPE_6, W
#define TYPE_8 TYPE_7, W
#define TYPE_9 TYPE_8, W
#define TYPE_10 TYPE_9, W
#define TYPE_11 TYPE_10, W
#define TYPE_12 TYPE_11, W
#define TYPE_13 TYPE_12, W
#define TYPE_14 TYPE_13, W
#define TYPE_15 TYPE_14, W
#define TYPE_16 TYPE_15, W

#define CASE(Convention, Count)                                                                    \
    case Count:                                                                                    \
        return ((ULONGLONG(Convention *)(TYPE_##Count))Routine)(LIST_##Count);
#define CASES(Convention)                                                                          \
    CASE(Convention, 0)                                                                            \
    CASE(Convention, 1)                                                                            \
    CASE(Convention, 2)                                                                            \
    CASE(Convention, 3)                                                                            \
    CASE(Convention, 4)                                                                            \
    CASE(Convention, 5)                                                                            \
    CASE(Convention, 6)                                                                            \
    CASE(Convention, 7)                                                                            \
    CASE(Convention, 8)                                                                            \
    CASE(Convention, 9)                                                                            \
    CASE(Convention, 10)                                                                           \
    CASE(Convention, 11)                                                                           \
    CASE(Convention, 12)                                                                           \
    CASE(Convention, 13)                                                                           \
    CASE(Convention, 14)                                                                           \
    CASE(Convention, 15)                                                                           \
    CASE(Convention, 16)
#define CALL_WITH(Name, Convention)                                                                \
    static ULONGLONG Name(PVOID Routine, ULONG Count, const W *v)                                  \
    {                                                                                              \
        switch (Count) {                                                                           \
            CASES(Convention)                                                                      \
        default:                                                                                   \
            return 0;                                                                              \
        }                                                                                          \
    }

#if defined(__clang__) && defined(USERNT) /* of the routine's type only the number is known */
#define SPY_ANY_TYPE __attribute__((no_sanitize("function")))
#else
#define SPY_ANY_TYPE
#endif
SPY_ANY_TYPE CALL_WITH(CallStandard, NTAPI)
SPY_ANY_TYPE CALL_WITH(CallFast, FASTCALL)
#ifdef USERNT /* a routine of a Windows image follows Microsoft's convention */
#define MICROSOFT __attribute__((ms_abi))
SPY_ANY_TYPE CALL_WITH(CallMicrosoft, MICROSOFT)
#endif

    static ULONGLONG Invoke(const SPY_CALL_INPUT *In, PVOID Routine, const W *Arguments)
{
    ULONG Count = In->dArgumentBytes / sizeof(W);

#ifdef USERNT
    if (USERNT_IS_WINDOWS_CODE(Routine))
        return CallMicrosoft(Routine, Count, Arguments);
#endif
    return In->fFastCall ? CallFast(Routine, Count, Arguments)
                         : CallStandard(Routine, Count, Arguments);
}

#include "../../common/seh.h"

static NTSTATUS Guarded(const SPY_CALL_INPUT *In, PVOID Routine, const W *Arguments,
                        ULONGLONG *Result)
{
    __try {
        *Result = Invoke(In, Routine, Arguments);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return STATUS_ACCESS_VIOLATION;
    }
    return STATUS_SUCCESS;
}

/* Its first byte can be read. */
static BOOLEAN IsThere(PVOID Routine)
{
    UCHAR Byte;

    return SpyRead(&Byte, Routine, 1) == 1;
}

static NTSTATUS Copy(ULONG Bytes, PVOID From, ULONGLONG *Result)
{
    if (!Bytes) {
        *Result = (ULONG_PTR)From;
        return STATUS_SUCCESS;
    }
    return SpyRead(Result, From, Bytes) == Bytes ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
}

static NTSTATUS Call(const SPY_CALL_INPUT *In, PVOID Routine, ULONGLONG *Result)
{
    W Arguments[SPY_ARGUMENTS];
    ULONG Bytes = In->dArgumentBytes;

    if (Bytes > sizeof(Arguments) || Bytes % sizeof(W))
        return STATUS_INVALID_PARAMETER;
    if (!IsThere(Routine) || (Bytes && SpyRead(Arguments, In->pArguments, Bytes) != Bytes))
        return STATUS_INVALID_PARAMETER;
    return Guarded(In, Routine, Arguments, Result);
}

NTSTATUS SpyCall(SPY_REQUEST *Request)
{
    const SPY_CALL_INPUT *In = &Request->In.Call;
    PVOID Routine = In->pEntryPoint;
    ULONG Bytes = SPY_COPY(0) - In->dArgumentBytes;
    ULONGLONG Result = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!SpyCallAllowed)
        return STATUS_ACCESS_DENIED;
    if (In->pbSymbol)
        Status = ModuleSymbolAt(In->pbSymbol, &Routine);
    if (NT_SUCCESS(Status))
        Status =
            Bytes <= SPY_COPY_MOST ? Copy(Bytes, Routine, &Result) : Call(In, Routine, &Result);
    if (NT_SUCCESS(Status))
        ((SPY_CALL_OUTPUT *)Request->Buffer)->uliResult.QuadPart = Result;
    return Status;
}
