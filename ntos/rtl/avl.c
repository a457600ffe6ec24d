/*
 * AVL tables. BalancedRoot is no element: the tree hangs from its RightChild, so that every element
 * has a parent. Balance is the height of the right subtree minus that of the left. The caller's
 * data follows the links. Any IRQL with resident memory; the caller excludes others.
 */
#include "rtlp.h"

#include <string.h>

typedef struct _RTLP_AVL_NODE {
    RTL_BALANCED_LINKS Links;
    UCHAR Data[];
} RTLP_AVL_NODE;

_Static_assert(sizeof(RTL_BALANCED_LINKS) == 32, "where drivers expect the data");

static PVOID RtlpDataOf(PRTL_BALANCED_LINKS Links)
{
    return ((RTLP_AVL_NODE *)Links)->Data;
}

static PRTL_BALANCED_LINKS *RtlpChildOf(PRTL_BALANCED_LINKS Links, LONG Side)
{
    return Side < 0 ? &Links->LeftChild : &Links->RightChild;
}

static LONG RtlpSideOf(PRTL_BALANCED_LINKS Links)
{
    return Links->Parent->LeftChild == Links ? -1 : 1;
}

static VOID RtlpReplace(PRTL_BALANCED_LINKS Old, PRTL_BALANCED_LINKS New)
{
    *RtlpChildOf(Old->Parent, RtlpSideOf(Old)) = New;
    if (New)
        New->Parent = Old->Parent;
}

/* Links takes its parent's place, and the parent becomes its child. */
static VOID RtlpPromote(PRTL_BALANCED_LINKS Links)
{
    PRTL_BALANCED_LINKS Parent = Links->Parent;
    LONG Side = RtlpSideOf(Links);
    PRTL_BALANCED_LINKS Inner = *RtlpChildOf(Links, -Side);
    RtlpReplace(Parent, Links);
    *RtlpChildOf(Links, -Side) = Parent;
    Parent->Parent = Links;
    *RtlpChildOf(Parent, Side) = Inner;
    if (Inner)
        Inner->Parent = Parent;
}

/* Top is two levels too deep on the side of its Balance. TRUE: its subtree became one level lower.
 */
static BOOLEAN RtlpRebalance(PRTL_BALANCED_LINKS Top)
{
    CHAR Side = Top->Balance;
    PRTL_BALANCED_LINKS Child = *RtlpChildOf(Top, Side);
    if (Child->Balance != -Side) {
        BOOLEAN Lower = Child->Balance == Side;
        RtlpPromote(Child);
        Top->Balance = Lower ? 0 : Side;
        Child->Balance = Lower ? 0 : -Side;
        return Lower;
    }
    PRTL_BALANCED_LINKS Inner = *RtlpChildOf(Child, -Side);
    RtlpPromote(Inner);
    RtlpPromote(Inner);
    Top->Balance = Inner->Balance == Side ? -Side : 0;
    Child->Balance = Inner->Balance == -Side ? Side : 0;
    Inner->Balance = 0;
    return TRUE;
}

static VOID RtlpRebalanceAfterInsert(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Links)
{
    for (PRTL_BALANCED_LINKS Parent = Links->Parent; Parent != &Table->BalancedRoot;
         Links = Parent, Parent = Parent->Parent) {
        CHAR Side = (CHAR)RtlpSideOf(Links);
        if (Parent->Balance == Side) {
            RtlpRebalance(Parent);
            return;
        }
        Parent->Balance += Side;
        if (Parent->Balance == 0)
            return;
    }
    Table->DepthOfTree++;
}

/* The subtree of Parent at Side has become one level lower. */
static VOID RtlpRebalanceAfterDelete(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Parent, LONG Side)
{
    while (Parent != &Table->BalancedRoot) {
        if (Parent->Balance == 0) {
            Parent->Balance = (CHAR)-Side;
            return;
        }
        PRTL_BALANCED_LINKS Top = Parent;
        if (Parent->Balance == Side) {
            Parent->Balance = 0;
        } else {
            BOOLEAN Lower = RtlpRebalance(Parent);
            if (!Lower)
                return;
            Top = Parent->Parent;
        }
        Side = RtlpSideOf(Top);
        Parent = Top->Parent;
    }
    Table->DepthOfTree--;
}

static PRTL_BALANCED_LINKS RtlpOutermost(PRTL_BALANCED_LINKS Links, LONG Side)
{
    while (Links && *RtlpChildOf(Links, Side))
        Links = *RtlpChildOf(Links, Side);
    return Links;
}

/* The element before (-1) or behind (1) Links, or NULL. */
static PRTL_BALANCED_LINKS RtlpNeighbour(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Links, LONG Side)
{
    if (*RtlpChildOf(Links, Side))
        return RtlpOutermost(*RtlpChildOf(Links, Side), -Side);
    while (Links->Parent != &Table->BalancedRoot && RtlpSideOf(Links) == Side)
        Links = Links->Parent;
    return Links->Parent == &Table->BalancedRoot ? NULL : Links->Parent;
}

/* Takes Links out; an element with two children first gives its place to a neighbour. */
static VOID RtlpUnlink(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Links)
{
    PRTL_BALANCED_LINKS Leaver = Links;
    if (Links->LeftChild && Links->RightChild)
        Leaver = RtlpNeighbour(Table, Links, Links->Balance < 0 ? -1 : 1);
    PRTL_BALANCED_LINKS Parent = Leaver->Parent;
    LONG Side = RtlpSideOf(Leaver);
    RtlpReplace(Leaver, Leaver->LeftChild ? Leaver->LeftChild : Leaver->RightChild);
    RtlpRebalanceAfterDelete(Table, Parent, Side);
    if (Leaver == Links)
        return;
    *Leaver = *Links;
    RtlpReplace(Links, Leaver);
    if (Leaver->LeftChild)
        Leaver->LeftChild->Parent = Leaver;
    if (Leaver->RightChild)
        Leaver->RightChild->Parent = Leaver;
}

static TABLE_SEARCH_RESULT RtlpSearch(PRTL_AVL_TABLE Table, PVOID Buffer,
                                      PRTL_BALANCED_LINKS *NodeOrParent)
{
    PRTL_BALANCED_LINKS Links = Table->BalancedRoot.RightChild;
    *NodeOrParent = NULL;
    if (!Links)
        return TableEmptyTree;
    for (;;) {
        *NodeOrParent = Links;
        RTL_GENERIC_COMPARE_RESULTS Order =
            NT_CALL(Table->CompareRoutine, Table, Buffer, RtlpDataOf(Links));
        if (Order == GenericEqual)
            return TableFoundNode;
        BOOLEAN Left = Order == GenericLessThan;
        PRTL_BALANCED_LINKS Child = Left ? Links->LeftChild : Links->RightChild;
        if (!Child)
            return Left ? TableInsertAsLeft : TableInsertAsRight;
        Links = Child;
    }
}

/* Doc: ntddk/nf-ntddk-rtlinitializegenerictableavl */
VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table,
                                        PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                        PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine,
                                        PRTL_AVL_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    RtlZeroMemory(Table, sizeof(*Table));
    Table->BalancedRoot.Parent = &Table->BalancedRoot;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

/*
 * Inserts where RtlLookupElementGenericTableFullAvl told. The element's data; NULL when the table's
 * allocator has no memory. Doc: ntddk/nf-ntddk-rtlinsertelementgenerictablefullavl
 */
PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
                                                CLONG BufferSize, PBOOLEAN NewElement,
                                                PVOID NodeOrParent,
                                                TABLE_SEARCH_RESULT SearchResult)
{
    if (NewElement)
        *NewElement = FALSE;
    if (SearchResult == TableFoundNode)
        return RtlpDataOf(NodeOrParent);
    if (BufferSize > MAXULONG - sizeof(RTL_BALANCED_LINKS))
        return NULL;
    PRTL_BALANCED_LINKS Links =
        NT_CALL(Table->AllocateRoutine, Table, (CLONG)sizeof(RTL_BALANCED_LINKS) + BufferSize);
    if (!Links)
        return NULL;
    RtlZeroMemory(Links, sizeof(*Links));
    memcpy(RtlpDataOf(Links), Buffer, BufferSize);
    Links->Parent = SearchResult == TableEmptyTree ? &Table->BalancedRoot : NodeOrParent;
    *RtlpChildOf(Links->Parent, SearchResult == TableInsertAsLeft ? -1 : 1) = Links;
    RtlpRebalanceAfterInsert(Table, Links);
    Table->NumberGenericTableElements++;
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    if (NewElement)
        *NewElement = TRUE;
    return RtlpDataOf(Links);
}

/* An equal element stays and is returned. Doc: ntddk/nf-ntddk-rtlinsertelementgenerictableavl */
PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                            PBOOLEAN NewElement)
{
    PRTL_BALANCED_LINKS NodeOrParent;
    TABLE_SEARCH_RESULT Result = RtlpSearch(Table, Buffer, &NodeOrParent);
    return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, NodeOrParent,
                                               Result);
}

/* FALSE when no element is equal. Doc: ntddk/nf-ntddk-rtldeleteelementgenerictableavl */
BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    PRTL_BALANCED_LINKS Links;
    if (RtlpSearch(Table, Buffer, &Links) != TableFoundNode)
        return FALSE;
    if (Table->RestartKey == Links)
        Table->RestartKey = RtlpNeighbour(Table, Links, -1);
    RtlpUnlink(Table, Links);
    Table->DeleteCount++;
    Table->NumberGenericTableElements--;
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    NT_CALL(Table->FreeRoutine, Table, Links);
    return TRUE;
}

/* Doc: ntddk/nf-ntddk-rtllookupelementgenerictablefullavl */
PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
                                                PVOID *NodeOrParent,
                                                TABLE_SEARCH_RESULT *SearchResult)
{
    PRTL_BALANCED_LINKS Links;
    *SearchResult = RtlpSearch(Table, Buffer, &Links);
    *NodeOrParent = Links;
    return *SearchResult == TableFoundNode ? RtlpDataOf(Links) : NULL;
}

/* Doc: ntddk/nf-ntddk-rtllookupelementgenerictableavl */
PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    PRTL_BALANCED_LINKS Links;
    return RtlpSearch(Table, Buffer, &Links) == TableFoundNode ? RtlpDataOf(Links) : NULL;
}

/*
 * The first of several matching elements (the compare routine may know partial keys); RestartKey
 * continues with RtlEnumerateGenericTableWithoutSplayingAvl.
 * Doc: ntddk/nf-ntddk-rtllookupfirstmatchingelementgenerictableavl
 */
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
                                                         PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Links;
    if (RtlpSearch(Table, Buffer, &Links) != TableFoundNode) {
        *RestartKey = NULL;
        return NULL;
    }
    for (PRTL_BALANCED_LINKS Before = Links;
         (Before = RtlpNeighbour(Table, Before, -1)) &&
         NT_CALL(Table->CompareRoutine, Table, Buffer, RtlpDataOf(Before)) == GenericEqual;)
        Links = Before;
    *RestartKey = Links;
    return RtlpDataOf(Links);
}

/* In collation order; RestartKey starts as NULL. Doc:
 * ntddk/nf-ntddk-rtlenumerategenerictablewithoutsplayingavl */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Links = *RestartKey ? RtlpNeighbour(Table, *RestartKey, 1)
                                            : RtlpOutermost(Table->BalancedRoot.RightChild, -1);
    if (!Links)
        return NULL;
    *RestartKey = Links;
    return RtlpDataOf(Links);
}

/* The place is kept in the table. Doc: ntddk/nf-ntddk-rtlenumerategenerictableavl */
PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
    if (Restart)
        Table->RestartKey = NULL;
    return RtlEnumerateGenericTableWithoutSplayingAvl(Table, (PVOID *)&Table->RestartKey);
}

/* The element equal to Buffer (or the next, if asked to skip it), or else the first behind its
 * place. */
static PRTL_BALANCED_LINKS RtlpPositionAt(PRTL_AVL_TABLE Table, PVOID Buffer, BOOLEAN Next)
{
    PRTL_BALANCED_LINKS Links;
    switch (RtlpSearch(Table, Buffer, &Links)) {
    case TableFoundNode:
        return Next ? RtlpNeighbour(Table, Links, 1) : Links;
    case TableInsertAsRight:
        return RtlpNeighbour(Table, Links, 1);
    default:
        return Links;
    }
}

/*
 * Enumerates while others insert and delete: after a deletion the place is found again by Buffer. A
 * match routine selects elements (STATUS_NO_MATCH skips, another error ends).
 * Doc: ntddk/nf-ntddk-rtlenumerategenerictablelikeadirectory
 */
PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table,
                                                   PRTL_AVL_MATCH_FUNCTION MatchFunction,
                                                   PVOID MatchData, ULONG NextFlag,
                                                   PVOID *RestartKey, PULONG DeleteCount,
                                                   PVOID Buffer)
{
    PRTL_BALANCED_LINKS Links = *RestartKey;
    if (!Links || *DeleteCount != Table->DeleteCount)
        Links = RtlpPositionAt(Table, Buffer, NextFlag != 0);
    else if (NextFlag)
        Links = RtlpNeighbour(Table, Links, 1);
    *DeleteCount = Table->DeleteCount;
    for (; Links; Links = RtlpNeighbour(Table, Links, 1)) {
        NTSTATUS Status = MatchFunction
                              ? NT_CALL(MatchFunction, Table, RtlpDataOf(Links), MatchData)
                              : STATUS_SUCCESS;
        if (Status == STATUS_NO_MATCH)
            continue;
        if (!NT_SUCCESS(Status))
            return NULL;
        *RestartKey = Links;
        return RtlpDataOf(Links);
    }
    return NULL;
}

/*
 * The element at place I of the collation order, or NULL. The last answer is kept in the table, so
 * that going through all of them is fast. Doc: ntddk/nf-ntddk-rtlgetelementgenerictableavl
 */
PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements)
        return NULL;
    PRTL_BALANCED_LINKS Links = Table->OrderedPointer;
    ULONG At = Table->WhichOrderedElement; /* from 1; 0: unknown */
    if (!At) {
        Links = RtlpOutermost(Table->BalancedRoot.RightChild, -1);
        At = 1;
    }
    for (; At < I + 1; At++)
        Links = RtlpNeighbour(Table, Links, 1);
    for (; At > I + 1; At--)
        Links = RtlpNeighbour(Table, Links, -1);
    Table->OrderedPointer = Links;
    Table->WhichOrderedElement = At;
    return RtlpDataOf(Links);
}

/* Doc: ntddk/nf-ntddk-rtlnumbergenerictableelementsavl */
ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

/* Doc: ntddk/nf-ntddk-rtlisgenerictableemptyavl */
BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements == 0;
}
