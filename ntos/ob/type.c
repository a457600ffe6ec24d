/*
 * Object types: made by every room for its own nouns; ob's own are here. A type is an object of
 * type Type, in \ObjectTypes, and lives until ob ends.
 */
#include "ob/obp.h"

POBJECT_TYPE ObpTypeType, ObpDirectoryType, ObpSymbolicLinkType, ObpEventType, ObpMutantType,
    ObpSemaphoreType, ObpTimerType, ObpSectionType, ObpCallbackType;
POBJECT_TYPE *ExEventObjectType = &ObpEventType;
POBJECT_TYPE *ExSemaphoreObjectType = &ObpSemaphoreType;
POBJECT_TYPE *ExMutantObjectType = &ObpMutantType;
POBJECT_TYPE *ExTimerObjectType = &ObpTimerType;
POBJECT_TYPE *MmSectionObjectType = &ObpSectionType;

static OBJECT_HEADER_NT *ObpNewTypeHeader(void)
{
    SIZE_T Bytes = sizeof(OBJECT_HEADER_NT) + sizeof(OBJECT_TYPE_NT);
    OBJECT_HEADER_NT *Header = ExAllocatePoolWithTag(NonPagedPool, Bytes, 'TjbO');

    if (Header == NULL)
        return NULL;
    RtlZeroMemory(Header, Bytes);
    atomic_init(&Header->PointerCount, 1);
    Header->Attributes = OBJ_PERMANENT;
    Header->BodySize = sizeof(OBJECT_TYPE_NT);
    Header->KernelObject = TRUE;
    Header->Type = ObpTypeType != NULL ? ObpTypeType : OBP_BODY(Header); /* Type is its own type */
    return Header;
}

static void ObpNameType(POBJECT_TYPE Type)
{
    NTSTATUS Status;

    ExLockExclusive_(&ObpState.Names);
    Status = ObpFind(ObpState.TypeDirectory, &Type->Name, TRUE) == NULL
                 ? ObpLink(ObpState.TypeDirectory, ObHeader(Type), &Type->Name)
                 : STATUS_OBJECT_NAME_COLLISION;
    ExUnlockExclusive_(&ObpState.Names);
    NT_ASSERT(NT_SUCCESS(Status) || Status == STATUS_INSUFFICIENT_RESOURCES);
}

static BOOLEAN ObpIsNamed(POBJECT_TYPE Type, PCWSTR Name)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    return RtlEqualUnicodeString(&Type->Name, &String, FALSE);
}

NTSTATUS ObCreateObjectType_(PCWSTR Name, const OB_TYPE_PROCEDURES *Procedures,
                             const GENERIC_MAPPING *Mapping, ACCESS_MASK ValidAccess,
                             POOL_TYPE Pool, ULONG Tag, ULONG_PTR WaitOffset, POBJECT_TYPE *Type)
{
    OBJECT_HEADER_NT *Header;
    POBJECT_TYPE New;
    SIZE_T Length = wcslen(Name);

    NT_ASSERT(Length < RTL_NUMBER_OF(New->NameBuffer) &&
              ObpState.TypeCount < RTL_NUMBER_OF(ObpState.Types));
    Header = ObpNewTypeHeader();
    if (Header == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    New = OBP_BODY(Header);
    RtlCopyMemory(New->NameBuffer, Name, Length * sizeof(WCHAR));
    RtlInitUnicodeString(&New->Name, New->NameBuffer);
    if (Procedures != NULL)
        New->Procedures = *Procedures;
    New->Mapping = *Mapping;
    New->ValidAccess = ValidAccess | SYNCHRONIZE;
    New->Pool = Pool;
    New->Tag = Tag;
    New->WaitOffset = WaitOffset;
    New->Index = ObpState.TypeCount + 1;
    New->SupportsCallbacks = ObpIsNamed(New, L"Process") || ObpIsNamed(New, L"Thread");
    KeInitializeSpinLock(&New->Lock);
    InitializeListHead(&New->Objects);
    InitializeListHead(&Header->TypeEntry);
    ObpState.Types[ObpState.TypeCount++] = New;
    *Type = New;
    if (ObpState.TypeDirectory != NULL)
        ObpNameType(New);
    return STATUS_SUCCESS;
}

/* The types that were made before there was a directory for them. */
void ObpNameTypes(void)
{
    ULONG Index;

    for (Index = 0; Index < ObpState.TypeCount; Index++)
        ObpNameType(ObpState.Types[Index]);
}

/* Every object has gone. */
void ObpDeleteTypes(void)
{
    ULONG Index;

    for (Index = 0; Index < ObpState.TypeCount; Index++) {
        OBJECT_HEADER_NT *Header = ObHeader(ObpState.Types[Index]);
        NT_ASSERT(Header->Name.Buffer == NULL);
        ObpFreeSecurity(Header);
        ExFreePoolWithTag(Header, 'TjbO');
    }
    ObpState.TypeCount = 0;
    ObpTypeType = NULL;
}

static void ObpDeleteMutant(PVOID Object)
{
    KeForgetMutant_(Object); /* somebody may hold it still, the caller or another thread */
}

static void ObpDeleteTimer(PVOID Object)
{
    KeCancelTimer(Object);
}

static void ObpDeleteSection(PVOID Object)
{
    MM_SECTION *Section = Object;

    if (Section->Bytes != 0)
        MmDeleteSection_(Section);
}

typedef struct OBP_TYPE_DEFINITION {
    PCWSTR Name;
    POBJECT_TYPE *Type;
    OB_TYPE_PROCEDURES Procedures;
    GENERIC_MAPPING Mapping;
    ACCESS_MASK ValidAccess;
    ULONG Tag;
    ULONG_PTR WaitOffset;
} OBP_TYPE_DEFINITION;

#define OBP_MAPPING(read, write, all)                                                              \
    {                                                                                              \
        STANDARD_RIGHTS_READ | (read), STANDARD_RIGHTS_WRITE | (write),                            \
            STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, (all)                                           \
    }

static const OBP_TYPE_DEFINITION ObpTypes[] = {
    {L"Type", &ObpTypeType, {0}, OBP_MAPPING(0, 0, 0xF0001), 0xF0001, 'TjbO', OB_NOT_WAITABLE},
    {L"Directory",
     &ObpDirectoryType,
     {.Delete = ObpDeleteDirectory},
     {STANDARD_RIGHTS_READ | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
      STANDARD_RIGHTS_WRITE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY,
      STANDARD_RIGHTS_EXECUTE | DIRECTORY_QUERY | DIRECTORY_TRAVERSE, DIRECTORY_ALL_ACCESS},
     DIRECTORY_ALL_ACCESS,
     'eriD',
     OB_NOT_WAITABLE},
    {L"SymbolicLink",
     &ObpSymbolicLinkType,
     {.Parse = ObpParseLink, .Delete = ObpDeleteLink},
     {STANDARD_RIGHTS_READ | SYMBOLIC_LINK_QUERY, STANDARD_RIGHTS_WRITE,
      STANDARD_RIGHTS_EXECUTE | SYMBOLIC_LINK_QUERY, SYMBOLIC_LINK_ALL_ACCESS},
     SYMBOLIC_LINK_ALL_ACCESS,
     'bmyS',
     OB_NOT_WAITABLE},
    {L"Event", &ObpEventType, {0}, OBP_MAPPING(1, 2, 0x1F0003), 0x1F0003, 'nevE', 0},
    {L"Mutant",
     &ObpMutantType,
     {.Delete = ObpDeleteMutant},
     OBP_MAPPING(1, 0, 0x1F0001),
     0x1F0001,
     'atuM',
     0},
    {L"Semaphore", &ObpSemaphoreType, {0}, OBP_MAPPING(1, 2, 0x1F0003), 0x1F0003, 'ameS', 0},
    {L"Timer",
     &ObpTimerType,
     {.Delete = ObpDeleteTimer},
     OBP_MAPPING(1, 2, 0x1F0003),
     0x1F0003,
     'emiT',
     0},
    {L"Section",
     &ObpSectionType,
     {.Delete = ObpDeleteSection},
     {STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
      STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE, STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE,
      SECTION_ALL_ACCESS},
     SECTION_ALL_ACCESS,
     'tceS',
     OB_NOT_WAITABLE},
    {L"Callback",
     &ObpCallbackType,
     {.Delete = ObpDeleteCallback},
     OBP_MAPPING(0, 1, 0x1F0001),
     0x1F0001,
     'llaC',
     OB_NOT_WAITABLE},
};

NTSTATUS ObpCreateTypes(void)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(ObpTypes); Index++) {
        const OBP_TYPE_DEFINITION *Definition = &ObpTypes[Index];
        Status = ObCreateObjectType_(Definition->Name, &Definition->Procedures,
                                     &Definition->Mapping, Definition->ValidAccess, NonPagedPool,
                                     Definition->Tag, Definition->WaitOffset, Definition->Type);
    }
    return Status;
}
