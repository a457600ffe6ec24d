/*
 * What stands in the service table instead of a service: a routine of the same number of arguments
 * for each, which hands them to HookCall, and the way back to the original.
 */
#include "hooks.h"

#ifdef __GNUC__
#define CALLER __builtin_return_address(0)
#else
#define CALLER _ReturnAddress()
#endif

#define W ULONG_PTR
#define FORMAL_1 W a
#define FORMAL_2 FORMAL_1, W b
#define FORMAL_3 FORMAL_2, W c
#define FORMAL_4 FORMAL_3, W d
#define FORMAL_5 FORMAL_4, W e
#define FORMAL_6 FORMAL_5, W f
#define FORMAL_7 FORMAL_6, W g
#define FORMAL_8 FORMAL_7, W h
#define FORMAL_9 FORMAL_8, W i
#define FORMAL_10 FORMAL_9, W j
#define FORMAL_11 FORMAL_10, W k
#define FORMAL_12 FORMAL_11, W l
#define ACTUAL_1 a
#define ACTUAL_2 ACTUAL_1, b
#define ACTUAL_3 ACTUAL_2, c
#define ACTUAL_4 ACTUAL_3, d
#define ACTUAL_5 ACTUAL_4, e
#define ACTUAL_6 ACTUAL_5, f
#define ACTUAL_7 ACTUAL_6, g
#define ACTUAL_8 ACTUAL_7, h
#define ACTUAL_9 ACTUAL_8, i
#define ACTUAL_10 ACTUAL_9, j
#define ACTUAL_11 ACTUAL_10, k
#define ACTUAL_12 ACTUAL_11, l

/* Of a service's type only the number of its arguments is known. */
#if defined(__clang__) && defined(USERNT)
#define ANY_TYPE __attribute__((no_sanitize("function")))
#else
#define ANY_TYPE
#endif

/* Most calls are of no interest to anybody: those are passed on as they are. */
#define HOOK(Name, Count, Format)                                                                  \
    ANY_TYPE static NTSTATUS NTAPI Hook##Name(FORMAL_##Count)                                      \
    {                                                                                              \
        SPY_CALL *Slot = NULL;                                                                     \
        PVOID Original = HookPass(HOOK_##Name, (HANDLE)a, &Slot);                                  \
                                                                                                   \
        if (Original) {                                                                            \
            NTSTATUS Status = ((NTSTATUS(NTAPI *)(FORMAL_##Count))Original)(ACTUAL_##Count);       \
                                                                                                   \
            HookLeave(Slot);                                                                       \
            return Status;                                                                         \
        } else {                                                                                   \
            ULONG_PTR Values[] = {0, ACTUAL_##Count};                                              \
                                                                                                   \
            return HookCall(HOOK_##Name, Values, Slot, CALLER);                                    \
        }                                                                                          \
    }
SPY_ALL_HOOKS(HOOK)
#undef HOOK

const HOOK_ROW HookRows[HOOK_COUNT] = {
#define HOOK(Name, Count, Format) {#Name, "%s=" #Name "(" Format ")", Count, (PVOID)Hook##Name},
    SPY_ALL_HOOKS(HOOK)
#undef HOOK
};

#define CASE(Count, ...)                                                                           \
    case Count:                                                                                    \
        return ((NTSTATUS(NTAPI *)(FORMAL_##Count))Original)(__VA_ARGS__);

ANY_TYPE NTSTATUS HookCallOriginal(PVOID Original, ULONG Count, const ULONG_PTR *v)
{
    switch (Count) {
        CASE(1, v[0])
        CASE(2, v[0], v[1])
        CASE(3, v[0], v[1], v[2])
        CASE(4, v[0], v[1], v[2], v[3])
        CASE(5, v[0], v[1], v[2], v[3], v[4])
        CASE(6, v[0], v[1], v[2], v[3], v[4], v[5])
        CASE(7, v[0], v[1], v[2], v[3], v[4], v[5], v[6])
        CASE(8, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
        CASE(9, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8])
        CASE(10, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9])
        CASE(11, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10])
        CASE(12, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11])
    default:
        return STATUS_INVALID_SYSTEM_SERVICE;
    }
}
