// What the overlay adds to wdm.h: plain declarations of the routines that mingw has inline, and
// newer routines. wdm.h includes this; a driver never does.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#undef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#undef DBG_UNREFERENCED_PARAMETER
#define DBG_UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#undef DBG_UNREFERENCED_LOCAL_VARIABLE
#define DBG_UNREFERENCED_LOCAL_VARIABLE(Variable) ((void)(Variable))

// Processor state
KIRQL NTAPI KeGetCurrentIrql(VOID);
VOID NTAPI KeLowerIrql(KIRQL NewIrql);
KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID);
KIRQL NTAPI KeRaiseIrqlToSynchLevel(VOID);
PKTHREAD NTAPI KeGetCurrentThread(VOID);

// Without a member of a null pointer, which a sanitizer reports.
#undef CONTAINING_RECORD
#undef FIELD_OFFSET
#define CONTAINING_RECORD(address, type, field)                                                    \
    ((type *)((char *)(address) - __builtin_offsetof(type, field)))
#define FIELD_OFFSET(type, field) ((LONG) __builtin_offsetof(type, field))

// Memory
#ifndef MM_MAPPING_ADDRESS_DIVISIBLE
#define MM_MAPPING_ADDRESS_DIVISIBLE 0x1
#endif
#ifndef MM_ALLOCATE_CONTIGUOUS_MEMORY_FAST_ONLY
#define MM_ALLOCATE_CONTIGUOUS_MEMORY_FAST_ONLY 0x00000001
#endif
NTSTATUS NTAPI MmAllocateContiguousMemoryEx(PSIZE_T NumberOfBytes,
                                            PHYSICAL_ADDRESS LowestAcceptableAddress,
                                            PHYSICAL_ADDRESS HighestAcceptableAddress,
                                            PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                            NODE_REQUIREMENT PreferredNode, ULONG Protect,
                                            PVOID PartitionObject, ULONG Tag, ULONG Flags,
                                            PVOID *BaseAddress);
PVOID NTAPI MmAllocateMappingAddressEx(SIZE_T NumberOfBytes, ULONG PoolTag, ULONG Flags);

// Security: what SeAssignSecurityEx is told
#ifndef SEF_DACL_AUTO_INHERIT
#define SEF_DACL_AUTO_INHERIT 0x01
#define SEF_SACL_AUTO_INHERIT 0x02
#define SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT 0x04
#define SEF_AVOID_PRIVILEGE_CHECK 0x08
#define SEF_AVOID_OWNER_CHECK 0x10
#define SEF_DEFAULT_OWNER_FROM_PARENT 0x20
#define SEF_DEFAULT_GROUP_FROM_PARENT 0x40
#endif

// Work items
BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                                 WORK_QUEUE_TYPE QueueType, PVOID Context);

#ifndef MemoryBarrier
#define MemoryBarrier() __sync_synchronize()
#endif
static inline VOID KeMemoryBarrier(VOID)
{
    __sync_synchronize();
}
#define KeMemoryBarrierWithoutFence() _ReadWriteBarrier()

// Without arithmetic on a null pointer: MmAllocatePagesForMdl's pages have no address.
#undef MmGetMdlVirtualAddress
#define MmGetMdlVirtualAddress(Mdl) ((PVOID)((ULONG_PTR)(Mdl)->StartVa + (Mdl)->ByteOffset))

// Time. The shared page is at its user address, which is the same in the kernel process and in
// every client.
#undef KI_USER_SHARED_DATA
#define KI_USER_SHARED_DATA 0x7FFE0000ULL
#undef KeQueryInterruptTime
#undef KeQuerySystemTime
#undef KeQueryTickCount
ULONGLONG NTAPI KeQueryInterruptTime(VOID);
VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
VOID NTAPI KeQueryTickCount(PLARGE_INTEGER CurrentCount);
VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
ULONGLONG NTAPI KeQueryUnbiasedInterruptTimePrecise(PULONG64 QpcTimeStamp);

// Debugging. An unmodified x64 source reads these through a pointer, as on Windows.
extern PBOOLEAN KdDebuggerEnabled;
extern PBOOLEAN KdDebuggerNotPresent;
#define KD_DEBUGGER_ENABLED *KdDebuggerEnabled
#define KD_DEBUGGER_NOT_PRESENT *KdDebuggerNotPresent
#undef KeInitializeCallbackRecord
#define KeInitializeCallbackRecord(CallbackRecord) ((CallbackRecord)->State = BufferEmpty)
#undef DbgRaiseAssertionFailure
VOID NTAPI DbgRaiseAssertionFailure(VOID);

// Pool
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_REQUIRED_START 0x0000000000000001ULL
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ULL
#define POOL_FLAG_SESSION 0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ULL
#define POOL_FLAG_RESERVED1 0x0000000000000010ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED 0x0000000000000100ULL
#define POOL_FLAG_RESERVED2 0x0000000000000200ULL
#define POOL_FLAG_RESERVED3 0x0000000000000400ULL
#define POOL_FLAG_REQUIRED_END 0x0000000080000000ULL
#define POOL_FLAG_OPTIONAL_START 0x0000000100000000ULL
#define POOL_FLAG_SPECIAL_POOL 0x0000000100000000ULL
#define POOL_FLAG_OPTIONAL_END 0x8000000000000000ULL

typedef enum _POOL_EXTENDED_PARAMETER_TYPE {
    PoolExtendedParameterInvalidType = 0,
    PoolExtendedParameterPriority,
    PoolExtendedParameterSecurePool,
    PoolExtendedParameterNumaNode,
    PoolExtendedParameterMax
} POOL_EXTENDED_PARAMETER_TYPE,
    *PPOOL_EXTENDED_PARAMETER_TYPE;

#define POOL_EXTENDED_PARAMETER_TYPE_BITS 8
#define POOL_EXTENDED_PARAMETER_REQUIRED_FIELD_BITS 1
#define POOL_EXTENDED_PARAMETER_RESERVED_BITS                                                      \
    (64 - POOL_EXTENDED_PARAMETER_TYPE_BITS - POOL_EXTENDED_PARAMETER_REQUIRED_FIELD_BITS)

typedef struct _POOL_EXTENDED_PARAMS_SECURE_POOL {
    HANDLE SecurePoolHandle;
    PVOID Buffer;
    ULONG_PTR Cookie;
    ULONG SecurePoolFlags;
} POOL_EXTENDED_PARAMS_SECURE_POOL;

typedef ULONG POOL_NODE_REQUIREMENT;
#define MM_ANY_NODE_OK 0x80000000

typedef struct _POOL_EXTENDED_PARAMETER {
    struct {
        ULONG64 Type : POOL_EXTENDED_PARAMETER_TYPE_BITS;
        ULONG64 Optional : POOL_EXTENDED_PARAMETER_REQUIRED_FIELD_BITS;
        ULONG64 Reserved : POOL_EXTENDED_PARAMETER_RESERVED_BITS;
    };
    union {
        ULONG64 Reserved2;
        PVOID Reserved3;
        EX_POOL_PRIORITY Priority;
        POOL_EXTENDED_PARAMS_SECURE_POOL *SecurePoolParams;
        POOL_NODE_REQUIREMENT PreferredNode;
    };
} POOL_EXTENDED_PARAMETER, *PPOOL_EXTENDED_PARAMETER;
typedef const POOL_EXTENDED_PARAMETER *PCPOOL_EXTENDED_PARAMETER;

#define POOL_ZERO_ALLOCATION 1024
#define POOL_NX_ALLOCATION 512
#ifndef POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#endif
#ifndef POOL_RAISE_IF_ALLOCATION_FAILURE
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#endif

PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                            ULONG ExtendedParametersCount);
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                       ULONG ExtendedParametersCount);

// The older names that now say whether memory is zeroed.
static inline PVOID NtPoolZeroed(PVOID Block, SIZE_T NumberOfBytes)
{
    if (Block != NULL)
        RtlZeroMemory(Block, NumberOfBytes);
    return Block;
}
static inline PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return NtPoolZeroed(ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag), NumberOfBytes);
}
static inline PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                      ULONG Tag)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}
static inline PVOID NTAPI ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                  ULONG Tag)
{
    return NtPoolZeroed(ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag), NumberOfBytes);
}
static inline PVOID NTAPI ExAllocatePoolQuotaUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                           ULONG Tag)
{
    return ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag);
}
static inline PVOID NTAPI ExAllocatePoolPriorityZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                     ULONG Tag, EX_POOL_PRIORITY Priority)
{
    return NtPoolZeroed(ExAllocatePoolWithTagPriority(PoolType, NumberOfBytes, Tag, Priority),
                        NumberOfBytes);
}
static inline PVOID NTAPI ExAllocatePoolPriorityUninitialized(POOL_TYPE PoolType,
                                                              SIZE_T NumberOfBytes, ULONG Tag,
                                                              EX_POOL_PRIORITY Priority)
{
    return ExAllocatePoolWithTagPriority(PoolType, NumberOfBytes, Tag, Priority);
}

#define DrvRtPoolNxOptIn 0x00000001
#ifdef POOL_NX_OPTIN
#define NonPagedPool NonPagedPoolNx
#define NonPagedPoolCacheAligned NonPagedPoolNxCacheAligned
#endif
static inline VOID NTAPI ExInitializeDriverRuntime(ULONG RuntimeFlags)
{
    (VOID) RuntimeFlags; // the opt-in is POOL_NX_OPTIN's, at compile time
}

// Memory
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
#define MdlMappingWithGuardPtes 0x20000000

#define MM_COPY_MEMORY_PHYSICAL 0x1
#define MM_COPY_MEMORY_VIRTUAL 0x2
typedef struct _MM_COPY_ADDRESS {
    union {
        PVOID VirtualAddress;
        PHYSICAL_ADDRESS PhysicalAddress;
    };
} MM_COPY_ADDRESS, *PMMCOPY_ADDRESS;

NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
                            SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred);
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
PVOID NTAPI MmMapMdl(PMDL Mdl, ULONG Protection, VOID(NTAPI *DriverRoutine)(PVOID, SIZE_T, PVOID),
                     PVOID DriverContext);
NTSTATUS NTAPI MmProtectDriverSection(PVOID AddressWithinSection, SIZE_T Size, ULONG Flags);
PVOID NTAPI MmAllocateContiguousNodeMemory(SIZE_T NumberOfBytes,
                                           PHYSICAL_ADDRESS LowestAcceptableAddress,
                                           PHYSICAL_ADDRESS HighestAcceptableAddress,
                                           PHYSICAL_ADDRESS BoundaryAddressMultiple, ULONG Protect,
                                           POOL_NODE_REQUIREMENT PreferredNode);
PMDL NTAPI MmAllocateNodePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                       PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                                       MEMORY_CACHING_TYPE CacheType, ULONG IdealNode, ULONG Flags);

// Push locks and reader-writer spin locks
#ifndef EX_PUSH_LOCK
#define EX_PUSH_LOCK ULONG_PTR
#define PEX_PUSH_LOCK PULONG_PTR
#endif
#define EX_DEFAULT_PUSH_LOCK_FLAGS 0
VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
#define ExAcquirePushLockExclusive(Lock)                                                           \
    ExAcquirePushLockExclusiveEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExAcquirePushLockShared(Lock) ExAcquirePushLockSharedEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExReleasePushLockExclusive(Lock)                                                           \
    ExReleasePushLockExclusiveEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExReleasePushLockShared(Lock) ExReleasePushLockSharedEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExReleasePushLock(Lock) ExReleasePushLockEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)

typedef LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK;
KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock);
VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock);
VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);
VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock);
KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock);
VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock);
VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql);
VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock);
LOGICAL NTAPI ExTryAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock);
LOGICAL NTAPI ExTryAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock);
LOGICAL NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock);

// Processors, threads and objects
ULONG NTAPI KeIsExecutingDpc(VOID);
LOGICAL NTAPI KeShouldYieldProcessor(VOID);
BOOLEAN NTAPI ObReferenceObjectSafe(PVOID Object);
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);
NTSTATUS NTAPI IoCreateSystemThread(PVOID IoObject, PHANDLE ThreadHandle, ULONG DesiredAccess,
                                    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                                    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext);
ULONGLONG NTAPI PsQueryTotalCycleTimeProcess(PEPROCESS Process, PULONG64 CycleTimeStamp);

// Drivers
typedef enum _DRIVER_REGKEY_TYPE {
    DriverRegKeyParameters,
    DriverRegKeyPersistentState,
    DriverRegKeySharedPersistentState
} DRIVER_REGKEY_TYPE,
    *PDRIVER_REGKEY_TYPE;
typedef enum _DRIVER_DIRECTORY_TYPE {
    DriverDirectoryImage,
    DriverDirectoryData,
    DriverDirectorySharedData
} DRIVER_DIRECTORY_TYPE,
    *PDRIVER_DIRECTORY_TYPE;
NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                       ACCESS_MASK DesiredAccess, ULONG Flags,
                                       PHANDLE DriverRegKey);
NTSTATUS NTAPI IoGetDriverDirectory(PDRIVER_OBJECT DriverObject,
                                    DRIVER_DIRECTORY_TYPE DirectoryType, ULONG Flags,
                                    PHANDLE DriverDirectoryHandle);
PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota);
PVOID NTAPI MmGetSystemRoutineAddressEx(PUNICODE_STRING ModuleName, PCSTR FunctionName);

// Strings and memory
VOID NTAPI RtlInitUTF8String(PUTF8_STRING DestinationString, PCSTR SourceString);
NTSTATUS NTAPI RtlInitUTF8StringEx(PUTF8_STRING DestinationString, PCSTR SourceString);
NTSTATUS NTAPI RtlInitStringEx(PSTRING DestinationString, PCSTR SourceString);
VOID NTAPI RtlFreeUTF8String(PUTF8_STRING Utf8String);
NTSTATUS NTAPI RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString,
                                            PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString);
NTSTATUS NTAPI RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString,
                                            const STRING *SourceString,
                                            BOOLEAN AllocateDestinationString);
VOID NTAPI RtlFillMemoryNonTemporal(VOID *Destination, SIZE_T Length, UCHAR Value);
BOOLEAN NTAPI RtlIsZeroMemory(PVOID Buffer, SIZE_T Length);

static inline VOID NTAPI ExInitializeDeleteTimerParameters(PEXT_DELETE_PARAMETERS Parameters)
{
    RtlZeroMemory(Parameters, sizeof(*Parameters));
}

#define NT_ATOMIC_READ(name, type, suffix, order)                                                  \
    static inline type name##suffix(type const volatile *Source)                                   \
    {                                                                                              \
        return __atomic_load_n(Source, order);                                                     \
    }
#define NT_ATOMIC_WRITE(name, type, suffix, order)                                                 \
    static inline VOID name##suffix(type volatile *Destination, type Value)                        \
    {                                                                                              \
        __atomic_store_n(Destination, Value, order);                                               \
    }
#define NT_ATOMIC(name, type)                                                                      \
    NT_ATOMIC_READ(Read##name, type, NoFence, __ATOMIC_RELAXED)                                    \
    NT_ATOMIC_READ(Read##name, type, Raw, __ATOMIC_RELAXED)                                        \
    NT_ATOMIC_READ(Read##name, type, Acquire, __ATOMIC_ACQUIRE)                                    \
    NT_ATOMIC_WRITE(Write##name, type, NoFence, __ATOMIC_RELAXED)                                  \
    NT_ATOMIC_WRITE(Write##name, type, Raw, __ATOMIC_RELAXED)                                      \
    NT_ATOMIC_WRITE(Write##name, type, Release, __ATOMIC_RELEASE)
NT_ATOMIC(Int8, CHAR)
NT_ATOMIC(UInt8, UCHAR)
NT_ATOMIC(Int16, SHORT)
NT_ATOMIC(UInt16, USHORT)
NT_ATOMIC(Int32, int)
NT_ATOMIC(UInt32, unsigned)
NT_ATOMIC(Boolean, BOOLEAN)
NT_ATOMIC(UChar, UCHAR)
NT_ATOMIC(Long, LONG)
NT_ATOMIC(ULong, ULONG)
NT_ATOMIC(Int64, LONG64)
NT_ATOMIC(UInt64, ULONG64)
NT_ATOMIC(Long64, LONG64)
NT_ATOMIC(ULong64, ULONG64)
NT_ATOMIC(Pointer, PVOID)

#ifndef NT_VERIFY
#define NT_VERIFY(exp) ((!(exp)) ? (DbgRaiseAssertionFailure(), FALSE) : TRUE)
#define NT_VERIFYMSG(msg, exp) NT_VERIFY(exp)
#endif
#ifndef NT_FRE_ASSERT
#define NT_FRE_ASSERT(exp) ((VOID)((!(exp)) ? (DbgRaiseAssertionFailure(), FALSE) : TRUE))
#endif

// Types of routines, for their declaration ("IO_CSQ_INSERT_IRP MyInsert;"), where mingw has only
// the pointer's
typedef __typeof__(*(PALLOCATE_FUNCTION)0) ALLOCATE_FUNCTION;
typedef __typeof__(*(PALLOCATE_FUNCTION_EX)0) ALLOCATE_FUNCTION_EX;
typedef __typeof__(*(PFREE_FUNCTION_EX)0) FREE_FUNCTION_EX;
typedef __typeof__(*(PFREE_FUNCTION)0) FREE_FUNCTION;
typedef __typeof__(*(PRTL_QUERY_REGISTRY_ROUTINE)0) RTL_QUERY_REGISTRY_ROUTINE;
typedef __typeof__(*(PKNORMAL_ROUTINE)0) KNORMAL_ROUTINE;
typedef __typeof__(*(PKKERNEL_ROUTINE)0) KKERNEL_ROUTINE;
typedef __typeof__(*(PKRUNDOWN_ROUTINE)0) KRUNDOWN_ROUTINE;
typedef __typeof__(*(PIO_CSQ_INSERT_IRP)0) IO_CSQ_INSERT_IRP;
typedef __typeof__(*(PIO_CSQ_REMOVE_IRP)0) IO_CSQ_REMOVE_IRP;
typedef __typeof__(*(PIO_CSQ_PEEK_NEXT_IRP)0) IO_CSQ_PEEK_NEXT_IRP;
typedef __typeof__(*(PIO_CSQ_ACQUIRE_LOCK)0) IO_CSQ_ACQUIRE_LOCK;
typedef __typeof__(*(PIO_CSQ_RELEASE_LOCK)0) IO_CSQ_RELEASE_LOCK;
typedef __typeof__(*(PIO_CSQ_COMPLETE_CANCELED_IRP)0) IO_CSQ_COMPLETE_CANCELED_IRP;

#ifdef __cplusplus
}
#endif
