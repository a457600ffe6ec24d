/*
 * What is said about a key.
 */
#include "cm/cmp.h"

typedef struct CMP_CACHED { /* KEY_CACHED_INFORMATION */
    LARGE_INTEGER LastWriteTime;
    ULONG TitleIndex, SubKeys, MaxNameLen, Values, MaxValueNameLen, MaxValueDataLen, NameLength;
} CMP_CACHED;

static void CmpMeasure(CM_NODE *Node, KEY_FULL_INFORMATION *Full)
{
    ULONG Index;

    *Full = (KEY_FULL_INFORMATION){.LastWriteTime = Node->LastWriteTime,
                                   .ClassOffset = MAXULONG,
                                   .SubKeys = Node->SubkeyCount,
                                   .Values = Node->ValueCount};
    for (Index = 0; Index < Node->SubkeyCount; Index++)
        Full->MaxNameLen = max(Full->MaxNameLen, (ULONG)Node->Subkeys[Index]->Name.Length);
    for (Index = 0; Index < Node->ValueCount; Index++) {
        Full->MaxValueNameLen = max(Full->MaxValueNameLen, (ULONG)Node->Values[Index]->Name.Length);
        Full->MaxValueDataLen = max(Full->MaxValueDataLen, Node->Values[Index]->Length);
    }
}

static NTSTATUS CmpDescribeBasic(CM_NODE *Node, BOOLEAN WithClass, CMP_OUTPUT *Output,
                                 PULONG Returned)
{
    KEY_BASIC_INFORMATION Basic = {.LastWriteTime = Node->LastWriteTime,
                                   .NameLength = Node->Name.Length};
    KEY_NODE_INFORMATION Full = {.LastWriteTime = Node->LastWriteTime,
                                 .ClassOffset = MAXULONG,
                                 .NameLength = Node->Name.Length};

    Output->Header = WithClass ? FIELD_OFFSET(KEY_NODE_INFORMATION, Name)
                               : FIELD_OFFSET(KEY_BASIC_INFORMATION, Name);
    CmpPut(Output, 0, WithClass ? (PVOID)&Full : &Basic, Output->Header);
    CmpPut(Output, Output->Header, Node->Name.Buffer, Node->Name.Length);
    return CmpFinish(Output, Returned);
}

static NTSTATUS CmpDescribePath(CM_NODE *Node, CMP_OUTPUT *Output, PULONG Returned)
{
    ULONG Bytes = CmpPathBytes(Node);
    PUCHAR Path = ExAllocatePoolWithTag(PagedPool, Bytes, CMP_TAG);

    if (Path == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    CmpWritePath(Node, Path + Bytes);
    Output->Header = sizeof(ULONG);
    CmpPut(Output, 0, &Bytes, sizeof(ULONG));
    CmpPut(Output, sizeof(ULONG), Path, Bytes);
    ExFreePoolWithTag(Path, CMP_TAG);
    return CmpFinish(Output, Returned);
}

/* Keys have no class here. */
NTSTATUS CmpDescribeKey(CM_NODE *Node, KEY_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                        PULONG Returned)
{
    CMP_OUTPUT Output = {.Buffer = Information, .Length = Length};
    KEY_FULL_INFORMATION Full;
    CMP_CACHED Cached;

    switch (Class) {
    case KeyBasicInformation:
    case KeyNodeInformation:
        return CmpDescribeBasic(Node, Class == KeyNodeInformation, &Output, Returned);
    case KeyFullInformation:
        CmpMeasure(Node, &Full);
        Output.Header = FIELD_OFFSET(KEY_FULL_INFORMATION, Class);
        CmpPut(&Output, 0, &Full, Output.Header);
        return CmpFinish(&Output, Returned);
    case KeyCachedInformation:
        CmpMeasure(Node, &Full);
        Cached = (CMP_CACHED){Full.LastWriteTime,   0,
                              Full.SubKeys,         Full.MaxNameLen,
                              Full.Values,          Full.MaxValueNameLen,
                              Full.MaxValueDataLen, Node->Name.Length};
        Output.Header = FIELD_OFFSET(CMP_CACHED, NameLength) + sizeof(ULONG);
        CmpPut(&Output, 0, &Cached, Output.Header);
        return CmpFinish(&Output, Returned);
    case KeyNameInformation:
        return CmpDescribePath(Node, &Output, Returned);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}
