/* Calls with a larger stack, and callbacks for processors: both know beforehand what there is. */
#include "ke/ki.h"

#define KI_SPARE 8192

static NTSTATUS KiCallWithStack(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size)
{
    ULONG_PTR Here = (ULONG_PTR)__builtin_frame_address(0), Limit = (ULONG_PTR)KiSelf->StackLimit;

    if (Size > MAXIMUM_EXPANSION_SIZE)
        return STATUS_INVALID_PARAMETER_3;
    if (Here < Limit + KI_SPARE + Size)
        return STATUS_NO_MEMORY;
    NT_CALL(Callout, Parameter);
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. Kernel stacks are as large as they get here: STATUS_NO_MEMORY if fewer than
 * Size bytes are left. Doc: ntddk/nf-ntddk-keexpandkernelstackandcallout */
NTSTATUS NTAPI KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter,
                                             SIZE_T Size)
{
    VF_IRQL_MAX(APC_LEVEL);
    return KiCallWithStack(Callout, Parameter, Size);
}

/* The same, at DISPATCH_LEVEL too if Wait is FALSE; Context is reserved. Doc:
 * ntddk/nf-ntddk-keexpandkernelstackandcalloutex */
NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter,
                                               SIZE_T Size, BOOLEAN Wait, PVOID Context)
{
    VF_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (Context)
        return STATUS_INVALID_PARAMETER_5;
    return KiCallWithStack(Callout, Parameter, Size);
}

typedef struct KI_REGISTRATION {
    PPROCESSOR_CALLBACK_FUNCTION Callback;
} KI_REGISTRATION;

static NTSTATUS KiTellOfProcessor(PPROCESSOR_CALLBACK_FUNCTION Callback, PVOID Context,
                                  ULONG Number, KE_PROCESSOR_CHANGE_NOTIFY_STATE State)
{
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change = {.State = State, .NtNumber = Number};
    NTSTATUS Status = STATUS_SUCCESS;

    Change.ProcNumber.Number = (UCHAR)Number;
    NT_CALL(Callback, Context, &Change, &Status);
    return Status;
}

/* At PASSIVE_LEVEL. With KE_PROCESSOR_CHANGE_ADD_EXISTING the callback hears of each processor now;
 * no processor is ever added later. NULL: a callback refused one. Doc:
 * wdm/nf-wdm-keregisterprocessorchangecallback */
PVOID NTAPI KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                              PVOID CallbackContext, ULONG Flags)
{
    KI_REGISTRATION *Registration;
    ULONG Count = Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING ? KiState.Count : 0;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    for (ULONG i = 0; i < Count; i++)
        if (!NT_SUCCESS(KiTellOfProcessor(CallbackFunction, CallbackContext, i,
                                          KeProcessorAddStartNotify))) {
            for (ULONG j = 0; j < Count; j++)
                KiTellOfProcessor(CallbackFunction, CallbackContext, j,
                                  KeProcessorAddFailureNotify);
            return NULL;
        }
    for (ULONG i = 0; i < Count; i++)
        KiTellOfProcessor(CallbackFunction, CallbackContext, i, KeProcessorAddCompleteNotify);
    Registration = malloc(sizeof(*Registration));
    if (Registration)
        Registration->Callback = CallbackFunction;
    return Registration;
}

/* At PASSIVE_LEVEL. Doc: wdm/nf-wdm-kederegisterprocessorchangecallback */
VOID NTAPI KeDeregisterProcessorChangeCallback(PVOID CallbackHandle)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    free(CallbackHandle);
}
