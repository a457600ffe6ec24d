/* paging: walks page tables as the processor does, on any of its four kinds. It touches no memory
 * itself, and so runs anywhere. */
#ifndef SPY_PAGING_H
#define SPY_PAGING_H

#include <ntifs.h>

typedef enum _PAGING_KIND { PAGING_X86, PAGING_PAE, PAGING_X64, PAGING_X64_5 } PAGING_KIND;

typedef struct _PAGING {
    PAGING_KIND Kind;
    ULONGLONG Cr3;
    /* An entry of 4 or 8 bytes. FALSE: that memory cannot be read. */
    BOOLEAN (*Read)(PVOID Context, ULONGLONG Physical, PVOID Entry, ULONG Bytes);
    PVOID Context;
} PAGING;

typedef struct _PAGE_WALK {
    ULONGLONG Entry; /* the last one that was read */
    ULONGLONG Size;  /* how much of the address space that entry describes */
    ULONG Level;     /* 1: of a page table; 0: the address is not canonical */
    BOOLEAN Present;
    ULONGLONG Physical; /* of the address, if present */
} PAGE_WALK;

/* From CR0, CR4 and the width of the code. */
PAGING_KIND PagingKind(ULONG_PTR Cr4);
VOID PagingWalk(const PAGING *Paging, ULONGLONG Address, PAGE_WALK *Walk);

#endif
