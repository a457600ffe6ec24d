/*
 * hooks: the services that can be watched: name, count of arguments, format of its line
 * (protocol.h). Each line begins with the status. The first 44 are the original's; a system that
 * has not one of them does without it.
 */
#ifndef SPY_HOOKS_H
#define SPY_HOOKS_H

#include "protocol.h"

#define SPY_ORIGINAL_HOOKS(HOOK)                                                                   \
    HOOK(NtCancelIoFile, 2, "%!,%i")                                                               \
    HOOK(NtClose, 1, "%-")                                                                         \
    HOOK(NtCreateFile, 11, "%+,%n,%o,%i,%l,%n,%n,%n,%n,%p,%n")                                     \
    HOOK(NtCreateKey, 7, "%+,%n,%o,%n,%u,%n,%d")                                                   \
    HOOK(NtDeleteFile, 1, "%o")                                                                    \
    HOOK(NtDeleteKey, 1, "%-")                                                                     \
    HOOK(NtDeleteValueKey, 2, "%!,%u")                                                             \
    HOOK(NtDeviceIoControlFile, 10, "%!,%p,%p,%p,%i,%n,%p,%n,%p,%n")                               \
    HOOK(NtEnumerateKey, 6, "%!,%n,%n,%p,%n,%d")                                                   \
    HOOK(NtEnumerateValueKey, 6, "%!,%n,%n,%p,%n,%d")                                              \
    HOOK(NtFlushBuffersFile, 2, "%!,%i")                                                           \
    HOOK(NtFlushKey, 1, "%!")                                                                      \
    HOOK(NtFsControlFile, 10, "%!,%p,%p,%p,%i,%n,%p,%n,%p,%n")                                     \
    HOOK(NtLoadKey, 2, "%o,%o")                                                                    \
    HOOK(NtLoadKey2, 3, "%o,%o,%n")                                                                \
    HOOK(NtNotifyChangeKey, 10, "%!,%p,%p,%p,%i,%n,%b,%p,%n,%b")                                   \
    HOOK(NtNotifyChangeMultipleKeys, 12, "%!,%n,%o,%p,%p,%p,%i,%n,%b,%p,%n,%b")                    \
    HOOK(NtOpenFile, 6, "%+,%n,%o,%i,%n,%n")                                                       \
    HOOK(NtOpenKey, 3, "%+,%n,%o")                                                                 \
    HOOK(NtOpenProcess, 4, "%+,%n,%o,%c")                                                          \
    HOOK(NtOpenThread, 4, "%+,%n,%o,%c")                                                           \
    HOOK(NtQueryDirectoryFile, 11, "%!,%p,%p,%p,%i,%p,%n,%n,%b,%u,%b")                             \
    HOOK(NtQueryInformationFile, 5, "%!,%i,%p,%n,%n")                                              \
    HOOK(NtQueryInformationProcess, 5, "%!,%n,%p,%n,%d")                                           \
    HOOK(NtQueryInformationThread, 5, "%!,%n,%p,%n,%d")                                            \
    HOOK(NtQueryKey, 5, "%!,%n,%p,%n,%d")                                                          \
    HOOK(NtQueryMultipleValueKey, 6, "%!,%p,%n,%p,%d,%d")                                          \
    HOOK(NtQueryOpenSubKeys, 2, "%o,%d")                                                           \
    HOOK(NtQuerySystemInformation, 4, "%n,%p,%n,%d")                                               \
    HOOK(NtQuerySystemTime, 1, "%l")                                                               \
    HOOK(NtQueryValueKey, 6, "%!,%u,%n,%p,%n,%d")                                                  \
    HOOK(NtQueryVolumeInformationFile, 5, "%!,%i,%p,%n,%n")                                        \
    HOOK(NtReadFile, 9, "%!,%p,%p,%p,%i,%p,%n,%l,%d")                                              \
    HOOK(NtReplaceKey, 3, "%o,%!,%o")                                                              \
    HOOK(NtSetInformationKey, 4, "%!,%n,%p,%n")                                                    \
    HOOK(NtSetInformationFile, 5, "%!,%i,%p,%n,%n")                                                \
    HOOK(NtSetInformationProcess, 4, "%!,%n,%p,%n")                                                \
    HOOK(NtSetInformationThread, 4, "%!,%n,%p,%n")                                                 \
    HOOK(NtSetSystemInformation, 3, "%n,%p,%n")                                                    \
    HOOK(NtSetSystemTime, 2, "%l,%l")                                                              \
    HOOK(NtSetValueKey, 6, "%!,%u,%n,%n,%p,%n")                                                    \
    HOOK(NtSetVolumeInformationFile, 5, "%!,%i,%p,%n,%n")                                          \
    HOOK(NtUnloadKey, 1, "%o")                                                                     \
    HOOK(NtWriteFile, 9, "%!,%p,%p,%p,%i,%p,%n,%l,%d")

#define SPY_MORE_HOOKS(HOOK)                                                                       \
    HOOK(NtCancelIoFileEx, 3, "%!,%p,%i")                                                          \
    HOOK(NtClearEvent, 1, "%!")                                                                    \
    HOOK(NtCreateDirectoryObject, 3, "%+,%n,%o")                                                   \
    HOOK(NtCreateEvent, 5, "%+,%n,%o,%n,%b")                                                       \
    HOOK(NtCreateIoCompletion, 4, "%+,%n,%o,%n")                                                   \
    HOOK(NtCreateMutant, 4, "%+,%n,%o,%b")                                                         \
    HOOK(NtCreateSection, 7, "%+,%n,%o,%l,%n,%n,%!")                                               \
    HOOK(NtCreateSemaphore, 5, "%+,%n,%o,%n,%n")                                                   \
    HOOK(NtCreateSymbolicLinkObject, 4, "%+,%n,%o,%u")                                             \
    HOOK(NtCreateTimer, 4, "%+,%n,%o,%n")                                                          \
    HOOK(NtDelayExecution, 2, "%b,%l")                                                             \
    HOOK(NtLoadDriver, 1, "%u")                                                                    \
    HOOK(NtOpenDirectoryObject, 3, "%+,%n,%o")                                                     \
    HOOK(NtOpenEvent, 3, "%+,%n,%o")                                                               \
    HOOK(NtOpenKeyEx, 4, "%+,%n,%o,%n")                                                            \
    HOOK(NtOpenMutant, 3, "%+,%n,%o")                                                              \
    HOOK(NtOpenSection, 3, "%+,%n,%o")                                                             \
    HOOK(NtOpenSemaphore, 3, "%+,%n,%o")                                                           \
    HOOK(NtOpenSymbolicLinkObject, 3, "%+,%n,%o")                                                  \
    HOOK(NtOpenTimer, 3, "%+,%n,%o")                                                               \
    HOOK(NtPulseEvent, 2, "%!,%d")                                                                 \
    HOOK(NtQueryObject, 5, "%!,%n,%p,%n,%d")                                                       \
    HOOK(NtQuerySymbolicLinkObject, 3, "%!,%u,%d")                                                 \
    HOOK(NtReleaseMutant, 2, "%!,%d")                                                              \
    HOOK(NtReleaseSemaphore, 3, "%!,%n,%d")                                                        \
    HOOK(NtResetEvent, 2, "%!,%d")                                                                 \
    HOOK(NtSetEvent, 2, "%!,%d")                                                                   \
    HOOK(NtSetTimer, 7, "%!,%l,%p,%p,%b,%n,%d")                                                    \
    HOOK(NtUnloadDriver, 1, "%u")                                                                  \
    HOOK(NtWaitForSingleObject, 3, "%!,%b,%l")

#define SPY_ALL_HOOKS(HOOK) SPY_ORIGINAL_HOOKS(HOOK) SPY_MORE_HOOKS(HOOK)

typedef enum _HOOK_NUMBER {
#define HOOK(Name, Count, Format) HOOK_##Name,
    SPY_ALL_HOOKS(HOOK)
#undef HOOK
        HOOK_COUNT
} HOOK_NUMBER;

typedef enum _HOOK_HANDLE { HANDLE_NONE, HANDLE_NEW, HANDLE_USED, HANDLE_CLOSED } HOOK_HANDLE;

typedef struct _HOOK {
    PCSTR Name, Format;
    ULONG Count;
    PVOID Stub;
} HOOK_ROW;

/* hookstub.c */
extern const HOOK_ROW HookRows[HOOK_COUNT];
NTSTATUS HookCallOriginal(PVOID Original, ULONG Count, const ULONG_PTR *Arguments);
/* hook.c: a call enters. The original, if it is to be passed on unseen, and then left; else NULL,
 * and HookCall does all the rest. First: the first argument. */
PVOID HookPass(ULONG Number, HANDLE First, SPY_CALL **Slot);
VOID HookLeave(SPY_CALL *Slot);
/* Values: room for the result, then the arguments. */
NTSTATUS HookCall(ULONG Number, ULONG_PTR *Values, SPY_CALL *Slot, PVOID Caller);

#endif
