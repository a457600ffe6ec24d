/*
 * Windows images in system space: a range of 256 MiB for each, in the part of it that is theirs
 * (host/call.h).
 *
 * A range that was given back is the last to be given out again, so that a routine's address
 * outlives its driver as an address of nothing.
 */
#include "mi.h"

#include <stdlib.h>
#include <string.h>

#define MI_IMAGE_BYTES ((ULONG_PTR)0x10000000)
#define MI_IMAGE_RUN ((SIZE_T)64) /* pages that are mapped at once */
#define MI_IMAGES ((ULONG)((NT_IMAGE_HIGH - NT_IMAGE_LOW) / MI_IMAGE_BYTES))

_Static_assert(NT_IMAGE_HIGH == MM_SYSTEM_HIGH, "the last part of system space");

typedef struct MI_IMAGE {
    PFN_NUMBER First;
    SIZE_T Pages;       /* 0: free */
    UCHAR *Protections; /* of each page */
} MI_IMAGE;

static struct {
    MI_LOCK Lock;
    ULONG Next;
    MI_IMAGE Images[MI_IMAGES];
} MiImages;

static MI_IMAGE *MiImageAt(const void *Base)
{
    MI_IMAGE *Image = &MiImages.Images[((ULONG_PTR)Base - NT_IMAGE_LOW) / MI_IMAGE_BYTES];

    NT_ASSERT(NT_IS_FOREIGN(Base) && (ULONG_PTR)Base % MI_IMAGE_BYTES == 0 && Image->Pages);
    return Image;
}

static char *MiImageBase(const MI_IMAGE *Image)
{
    return (char *)NT_IMAGE_LOW + (ULONG_PTR)(Image - MiImages.Images) * MI_IMAGE_BYTES;
}

/* Pages of one protection; lock held. */
static NTSTATUS MiMapImagePages(const MI_IMAGE *Image, SIZE_T Page, SIZE_T Count)
{
    char *Address = MiImageBase(Image) + (Page << PAGE_SHIFT);
    UCHAR Protection = Image->Protections[Page];
    ULONG64 Flags = MI_PTE_SYSTEM & ~(MI_PTE_WRITE | MI_PTE_NX);
    NTSTATUS Status = STATUS_SUCCESS;
    PFN_NUMBER Frames[MI_IMAGE_RUN];

    Flags |= Protection & HOST_WRITE ? MI_PTE_WRITE : 0;
    Flags |= Protection & HOST_EXECUTE ? 0 : MI_PTE_NX;
    if (!Protection)
        Flags = 0;
    for (SIZE_T i = 0; i < Count; i++)
        Frames[i] = Image->First + Page + i;
    if (!NT_SUCCESS(MiMapHere(Address, Frames, Count, Protection)))
        return STATUS_INSUFFICIENT_RESOURCES;
    for (SIZE_T i = 0; i < Count && NT_SUCCESS(Status); i++)
        Status = MiSetPte(MiSystemDirectory, (ULONG_PTR)Address + (i << PAGE_SHIFT),
                          Flags ? (Frames[i] << PAGE_SHIFT) | Flags : 0);
    return Status;
}

static MI_IMAGE *MiTakeImage(SIZE_T Pages)
{
    MI_IMAGE *Image = NULL;

    MiAcquire(&MiImages.Lock);
    for (ULONG i = 0; i < MI_IMAGES && !Image; i++) {
        ULONG Index = (MiImages.Next + i) % MI_IMAGES;

        if (MiImages.Images[Index].Pages)
            continue;
        Image = &MiImages.Images[Index];
        Image->Pages = Pages;
        MiImages.Next = (Index + 1) % MI_IMAGES;
    }
    MiRelease(&MiImages.Lock);
    return Image;
}

/* Zeroed memory for an image, readable and writable. PASSIVE_LEVEL. */
NTSTATUS MmAllocateImage(SIZE_T Bytes, PVOID *Base)
{
    SIZE_T Pages = BYTES_TO_PAGES(Bytes);
    MI_IMAGE *Image;
    NTSTATUS Status;

    if (!Pages || Bytes > MI_IMAGE_BYTES - PAGE_SIZE)
        return STATUS_INVALID_IMAGE_FORMAT;
    Image = MiTakeImage(Pages);
    if (!Image)
        return STATUS_INSUFFICIENT_RESOURCES;
    Image->Protections = malloc(Pages);
    Status =
        Image->Protections ? MmAllocateFrames(Pages, &Image->First) : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(Status)) {
        free(Image->Protections);
        Image->Protections = NULL;
        Image->Pages = 0;
        return Status;
    }
    *Base = MiImageBase(Image);
    memset(MmFrameAddress(Image->First), 0, Pages << PAGE_SHIFT);
    Status = MmProtectImage(*Base, 0, Pages << PAGE_SHIFT, HOST_READ | HOST_WRITE);
    if (!NT_SUCCESS(Status))
        MmFreeImage(*Base);
    return Status;
}

/* Whole pages; Protection is one of host_map's. */
NTSTATUS MmProtectImage(PVOID Base, SIZE_T Offset, SIZE_T Bytes, int Protection)
{
    MI_IMAGE *Image = MiImageAt(Base);
    SIZE_T First = Offset >> PAGE_SHIFT, End = First + BYTES_TO_PAGES(Bytes);
    NTSTATUS Status = STATUS_SUCCESS;

    NT_ASSERT(End <= Image->Pages);
    MiAcquire(&MiImages.Lock);
    memset(Image->Protections + First, Protection, End - First);
    for (SIZE_T Page = First; Page < End && NT_SUCCESS(Status); Page += MI_IMAGE_RUN)
        Status = MiMapImagePages(Image, Page, min(End - Page, MI_IMAGE_RUN));
    MiRelease(&MiImages.Lock);
    return Status;
}

/* Nothing runs there any more, and no page is locked. */
void MmFreeImage(PVOID Base)
{
    MI_IMAGE *Image = MiImageAt(Base);

    MiAcquire(&MiImages.Lock);
    MiClearPtes(MiSystemDirectory, (ULONG_PTR)Base, Image->Pages);
    host_decommit(Base, Image->Pages << PAGE_SHIFT);
    MiRelease(&MiImages.Lock);
    MmFreeFrames(Image->First, Image->Pages);
    free(Image->Protections);
    Image->Protections = NULL;
    __atomic_store_n(&Image->Pages, 0, __ATOMIC_RELEASE);
}

/* As MiMoveSystemFrame, for images. */
BOOLEAN MiMoveImageFrame(PFN_NUMBER Frame, MI_MOVE_STEP Step)
{
    BOOLEAN Done = TRUE;

    MiAcquire(&MiImages.Lock);
    for (MI_IMAGE *Image = MiImages.Images; Image < MiImages.Images + MI_IMAGES; Image++) {
        SIZE_T Page = Frame - Image->First;
        int Protection;

        if (!Image->Protections || Page >= Image->Pages)
            continue;
        Protection = Image->Protections[Page] & (Step == MiFreeze ? ~HOST_WRITE : ~0);
        if (Step == MiRemap)
            Done &= NT_SUCCESS(MiMapImagePages(Image, Page, 1));
        else
            Done &=
                host_protect(MiImageBase(Image) + (Page << PAGE_SHIFT), PAGE_SIZE, Protection) == 0;
    }
    MiRelease(&MiImages.Lock);
    return Done;
}
