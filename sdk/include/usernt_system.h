// What NtQuerySystemInformation tells of UserNT itself: for the `nt` command and for tests. Include windows.h or ntifs.h first.
#pragma once

// The classes of UserNT's own, for its `nt` command.
enum {
    SystemUserNtLog = 0x8000, // in: first sequence in the buffer's first 8 bytes; out: USERNT_LOG_LINEs
    SystemUserNtExports,      // the documented names that are implemented, one a line, narrow
    SystemUserNtStatus,       // USERNT_STATUS
    SystemUserNtModules,      // USERNT_MODULEs
    SystemUserNtWaitLog       // in: a sequence; returns when a line with at least that number is there (alertable)
};

typedef struct USERNT_LOG_LINE {
    ULONG64 Sequence;
    ULONG64 Time; // system time, 100 ns
    ULONG ProcessId, ThreadId;
    CHAR Driver[32];
    USHORT Length; // of Text, which is not terminated
    CHAR Text[512];
} USERNT_LOG_LINE;

typedef struct USERNT_STATUS {
    ULONG64 BootTime, CurrentTime; // system time, 100 ns
    ULONG Processors, Processes, Threads, Handles, Modules, Services;
    ULONG64 TotalBytes, FreeBytes, PagedPoolBytes, NonPagedPoolBytes, LockedBytes, SharedBytes;
    ULONG64 SystemCalls, Dispatches, DpcsRun, ClockTicks;
} USERNT_STATUS;

typedef struct USERNT_MODULE {
    ULONG64 Base;
    ULONG Size;
    ULONG UseCount; // open handles and references to its devices
    BOOLEAN Native; // ELF
    BOOLEAN UnloadPending;
    CHAR Name[64];
    CHAR HostPath[512];
} USERNT_MODULE;
