/* Splay links: a binary tree whose last used element is its root. A root is its own parent. */
#include "rtlp.h"

static PRTL_SPLAY_LINKS *RtlpSlotOf(PRTL_SPLAY_LINKS Links)
{
    return RtlIsLeftChild(Links) ? &Links->Parent->LeftChild : &Links->Parent->RightChild;
}

/* Links takes its parent's place, and the parent becomes its child. */
static VOID RtlpRotateUp(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Parent = Links->Parent;
    BOOLEAN Left = RtlIsLeftChild(Links);
    PRTL_SPLAY_LINKS Inner = Left ? Links->RightChild : Links->LeftChild;
    if (RtlIsRoot(Parent)) {
        Links->Parent = Links;
    } else {
        *RtlpSlotOf(Parent) = Links;
        Links->Parent = Parent->Parent;
    }
    Parent->Parent = Links;
    *(Left ? &Links->RightChild : &Links->LeftChild) = Parent;
    *(Left ? &Parent->LeftChild : &Parent->RightChild) = Inner;
    if (Inner)
        Inner->Parent = Parent;
}

/* Any IRQL with resident memory, for this and all below. The new root. Doc: ntddk/nf-ntddk-rtlsplay
 */
PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links)
{
    while (!RtlIsRoot(Links)) {
        PRTL_SPLAY_LINKS Parent = Links->Parent;
        if (!RtlIsRoot(Parent))
            RtlpRotateUp(RtlIsLeftChild(Links) == RtlIsLeftChild(Parent) ? Parent : Links);
        RtlpRotateUp(Links);
    }
    return Links;
}

/* Puts Child (or nothing) where Links is. */
static VOID RtlpPutInPlace(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS Child)
{
    if (!RtlIsRoot(Links)) {
        *RtlpSlotOf(Links) = Child;
        if (Child)
            Child->Parent = Links->Parent;
    } else if (Child) {
        Child->Parent = Child;
    }
}

/* Takes Links out; the element nearest to where something went missing, or NULL for an empty tree.
 */
static PRTL_SPLAY_LINKS RtlpTakeOut(PRTL_SPLAY_LINKS Links)
{
    if (!Links->LeftChild || !Links->RightChild) {
        PRTL_SPLAY_LINKS Child = Links->LeftChild ? Links->LeftChild : Links->RightChild;
        PRTL_SPLAY_LINKS Near = RtlIsRoot(Links) ? Child : Links->Parent;
        RtlpPutInPlace(Links, Child);
        return Near;
    }
    PRTL_SPLAY_LINKS Heir = RtlSubtreePredecessor(Links);
    PRTL_SPLAY_LINKS Near = Heir->Parent == Links ? Heir : Heir->Parent;
    RtlpPutInPlace(Heir, Heir->LeftChild);
    Heir->LeftChild = Links->LeftChild;
    Heir->RightChild = Links->RightChild;
    RtlpPutInPlace(Links, Heir);
    if (Heir->LeftChild)
        Heir->LeftChild->Parent = Heir;
    Heir->RightChild->Parent = Heir;
    return Near;
}

/* The new root after splaying near the gap, or NULL. Doc: ntddk/nf-ntddk-rtldelete */
PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Near = RtlpTakeOut(Links);
    return Near ? RtlSplay(Near) : NULL;
}

/* Leaves the shape of the tree alone. Doc: ntddk/nf-ntddk-rtldeletenosplay */
VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    PRTL_SPLAY_LINKS Near = RtlpTakeOut(Links);
    while (Near && !RtlIsRoot(Near))
        Near = Near->Parent;
    *Root = Near;
}

/* Doc: ntddk/nf-ntddk-rtlsubtreesuccessor */
PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Found = Links->RightChild;
    while (Found && Found->LeftChild)
        Found = Found->LeftChild;
    return Found;
}

/* Doc: ntddk/nf-ntddk-rtlsubtreepredecessor */
PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Found = Links->LeftChild;
    while (Found && Found->RightChild)
        Found = Found->RightChild;
    return Found;
}

/* In the whole tree; NULL behind the last. Doc: ntddk/nf-ntddk-rtlrealsuccessor */
PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->RightChild)
        return RtlSubtreeSuccessor(Links);
    while (!RtlIsRoot(Links) && RtlIsRightChild(Links))
        Links = Links->Parent;
    return RtlIsRoot(Links) ? NULL : Links->Parent;
}

/* In the whole tree; NULL before the first. Doc: ntddk/nf-ntddk-rtlrealpredecessor */
PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->LeftChild)
        return RtlSubtreePredecessor(Links);
    while (!RtlIsRoot(Links) && RtlIsLeftChild(Links))
        Links = Links->Parent;
    return RtlIsRoot(Links) ? NULL : Links->Parent;
}
