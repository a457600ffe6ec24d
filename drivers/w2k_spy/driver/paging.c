/* The walk: from the top table down to an entry that is absent or maps a page. */
#include "paging.h"

#define CR4_PAE 0x20
#define CR4_LA57 0x1000
#define PRESENT 0x001
#define LARGE 0x080
#define FRAME_64 0x000FFFFFFFFFF000ULL

typedef struct _PAGING_FORM {
    UCHAR Levels, EntryBytes, IndexBits, TopBits;
    UCHAR LargeLevels; /* that may hold a large page: this many above the lowest */
} PAGING_FORM;

static const PAGING_FORM Forms[] = {
    {2, 4, 10, 10, 1},
    {3, 8, 9, 2, 1},
    {4, 8, 9, 9, 2},
    {5, 8, 9, 9, 2},
};

PAGING_KIND PagingKind(ULONG_PTR Cr4)
{
#ifdef _WIN64
    return Cr4 & CR4_LA57 ? PAGING_X64_5 : PAGING_X64;
#else
    return Cr4 & CR4_PAE ? PAGING_PAE : PAGING_X86;
#endif
}

static ULONG Shift(const PAGING_FORM *Form, ULONG Level)
{
    return 12 + (Level - 1) * Form->IndexBits;
}

static BOOLEAN IsCanonical(const PAGING_FORM *Form, ULONGLONG Address)
{
    ULONG Bits = Shift(Form, Form->Levels) + Form->TopBits;
    LONGLONG Rest = (LONGLONG)Address >> (Bits - 1);

    return Form->Levels < 4 ? !(Address >> 32) : Rest == 0 || Rest == -1;
}

static ULONGLONG TopTable(const PAGING *Paging)
{
    if (Paging->Kind == PAGING_X86)
        return Paging->Cr3 & 0xFFFFF000;
    return Paging->Kind == PAGING_PAE ? Paging->Cr3 & 0xFFFFFFE0 : Paging->Cr3 & FRAME_64;
}

/* Where the page begins. A 4 MiB page of x86 has bits 32 to 39 of its address in bits 13 to 20. */
static ULONGLONG PageBase(const PAGING *Paging, const PAGE_WALK *Walk)
{
    if (Paging->Kind == PAGING_X86 && Walk->Level == 2)
        return (Walk->Entry & 0xFFC00000) | (Walk->Entry & 0x1FE000) << 19;
    if (Paging->Kind == PAGING_X86)
        return Walk->Entry & 0xFFFFF000;
    return Walk->Entry & FRAME_64 & ~(Walk->Size - 1);
}

static BOOLEAN IsPage(const PAGING_FORM *Form, const PAGE_WALK *Walk)
{
    return Walk->Level == 1 || (Walk->Level <= 1u + Form->LargeLevels && (Walk->Entry & LARGE));
}

VOID PagingWalk(const PAGING *Paging, ULONGLONG Address, PAGE_WALK *Walk)
{
    const PAGING_FORM *Form = &Forms[Paging->Kind];
    ULONGLONG Table = TopTable(Paging);
    ULONG Level;

    RtlZeroMemory(Walk, sizeof(*Walk));
    Walk->Size = PAGE_SIZE;
    if (!IsCanonical(Form, Address))
        return;
    for (Level = Form->Levels; Level; Level--) {
        ULONG Bits = Level == Form->Levels ? Form->TopBits : Form->IndexBits;
        ULONGLONG Index = Address >> Shift(Form, Level) & ((1u << Bits) - 1);

        Walk->Level = Level;
        Walk->Size = 1ULL << Shift(Form, Level);
        Walk->Entry = 0;
        if (!Paging->Read(Paging->Context, Table + Index * Form->EntryBytes, &Walk->Entry,
                          Form->EntryBytes) ||
            !(Walk->Entry & PRESENT))
            return;
        if (IsPage(Form, Walk))
            break;
        Table = Walk->Entry & (Paging->Kind == PAGING_X86 ? 0xFFFFF000 : FRAME_64);
    }
    Walk->Present = TRUE;
    Walk->Physical = PageBase(Paging, Walk) | (Address & (Walk->Size - 1));
}
