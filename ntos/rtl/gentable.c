/*
 * Generic tables: a splay tree in collation order, and a list in the order of insertion. The
 * caller's data follows both links. Any IRQL with resident memory; the caller excludes others, also
 * from looking up, which splays.
 */
#include "rtlp.h"

#include <string.h>

typedef struct _RTLP_TABLE_ENTRY {
    RTL_SPLAY_LINKS Links;
    LIST_ENTRY InsertOrder;
    UCHAR Data[];
} RTLP_TABLE_ENTRY;

_Static_assert(sizeof(RTLP_TABLE_ENTRY) == 40, "where drivers expect the data");

static RTLP_TABLE_ENTRY *RtlpEntryOf(PRTL_SPLAY_LINKS Links)
{
    return CONTAINING_RECORD(Links, RTLP_TABLE_ENTRY, Links);
}

static TABLE_SEARCH_RESULT RtlpSearchTable(PRTL_GENERIC_TABLE Table, PVOID Buffer,
                                           PRTL_SPLAY_LINKS *NodeOrParent)
{
    PRTL_SPLAY_LINKS Links = Table->TableRoot;
    *NodeOrParent = NULL;
    if (!Links)
        return TableEmptyTree;
    for (;;) {
        *NodeOrParent = Links;
        RTL_GENERIC_COMPARE_RESULTS Order =
            NT_CALL(Table->CompareRoutine, Table, Buffer, RtlpEntryOf(Links)->Data);
        if (Order == GenericEqual)
            return TableFoundNode;
        BOOLEAN Left = Order == GenericLessThan;
        PRTL_SPLAY_LINKS Child = Left ? Links->LeftChild : Links->RightChild;
        if (!Child)
            return Left ? TableInsertAsLeft : TableInsertAsRight;
        Links = Child;
    }
}

static PVOID RtlpSplayInTable(PRTL_GENERIC_TABLE Table, PRTL_SPLAY_LINKS Links)
{
    Table->TableRoot = RtlSplay(Links);
    return RtlpEntryOf(Links)->Data;
}

static VOID RtlpForgetPlace(PRTL_GENERIC_TABLE Table)
{
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->WhichOrderedElement = 0;
}

/* Doc: ntddk/nf-ntddk-rtlinitializegenerictable */
VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table,
                                     PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine,
                                     PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine,
                                     PRTL_GENERIC_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    RtlZeroMemory(Table, sizeof(*Table));
    InitializeListHead(&Table->InsertOrderList);
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
    RtlpForgetPlace(Table);
}

static VOID RtlpLinkEntry(PRTL_GENERIC_TABLE Table, RTLP_TABLE_ENTRY *Entry,
                          PRTL_SPLAY_LINKS Parent, TABLE_SEARCH_RESULT Where)
{
    RtlInitializeSplayLinks(&Entry->Links);
    InsertTailList(&Table->InsertOrderList, &Entry->InsertOrder);
    Table->NumberGenericTableElements++;
    if (Where == TableInsertAsLeft)
        Parent->LeftChild = &Entry->Links;
    else if (Where == TableInsertAsRight)
        Parent->RightChild = &Entry->Links;
    if (Where != TableEmptyTree)
        Entry->Links.Parent = Parent;
}

/*
 * Inserts where RtlLookupElementGenericTableFull told. The element's data; NULL when the table's
 * allocator has no memory.
 */
PVOID NTAPI RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
                                             CLONG BufferSize, PBOOLEAN NewElement,
                                             PVOID NodeOrParent, TABLE_SEARCH_RESULT SearchResult)
{
    if (NewElement)
        *NewElement = SearchResult != TableFoundNode;
    if (SearchResult == TableFoundNode)
        return RtlpSplayInTable(Table, NodeOrParent);
    RTLP_TABLE_ENTRY *Entry = NULL;
    if (BufferSize <= MAXULONG - sizeof(*Entry))
        Entry = NT_CALL(Table->AllocateRoutine, Table, (CLONG)sizeof(*Entry) + BufferSize);
    if (!Entry) {
        if (NewElement)
            *NewElement = FALSE;
        return NULL;
    }
    memcpy(Entry->Data, Buffer, BufferSize);
    RtlpLinkEntry(Table, Entry, NodeOrParent, SearchResult);
    return RtlpSplayInTable(Table, &Entry->Links);
}

/* An equal element stays and is returned. Doc: ntddk/nf-ntddk-rtlinsertelementgenerictable */
PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                         PBOOLEAN NewElement)
{
    PRTL_SPLAY_LINKS NodeOrParent;
    TABLE_SEARCH_RESULT Result = RtlpSearchTable(Table, Buffer, &NodeOrParent);
    return RtlInsertElementGenericTableFull(Table, Buffer, BufferSize, NewElement, NodeOrParent,
                                            Result);
}

/* FALSE when no element is equal. Doc: ntddk/nf-ntddk-rtldeleteelementgenerictable */
BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS Links;
    if (RtlpSearchTable(Table, Buffer, &Links) != TableFoundNode)
        return FALSE;
    Table->TableRoot = RtlDelete(Links);
    RemoveEntryList(&RtlpEntryOf(Links)->InsertOrder);
    Table->NumberGenericTableElements--;
    RtlpForgetPlace(Table);
    NT_CALL(Table->FreeRoutine, Table, RtlpEntryOf(Links));
    return TRUE;
}

/* The element, splayed to the root, or NULL and where it would go. */
PVOID NTAPI RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer,
                                             PVOID *NodeOrParent, TABLE_SEARCH_RESULT *SearchResult)
{
    PRTL_SPLAY_LINKS Links;
    *SearchResult = RtlpSearchTable(Table, Buffer, &Links);
    *NodeOrParent = Links;
    return *SearchResult == TableFoundNode ? RtlpSplayInTable(Table, Links) : NULL;
}

/* Doc: ntddk/nf-ntddk-rtllookupelementgenerictable */
PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PVOID NodeOrParent;
    TABLE_SEARCH_RESULT Result;
    return RtlLookupElementGenericTableFull(Table, Buffer, &NodeOrParent, &Result);
}

static PRTL_SPLAY_LINKS RtlpFirstInTable(PRTL_GENERIC_TABLE Table)
{
    PRTL_SPLAY_LINKS Links = Table->TableRoot;
    while (Links && Links->LeftChild)
        Links = Links->LeftChild;
    return Links;
}

/*
 * In collation order; the place is the root, to which each element is splayed.
 * Doc: ntddk/nf-ntddk-rtlenumerategenerictable
 */
PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
    if (!Table->TableRoot)
        return NULL;
    PRTL_SPLAY_LINKS Next = Restart ? RtlpFirstInTable(Table) : RtlRealSuccessor(Table->TableRoot);
    return Next ? RtlpSplayInTable(Table, Next) : NULL;
}

/* In collation order; RestartKey starts as NULL. Doc:
 * ntddk/nf-ntddk-rtlenumerategenerictablewithoutsplaying */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
    PRTL_SPLAY_LINKS Next = *RestartKey ? RtlRealSuccessor(*RestartKey) : RtlpFirstInTable(Table);
    if (!Next)
        return NULL;
    *RestartKey = Next;
    return RtlpEntryOf(Next)->Data;
}

/* The element inserted I-th of those present, from 0, or NULL. Doc:
 * ntddk/nf-ntddk-rtlgetelementgenerictable */
PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements)
        return NULL;
    ULONG At = Table->WhichOrderedElement; /* from 1; 0 is the list's head */
    PLIST_ENTRY Place = Table->OrderedPointer;
    for (; At < I + 1; At++)
        Place = Place->Flink;
    for (; At > I + 1; At--)
        Place = Place->Blink;
    Table->OrderedPointer = Place;
    Table->WhichOrderedElement = At;
    return CONTAINING_RECORD(Place, RTLP_TABLE_ENTRY, InsertOrder)->Data;
}

/* Doc: ntddk/nf-ntddk-rtlnumbergenerictableelements */
ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

/* Doc: ntddk/nf-ntddk-rtlisgenerictableempty */
BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
    return Table->TableRoot == NULL;
}
