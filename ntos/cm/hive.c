/*
 * The hive file, through hivex.
 *
 * A save writes the whole tree (without volatile keys) into a fresh hive beside the old one, which
 * then takes its place in one step. hivex speaks UTF-8 and knows neither classes nor descriptors:
 * they are not kept. A name that is not valid UTF-16, or has a zero in it, cannot be kept either;
 * its key or value is left out.
 */
#include "cm/cmp.h"

#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static char *CmpToUtf8(PCUNICODE_STRING Name)
{
    ULONG Bytes = 0, Length = Name->Length / sizeof(WCHAR) * 3 + 1;
    char *Text = malloc(Length);

    if (Text == NULL)
        return NULL;
    if (RtlUnicodeToUTF8N(Text, Length - 1, &Bytes, Name->Buffer, Name->Length) != STATUS_SUCCESS ||
        memchr(Text, 0, Bytes) != NULL) {
        free(Text);
        return NULL;
    }
    Text[Bytes] = 0;
    return Text;
}

static BOOLEAN CmpFromUtf8(const char *Text, PUNICODE_STRING Name)
{
    ULONG Length = (ULONG)strlen(Text), Bytes = 0;

    *Name = (UNICODE_STRING){0};
    if (Length * sizeof(WCHAR) > UNICODE_STRING_MAX_BYTES)
        return FALSE;
    Name->Buffer = malloc(Length * sizeof(WCHAR) + sizeof(WCHAR));
    if (Name->Buffer == NULL || !NT_SUCCESS(RtlUTF8ToUnicodeN(Name->Buffer, Length * sizeof(WCHAR),
                                                              &Bytes, Text, Length))) {
        free(Name->Buffer);
        return FALSE;
    }
    Name->Length = Name->MaximumLength = (USHORT)Bytes;
    return TRUE;
}

/* ---- loading ---- */

static NTSTATUS CmpLoadValue(hive_h *Hive, hive_value_h From, CM_NODE *Node)
{
    char *Key = hivex_value_key(Hive, From), *Data = NULL;
    UNICODE_STRING Name = {0};
    NTSTATUS Status = STATUS_REGISTRY_CORRUPT;
    hive_type Type;
    size_t Length;

    if (Key != NULL)
        Data = hivex_value_value(Hive, From, &Type, &Length);
    if (Data != NULL && Length <= MAXLONG && CmpFromUtf8(Key, &Name))
        Status = CmpPutValue(Node, &Name, Type, Data, (ULONG)Length);
    free(Name.Buffer);
    free(Data);
    free(Key);
    return Status;
}

static NTSTATUS CmpLoadValues(hive_h *Hive, hive_node_h From, CM_NODE *Node)
{
    hive_value_h *Values = hivex_node_values(Hive, From);
    NTSTATUS Status = Values != NULL ? STATUS_SUCCESS : STATUS_REGISTRY_CORRUPT;
    UNICODE_STRING Link = RTL_CONSTANT_STRING(CMP_LINK_VALUE);
    CM_VALUE *Value;
    ULONG Index;

    for (size_t i = 0; NT_SUCCESS(Status) && Values[i] != 0; i++)
        Status = CmpLoadValue(Hive, Values[i], Node);
    free(Values);
    Value = CmpFindValue(Node, &Link, &Index);
    Node->Link = Value != NULL && Value->Type == REG_LINK;
    return Status;
}

static NTSTATUS CmpLoadNode(hive_h *Hive, hive_node_h From, CM_NODE *Node, ULONG Depth);

static NTSTATUS CmpLoadChild(hive_h *Hive, hive_node_h From, CM_NODE *Parent, ULONG Depth)
{
    char *Text = hivex_node_name(Hive, From);
    NTSTATUS Status = STATUS_REGISTRY_CORRUPT;
    UNICODE_STRING Name = {0};
    CM_NODE *Node = NULL;

    if (Text != NULL && CmpFromUtf8(Text, &Name) && Name.Length != 0) {
        Node = CmpNewNode(&Name, FALSE);
        Status = Node != NULL ? CmpAddSubkey(Parent, Node) : STATUS_INSUFFICIENT_RESOURCES;
        if (Node != NULL && !NT_SUCCESS(Status))
            CmpDereferenceNode(Node);
    }
    if (NT_SUCCESS(Status)) {
        int64_t Time = hivex_node_timestamp(Hive, From);
        Node->LastWriteTime.QuadPart = Time > 0 ? Time : Node->LastWriteTime.QuadPart;
        Status = CmpLoadNode(Hive, From, Node, Depth + 1);
    }
    free(Name.Buffer);
    free(Text);
    return Status;
}

static NTSTATUS CmpLoadNode(hive_h *Hive, hive_node_h From, CM_NODE *Node, ULONG Depth)
{
    NTSTATUS Status = Depth < 512 ? CmpLoadValues(Hive, From, Node) : STATUS_REGISTRY_CORRUPT;
    hive_node_h *Children = NT_SUCCESS(Status) ? hivex_node_children(Hive, From) : NULL;

    if (NT_SUCCESS(Status) && Children == NULL)
        Status = STATUS_REGISTRY_CORRUPT;
    for (size_t i = 0; NT_SUCCESS(Status) && Children[i] != 0; i++)
        Status = CmpLoadChild(Hive, Children[i], Node, Depth);
    free(Children);
    return Status;
}

NTSTATUS CmpLoadHive(const char *Path, CM_NODE *Root)
{
    NTSTATUS Status = STATUS_REGISTRY_CORRUPT;
    hive_h *Hive;

    if (!host_file_exists(Path))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Hive = hivex_open(Path, 0);
    if (Hive == NULL)
        return Status;
    if (hivex_root(Hive) != 0)
        Status = CmpLoadNode(Hive, hivex_root(Hive), Root, 0);
    hivex_close(Hive);
    return Status;
}

/* ---- saving ---- */

#define CMP_BLOCK 0x1000u

static void CmpPut32(UCHAR *At, ULONG Value)
{
    memcpy(At, &Value, sizeof(Value));
}

static void CmpPut16(UCHAR *At, USHORT Value)
{
    memcpy(At, &Value, sizeof(Value));
}

static void CmpWriteHeader(UCHAR *File)
{
    ULONG Sum = 0, Word;

    memcpy(File, "regf", 4);
    CmpPut32(File + 0x04, 1); /* the two sequence numbers agree */
    CmpPut32(File + 0x08, 1);
    CmpPut32(File + 0x14, 1); /* version 1.3: values of any size in one cell */
    CmpPut32(File + 0x18, 3);
    CmpPut32(File + 0x20, 1);         /* memory format */
    CmpPut32(File + 0x24, 0x20);      /* the root's cell */
    CmpPut32(File + 0x28, CMP_BLOCK); /* bytes of bins */
    CmpPut32(File + 0x2C, 1);
    for (ULONG i = 0; i < 0x1FC; i += 4) {
        memcpy(&Word, File + i, 4);
        Sum ^= Word;
    }
    CmpPut32(File + 0x1FC, Sum);
}

/* Self-relative, without owner, group and lists. */
static const UCHAR CmpEmptyDescriptor[20] = {1, 0, 0x04, 0x80};

/* A bin with the root key, its security cell, and the rest free. Cells: negative size in front,
 * multiples of 8. */
static void CmpWriteBin(UCHAR *Bin)
{
    const ULONG Key = 0x20, KeyBytes = 0x58, Security = Key + KeyBytes, SecurityBytes = 0x30,
                Free = Security + SecurityBytes;
    UCHAR *Nk = Bin + Key, *Sk = Bin + Security;

    memcpy(Bin, "hbin", 4);
    CmpPut32(Bin + 0x08, CMP_BLOCK);
    CmpPut32(Nk, (ULONG) - (LONG)KeyBytes);
    memcpy(Nk + 4, "nk", 2);
    CmpPut16(Nk + 6, 0x2C);        /* hive entry, not to be deleted, 8-bit name */
    CmpPut32(Nk + 0x14, MAXULONG); /* parent */
    CmpPut32(Nk + 0x20, MAXULONG); /* subkeys, volatile subkeys, values: none */
    CmpPut32(Nk + 0x24, MAXULONG);
    CmpPut32(Nk + 0x2C, MAXULONG);
    CmpPut32(Nk + 0x30, Security);
    CmpPut32(Nk + 0x34, MAXULONG); /* class */
    CmpPut16(Nk + 0x4C, 7);
    memcpy(Nk + 0x50, "MACHINE", 7);
    CmpPut32(Sk, (ULONG) - (LONG)SecurityBytes);
    memcpy(Sk + 4, "sk", 2);
    CmpPut32(Sk + 0x08, Security); /* a ring of one */
    CmpPut32(Sk + 0x0C, Security);
    CmpPut32(Sk + 0x10, 1);
    CmpPut32(Sk + 0x14, sizeof(CmpEmptyDescriptor));
    memcpy(Sk + 0x18, CmpEmptyDescriptor, sizeof(CmpEmptyDescriptor));
    CmpPut32(Bin + Free, CMP_BLOCK - Free);
}

static NTSTATUS CmpSaveValues(hive_h *Hive, hive_node_h To, CM_NODE *Node)
{
    hive_set_value *Values = calloc(Node->ValueCount + 1, sizeof(*Values));
    NTSTATUS Status = STATUS_SUCCESS;
    size_t Count = 0;

    if (Values == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < Node->ValueCount; i++) {
        CM_VALUE *Value = Node->Values[i];
        char *Name = CmpToUtf8(&Value->Name);
        if (Name != NULL)
            Values[Count++] = (hive_set_value){.key = Name,
                                               .t = Value->Type,
                                               .len = Value->Length,
                                               .value = Value->Length != 0 ? Value->Data : ""};
    }
    if (Count != 0 && hivex_node_set_values(Hive, To, Count, Values, 0) != 0)
        Status = STATUS_REGISTRY_IO_FAILED;
    while (Count != 0)
        free(Values[--Count].key);
    free(Values);
    return Status;
}

static NTSTATUS CmpSaveNode(hive_h *Hive, hive_node_h To, CM_NODE *Node)
{
    NTSTATUS Status = CmpSaveValues(Hive, To, Node);

    for (ULONG i = 0; NT_SUCCESS(Status) && i < Node->SubkeyCount; i++) {
        char *Name;
        hive_node_h Child;
        if (Node->Subkeys[i]->Volatile)
            continue;
        Name = CmpToUtf8(&Node->Subkeys[i]->Name);
        if (Name == NULL)
            continue;
        Child = hivex_node_add_child(Hive, To, Name);
        Status =
            Child != 0 ? CmpSaveNode(Hive, Child, Node->Subkeys[i]) : STATUS_REGISTRY_IO_FAILED;
        free(Name);
    }
    return Status;
}

static NTSTATUS CmpFillFile(const char *Path, CM_NODE *Root)
{
    NTSTATUS Status = STATUS_REGISTRY_IO_FAILED;
    UCHAR *Empty = calloc(2, CMP_BLOCK);
    hive_h *Hive = NULL;

    if (Empty == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    CmpWriteBin(Empty + CMP_BLOCK);
    CmpWriteHeader(Empty);
    if (host_write_file(Path, Empty, 2 * CMP_BLOCK) == 0)
        Hive = hivex_open(Path, HIVEX_OPEN_WRITE);
    free(Empty);
    if (Hive == NULL)
        return Status;
    Status = CmpSaveNode(Hive, hivex_root(Hive), Root);
    if (NT_SUCCESS(Status) && hivex_commit(Hive, NULL, 0) != 0)
        Status = STATUS_REGISTRY_IO_FAILED;
    hivex_close(Hive);
    return Status;
}

/* The old file stays whole until the new one is. The tree may not change meanwhile. */
NTSTATUS CmpSaveHive(const char *Path, CM_NODE *Root)
{
    SIZE_T Length = strlen(Path) + sizeof(".new");
    char *Aside = malloc(Length), *Data = NULL;
    NTSTATUS Status;
    size_t Bytes;

    if (Aside == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    snprintf(Aside, Length, "%s.new", Path);
    Status = CmpFillFile(Aside, Root);
    if (NT_SUCCESS(Status))
        Data = host_read_file(Aside, &Bytes);
    if (NT_SUCCESS(Status) && (Data == NULL || host_write_file(Path, Data, Bytes) != 0))
        Status = STATUS_REGISTRY_IO_FAILED;
    remove(Aside);
    free(Data);
    free(Aside);
    return Status;
}
