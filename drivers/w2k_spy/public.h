/*
 * w2k_spy: what the driver and its clients agree on.
 *
 * Structures that hold addresses have two layouts: that of 32-bit systems is the original's, that
 * of 64-bit systems (_WIN64) is its own. SPY_IO_VERSION_INFO has one layout for both, and its
 * version tells which the driver speaks: a client must refuse another than SPY_VERSION.
 *
 * All codes are METHOD_BUFFERED. An input shorter than stated: STATUS_INVALID_BUFFER_SIZE. An
 * output shorter than stated: STATUS_BUFFER_TOO_SMALL. An unknown code: STATUS_INVALID_PARAMETER.
 * Longer buffers are good. On success as many bytes return as the output has; on failure none do,
 * and nothing has changed.
 */
#ifndef W2K_SPY_PUBLIC_H
#define W2K_SPY_PUBLIC_H

#ifndef CTL_CODE
#include <winioctl.h>
#endif

#define SPY_SERVICE "w2k_spy"
#define SPY_DISPLAY "SBS Windows 2000 Spy Device"
#define SPY_DEVICE L"\\Device\\w2k_spy"
#define SPY_LINK L"\\DosDevices\\w2k_spy"
#define SPY_PATH "\\\\.\\w2k_spy"

/* high * 100 + low: 1.00 speaks the 32-bit layout, 1.64 the 64-bit one. */
#ifdef _WIN64
#define SPY_VERSION 164
#else
#define SPY_VERSION 100
#endif

#define FILE_DEVICE_SPY 0x8000u
#define SPY_IO_BASE 0x800
#define SPY_CALLS 0x100
#define SPY_NAME 0x400
#define SPY_HANDLES 0x1000
#define SPY_NAME_BUFFER 0x100000 /* characters */
#define SPY_DATA_BUFFER 0x100000
#define SPY_SERVICES 0xF8 /* that HOOK_INFO has room for */
#define SPY_PATH_SIZE 256
#define SPY_SYSTEM_ROOT 260
#define SPY_PARAMETERS 256

#define SPY_READ(n) CTL_CODE(FILE_DEVICE_SPY, SPY_IO_BASE + (n), METHOD_BUFFERED, FILE_READ_ACCESS)
#define SPY_BOTH(n)                                                                                \
    CTL_CODE(FILE_DEVICE_SPY, SPY_IO_BASE + (n), METHOD_BUFFERED,                                  \
             FILE_READ_ACCESS | FILE_WRITE_ACCESS)

/*                                          in                     out */
#define SPY_IO_VERSION_INFO SPY_READ(0)  /* -                      SPY_VERSION_INFO */
#define SPY_IO_OS_INFO SPY_READ(1)       /* -                      SPY_OS_INFO */
#define SPY_IO_SEGMENT SPY_READ(2)       /* ULONG selector         SPY_SEGMENT */
#define SPY_IO_INTERRUPT SPY_READ(3)     /* ULONG vector           SPY_INTERRUPT */
#define SPY_IO_PHYSICAL SPY_READ(4)      /* address                ULONGLONG, 0: none */
#define SPY_IO_CPU_INFO SPY_READ(5)      /* -                      SPY_CPU_INFO */
#define SPY_IO_PDE_ARRAY SPY_READ(6)     /* -                      SPY_PDE_ARRAY */
#define SPY_IO_PAGE_ENTRY SPY_READ(7)    /* address                SPY_PAGE_ENTRY */
#define SPY_IO_MEMORY_DATA SPY_READ(8)   /* SPY_MEMORY_BLOCK       SPY_MEMORY_DATA: 2 * n + head */
#define SPY_IO_MEMORY_BLOCK SPY_READ(9)  /* SPY_MEMORY_BLOCK       n bytes */
#define SPY_IO_HANDLE_INFO SPY_READ(10)  /* handle                 SPY_HANDLE_INFO */
#define SPY_IO_HOOK_INFO SPY_READ(11)    /* -                      SPY_HOOK_INFO */
#define SPY_IO_HOOK_INSTALL SPY_BOTH(12) /* BOOL reset             ULONG hooks */
#define SPY_IO_HOOK_REMOVE SPY_BOTH(13)  /* BOOL reset             ULONG hooks */
#define SPY_IO_HOOK_PAUSE SPY_BOTH(14)   /* BOOL                   BOOL before */
#define SPY_IO_HOOK_FILTER SPY_BOTH(15)  /* BOOL                   BOOL before */
#define SPY_IO_HOOK_RESET SPY_BOTH(16)   /* -                      - */
#define SPY_IO_HOOK_READ SPY_BOTH(17)    /* BOOL line              0 to n bytes; does not wait */
#define SPY_IO_HOOK_WRITE SPY_BOTH(18)   /* bytes                  - */
#define SPY_IO_MODULE_INFO SPY_BOTH(19)  /* PSTR name              SPY_MODULE_INFO */
#define SPY_IO_PE_HEADER SPY_BOTH(20)    /* image base             IMAGE_NT_HEADERS */
#define SPY_IO_PE_EXPORT SPY_BOTH(21) /* image base             the export directory, relocated */
#define SPY_IO_PE_SYMBOL SPY_BOTH(22) /* PSTR module!symbol     its address */
#define SPY_IO_CALL SPY_BOTH(23)      /* SPY_CALL_INPUT         SPY_CALL_OUTPUT */
#define SPY_IO_COUNT 24

/* The original header's read-only forms of five of them; they do the same. */
#define SPY_IO_HOOK_READ_R SPY_READ(17)
#define SPY_IO_MODULE_INFO_R SPY_READ(19)
#define SPY_IO_PE_HEADER_R SPY_READ(20)
#define SPY_IO_PE_EXPORT_R SPY_READ(21)
#define SPY_IO_PE_SYMBOL_R SPY_READ(22)

typedef struct _SPY_VERSION_INFO {
    ULONG dVersion;
    WCHAR awName[SPY_NAME];
} SPY_VERSION_INFO;

/* An array without an address: the page tables have no window in virtual memory. */
typedef struct _SPY_OS_INFO {
    ULONG dPageSize, dPageShift, dPtiShift, dPdiShift;
#ifdef _WIN64
    ULONG dPpiShift, dPxiShift;
#endif
    ULONG_PTR dPageMask, dPtiMask, dPdiMask;
#ifdef _WIN64
    ULONG_PTR dPpiMask, dPxiMask;
#endif
    PVOID PteArray, PdeArray;
#ifdef _WIN64
    PVOID PpeArray, PxeArray;
#endif
    PVOID pLowestUserAddress, pThreadEnvironmentBlock, pHighestUserAddress;
    PVOID pUserProbeAddress, pSystemRangeStart, pLowestSystemAddress, pSharedUserData;
    PVOID pProcessorControlRegion, pProcessorControlBlock;
    ULONG dGlobalFlag, dI386MachineType, dNumberProcessors, dProductType; /* 0: invalid */
    ULONG dBuildNumber, dNtMajorVersion, dNtMinorVersion;
    WCHAR awNtSystemRoot[SPY_SYSTEM_ROOT];
} SPY_OS_INFO;

/* value: RPL 2, TI 1, index 13 */
typedef struct _SPY_SELECTOR {
    USHORT wValue, wReserved;
} SPY_SELECTOR;

/* As the processor has them. A 64-bit descriptor of code or data uses the first half. */
#ifdef _WIN64
typedef struct _SPY_DESCRIPTOR {
    ULONGLONG qLow, qHigh;
} SPY_DESCRIPTOR;
typedef struct _SPY_TABLE {
    USHORT wReserved[3], wLimit;
    ULONGLONG qBase;
} SPY_TABLE;
typedef ULONGLONG SPY_PE;
#else
typedef struct _SPY_DESCRIPTOR {
    ULONG dLow, dHigh;
} SPY_DESCRIPTOR;
typedef struct _SPY_TABLE {
    USHORT wReserved, wLimit;
    ULONG dBase;
} SPY_TABLE;
typedef ULONG SPY_PE; /* with PAE: the low half */
#endif
typedef SPY_DESCRIPTOR SPY_GATE;

/* A selector or vector that leads nowhere is no error: fOk is FALSE. */
typedef struct _SPY_SEGMENT {
    SPY_SELECTOR Selector;
#ifdef _WIN64
    ULONG dReserved;
#endif
    SPY_DESCRIPTOR Descriptor;
    PVOID pBase;
    ULONG dLimit;
    LONG fOk;
} SPY_SEGMENT;

typedef struct _SPY_INTERRUPT {
    SPY_SELECTOR Selector; /* the vector as a selector: index 13 */
#ifdef _WIN64
    ULONG dReserved;
#endif
    SPY_GATE Gate;
    SPY_SEGMENT Segment;
    PVOID pOffset;
    LONG fOk;
} SPY_INTERRUPT;

/* All of one processor. */
typedef struct _SPY_CPU_INFO {
    ULONG_PTR cr0, cr2, cr3;
#ifdef _WIN64
    ULONG_PTR cr4, cr8, efer, qFsBase, qGsBase, qKernelGsBase;
#endif
    SPY_SEGMENT cs, ds, es, fs, gs, ss, tss;
    SPY_TABLE idt, gdt;
    SPY_SELECTOR ldt;
#ifdef _WIN64
    ULONG dProcessor;
#endif
} SPY_CPU_INFO;

/* The page directory (32 bits without PAE; with it STATUS_NOT_SUPPORTED), or the top-level table
 * (64 bits), of the calling process. */
typedef struct _SPY_PDE_ARRAY {
    SPY_PE apde[4096 / sizeof(SPY_PE)];
} SPY_PDE_ARRAY;

/* The entry where the walk of the tables ended, and how much of the address space it describes. */
typedef struct _SPY_PAGE_ENTRY {
    SPY_PE pe;
    ULONG_PTR dSize;
    LONG fPresent;
#ifdef _WIN64
    ULONG dLevel; /* 1: a page table's; 0: the address is not canonical */
#endif
} SPY_PAGE_ENTRY;

#define SPY_PE_PRESENT 0x001
#define SPY_PE_WRITE 0x002
#define SPY_PE_USER 0x004
#define SPY_PE_ACCESSED 0x020
#define SPY_PE_DIRTY 0x040
#define SPY_PE_LARGE 0x080
#define SPY_PE_GLOBAL 0x100

typedef struct _SPY_MEMORY_BLOCK {
    PVOID pAddress;
    ULONG dBytes;
} SPY_MEMORY_BLOCK;

#define SPY_BYTE_VALID 0x0100
typedef struct _SPY_MEMORY_DATA {
    SPY_MEMORY_BLOCK smb;
    USHORT awData[1]; /* the byte, and SPY_BYTE_VALID if it could be read */
} SPY_MEMORY_DATA;
#define SPY_MEMORY_DATA_HEAD FIELD_OFFSET(SPY_MEMORY_DATA, awData)

typedef struct _SPY_HANDLE_INFO {
    PVOID pObjectBody;
    ULONG dHandleAttributes;
#ifdef _WIN64
    ULONG dGrantedAccess;
#endif
} SPY_HANDLE_INFO;

/* Hooks */
typedef struct _SPY_HOOK_ENTRY {
    PVOID Handler; /* the driver's; while the hook is installed, the original */
    PCSTR pbFormat;
} SPY_HOOK_ENTRY;

typedef struct _SPY_CALL {
    LONG fInUse;
    HANDLE hThread;
    SPY_HOOK_ENTRY *pshe;
    PVOID pCaller;
    ULONG dParameters;                          /* the result included */
    ULONG_PTR adParameters[1 + SPY_PARAMETERS]; /* the result first */
} SPY_CALL;

typedef struct _SPY_HEADER {
    LARGE_INTEGER liStart;
    ULONG dRead, dWrite; /* offsets in the ring of lines */
    ULONG dCalls, dHandles, dName;
    ULONG dMisses; /* calls that found no slot */
} SPY_HEADER;

typedef struct _SPY_PROTOCOL {
    SPY_HEADER sh;
    HANDLE ahProcesses[SPY_HANDLES];
    HANDLE ahObjects[SPY_HANDLES];
    ULONG adNames[SPY_HANDLES];
    WCHAR awNames[SPY_NAME_BUFFER];
    UCHAR abData[SPY_DATA_BUFFER];
} SPY_PROTOCOL;

typedef struct _SPY_SERVICE_TABLE {
    PVOID *ServiceTable;
    PULONG CounterTable;
    ULONG_PTR ServiceLimit;
    PUCHAR ArgumentTable;
} SPY_SERVICE_TABLE;

typedef struct _SPY_SERVICE_DESCRIPTOR_TABLE {
    SPY_SERVICE_TABLE ntoskrnl, win32k, Table3, Table4;
} SPY_SERVICE_DESCRIPTOR_TABLE;

/* Tables of more services than SPY_SERVICES are cut. Addresses without an installation are NULL. */
typedef struct _SPY_HOOK_INFO {
    SPY_HEADER sh;
    SPY_CALL *psc;
    SPY_PROTOCOL *psp;
    SPY_SERVICE_DESCRIPTOR_TABLE *psdt;
    SPY_SERVICE_DESCRIPTOR_TABLE sdt;
    ULONG ServiceLimit;
    PVOID ServiceTable[SPY_SERVICES];
    UCHAR ArgumentTable[SPY_SERVICES];
    SPY_HOOK_ENTRY SpyHooks[SPY_SERVICES];
} SPY_HOOK_INFO;

/* Modules */
typedef struct _SPY_MODULE_INFO {
    PVOID pBase;
    ULONG dSize, dFlags, dIndex, dLoadCount, dNameOffset;
    CHAR abPath[SPY_PATH_SIZE];
} SPY_MODULE_INFO;

/* pbSymbol, or if it is NULL pEntryPoint. dArgumentBytes: a multiple of a pointer's size, at most
 * SPY_ARGUMENTS pointers. As dArgumentBytes, SPY_COPY(n): do not call, but return the n bytes that
 * lie there (0: the address itself). */
typedef struct _SPY_CALL_INPUT {
    LONG fFastCall;
    ULONG dArgumentBytes;
    PVOID pArguments;
    PCSTR pbSymbol;
    PVOID pEntryPoint;
} SPY_CALL_INPUT;
#define SPY_ARGUMENTS 16
#define SPY_COPY(n) (0xFFFFFFFF - (n))
#define SPY_COPY_MOST 8

typedef struct _SPY_CALL_OUTPUT {
    ULARGE_INTEGER uliResult;
} SPY_CALL_OUTPUT;

#define SPY_IS(type, field, offset32, offset64)                                                    \
    C_ASSERT(FIELD_OFFSET(type, field) == (sizeof(PVOID) == 8 ? (offset64) : (offset32)))
#define SPY_HAS(type, size32, size64)                                                              \
    C_ASSERT(sizeof(type) == (sizeof(PVOID) == 8 ? (size64) : (size32)))
SPY_HAS(SPY_VERSION_INFO, 2052, 2052);
SPY_HAS(SPY_OS_INFO, 620, 720);
SPY_IS(SPY_OS_INFO, PteArray, 28, 64);
SPY_IS(SPY_OS_INFO, pLowestUserAddress, 36, 96);
SPY_IS(SPY_OS_INFO, pSharedUserData, 60, 144);
SPY_IS(SPY_OS_INFO, dGlobalFlag, 72, 168);
SPY_IS(SPY_OS_INFO, awNtSystemRoot, 100, 196);
SPY_HAS(SPY_SELECTOR, 4, 4);
SPY_HAS(SPY_DESCRIPTOR, 8, 16);
SPY_HAS(SPY_TABLE, 8, 16);
SPY_HAS(SPY_SEGMENT, 24, 40);
SPY_IS(SPY_SEGMENT, Descriptor, 4, 8);
SPY_IS(SPY_SEGMENT, pBase, 12, 24);
SPY_IS(SPY_SEGMENT, fOk, 20, 36);
SPY_HAS(SPY_INTERRUPT, 44, 80);
SPY_IS(SPY_INTERRUPT, Gate, 4, 8);
SPY_IS(SPY_INTERRUPT, Segment, 12, 24);
SPY_IS(SPY_INTERRUPT, pOffset, 36, 64);
SPY_IS(SPY_INTERRUPT, fOk, 40, 72);
SPY_HAS(SPY_CPU_INFO, 200, 392);
SPY_IS(SPY_CPU_INFO, cr3, 8, 16);
SPY_IS(SPY_CPU_INFO, cs, 12, 72);
SPY_IS(SPY_CPU_INFO, tss, 156, 312);
SPY_IS(SPY_CPU_INFO, idt, 180, 352);
SPY_IS(SPY_CPU_INFO, gdt, 188, 368);
SPY_IS(SPY_CPU_INFO, ldt, 196, 384);
SPY_HAS(SPY_PDE_ARRAY, 4096, 4096);
SPY_HAS(SPY_PAGE_ENTRY, 12, 24);
SPY_IS(SPY_PAGE_ENTRY, dSize, 4, 8);
SPY_IS(SPY_PAGE_ENTRY, fPresent, 8, 16);
SPY_HAS(SPY_MEMORY_BLOCK, 8, 16);
SPY_IS(SPY_MEMORY_DATA, awData, 8, 16);
SPY_HAS(SPY_HANDLE_INFO, 8, 16);
SPY_HAS(SPY_HOOK_ENTRY, 8, 16);
SPY_HAS(SPY_CALL, 1048, 2096);
SPY_IS(SPY_CALL, adParameters, 20, 40);
SPY_HAS(SPY_HEADER, 32, 32);
SPY_HAS(SPY_PROTOCOL, 3194912, 3227680);
SPY_IS(SPY_PROTOCOL, ahObjects, 16416, 32800);
SPY_IS(SPY_PROTOCOL, adNames, 32800, 65568);
SPY_IS(SPY_PROTOCOL, awNames, 49184, 81952);
SPY_IS(SPY_PROTOCOL, abData, 2146336, 2179104);
SPY_HAS(SPY_SERVICE_DESCRIPTOR_TABLE, 64, 128);
SPY_HAS(SPY_HOOK_INFO, 3336, 6392);
SPY_IS(SPY_HOOK_INFO, sdt, 44, 56);
SPY_IS(SPY_HOOK_INFO, ServiceLimit, 108, 184);
SPY_IS(SPY_HOOK_INFO, ServiceTable, 112, 192);
SPY_IS(SPY_HOOK_INFO, ArgumentTable, 1104, 2176);
SPY_IS(SPY_HOOK_INFO, SpyHooks, 1352, 2424);
SPY_HAS(SPY_MODULE_INFO, 280, 288);
SPY_IS(SPY_MODULE_INFO, dSize, 4, 8);
SPY_IS(SPY_MODULE_INFO, abPath, 24, 28);
SPY_HAS(SPY_CALL_INPUT, 20, 32);
SPY_IS(SPY_CALL_INPUT, pArguments, 8, 8);
SPY_IS(SPY_CALL_INPUT, pEntryPoint, 16, 24);
SPY_HAS(SPY_CALL_OUTPUT, 8, 8);

#endif
