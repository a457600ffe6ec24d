/*
 * Values of a node, and results of variable length.
 */
#include "cm/cmp.h"

void CmpPut(CMP_OUTPUT *Output, ULONG Offset, const void *Data, ULONG Bytes)
{
    ULONG Fits = Offset >= Output->Length ? 0 : min(Bytes, Output->Length - Offset);

    if (Fits != 0 && Output->Length >= Output->Header)
        RtlCopyMemory(Output->Buffer + Offset, Data, Fits);
    Output->Used = max(Output->Used, Offset + Bytes);
}

NTSTATUS CmpFinish(CMP_OUTPUT *Output, PULONG Returned)
{
    *Returned = Output->Used;
    if (Output->Length < Output->Header)
        return STATUS_BUFFER_TOO_SMALL;
    return Output->Length < Output->Used ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

CM_VALUE *CmpFindValue(CM_NODE *Node, PCUNICODE_STRING Name, ULONG *Index)
{
    for (*Index = 0; *Index < Node->ValueCount; ++*Index)
        if (RtlEqualUnicodeString(Name, &Node->Values[*Index]->Name, TRUE))
            return Node->Values[*Index];
    return NULL;
}

static CM_VALUE *CmpNewValue(PCUNICODE_STRING Name)
{
    CM_VALUE *Value = ExAllocatePoolWithTag(PagedPool, sizeof(*Value) + Name->Length, CMP_TAG);

    if (Value == NULL)
        return NULL;
    *Value = (CM_VALUE){.Name = {Name->Length, Name->Length, (PWCH)(Value + 1)}};
    if (Name->Length != 0)
        RtlCopyMemory(Value->Name.Buffer, Name->Buffer, Name->Length);
    return Value;
}

static NTSTATUS CmpAppendValue(CM_NODE *Node, PCUNICODE_STRING Name, CM_VALUE **Value)
{
    if (Node->ValueCount == Node->ValueRoom) {
        ULONG Room = Node->ValueRoom == 0 ? 4 : Node->ValueRoom * 2;
        CM_VALUE **Values = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Room * sizeof(PVOID), CMP_TAG);
        if (Values == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        if (Node->Values != NULL) {
            RtlCopyMemory(Values, Node->Values, (SIZE_T)Node->ValueCount * sizeof(PVOID));
            ExFreePoolWithTag(Node->Values, CMP_TAG);
        }
        Node->Values = Values;
        Node->ValueRoom = Room;
    }
    *Value = CmpNewValue(Name);
    if (*Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Node->Values[Node->ValueCount++] = *Value;
    return STATUS_SUCCESS;
}

NTSTATUS CmpPutValue(CM_NODE *Node, PCUNICODE_STRING Name, ULONG Type, const void *Data,
                     ULONG Length)
{
    PVOID Copy = NULL;
    CM_VALUE *Value;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    if (Length != 0) {
        Copy = ExAllocatePoolWithTag(PagedPool, Length, CMP_TAG);
        if (Copy == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        RtlCopyMemory(Copy, Data, Length);
    }
    Value = CmpFindValue(Node, Name, &Index);
    if (Value == NULL)
        Status = CmpAppendValue(Node, Name, &Value);
    if (!NT_SUCCESS(Status)) {
        if (Copy != NULL)
            ExFreePoolWithTag(Copy, CMP_TAG);
        return Status;
    }
    if (Value->Data != NULL)
        ExFreePoolWithTag(Value->Data, CMP_TAG);
    Value->Type = Type;
    Value->Data = Copy;
    Value->Length = Length;
    return STATUS_SUCCESS;
}

void CmpDropValue(CM_NODE *Node, ULONG Index)
{
    CM_VALUE *Value = Node->Values[Index];

    RtlMoveMemory(&Node->Values[Index], &Node->Values[Index + 1],
                  (Node->ValueCount - Index - 1) * sizeof(PVOID));
    Node->ValueCount--;
    if (Value->Data != NULL)
        ExFreePoolWithTag(Value->Data, CMP_TAG);
    ExFreePoolWithTag(Value, CMP_TAG);
}

static NTSTATUS CmpDescribeFull(CM_VALUE *Value, ULONG Alignment, CMP_OUTPUT *Output,
                                PULONG Returned)
{
    KEY_VALUE_FULL_INFORMATION Full = {
        .Type = Value->Type, .DataLength = Value->Length, .NameLength = Value->Name.Length};
    ULONG Name = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);

    Full.DataOffset = Value->Length == 0
                          ? MAXULONG
                          : (Name + Value->Name.Length + Alignment - 1) & ~(Alignment - 1);
    Output->Header = Name;
    CmpPut(Output, 0, &Full, Name);
    CmpPut(Output, Name, Value->Name.Buffer, Value->Name.Length);
    if (Value->Length != 0)
        CmpPut(Output, Full.DataOffset, Value->Data, Value->Length);
    return CmpFinish(Output, Returned);
}

static NTSTATUS CmpDescribePartial(CM_VALUE *Value, BOOLEAN Align64, CMP_OUTPUT *Output,
                                   PULONG Returned)
{
    KEY_VALUE_PARTIAL_INFORMATION Partial = {.Type = Value->Type, .DataLength = Value->Length};
    ULONG Skip =
        Align64 ? FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Type) : 0; /* no TitleIndex */

    Output->Header = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) - Skip;
    CmpPut(Output, 0, (PUCHAR)&Partial + Skip, Output->Header);
    CmpPut(Output, Output->Header, Value->Data, Value->Length);
    return CmpFinish(Output, Returned);
}

NTSTATUS CmpDescribeValue(CM_VALUE *Value, KEY_VALUE_INFORMATION_CLASS Class, PVOID Information,
                          ULONG Length, PULONG Returned)
{
    CMP_OUTPUT Output = {.Buffer = Information, .Length = Length};
    KEY_VALUE_BASIC_INFORMATION Basic = {.Type = Value->Type, .NameLength = Value->Name.Length};

    switch (Class) {
    case KeyValueBasicInformation:
        Output.Header = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
        CmpPut(&Output, 0, &Basic, Output.Header);
        CmpPut(&Output, Output.Header, Value->Name.Buffer, Value->Name.Length);
        return CmpFinish(&Output, Returned);
    case KeyValueFullInformation:
        return CmpDescribeFull(Value, 4, &Output, Returned);
    case KeyValueFullInformationAlign64:
        return CmpDescribeFull(Value, 8, &Output, Returned);
    case KeyValuePartialInformation:
        return CmpDescribePartial(Value, FALSE, &Output, Returned);
    case KeyValuePartialInformationAlign64:
        return CmpDescribePartial(Value, TRUE, &Output, Returned);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}
