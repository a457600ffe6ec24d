/* image: reads a loaded PE image, and believes nothing in it. It reads memory through a routine
 * that it is given, and so runs anywhere. */
#ifndef SPY_IMAGE_H
#define SPY_IMAGE_H

#include <ntifs.h>
#include <ntimage.h>

#define SPY_PE_HEADER_SIZE sizeof(IMAGE_NT_HEADERS)
#define IMAGE_MOST_EXPORTS 0x1000000 /* bytes of an export directory */

typedef struct _IMAGE {
    ULONG_PTR Base;
    ULONG Size;
    IMAGE_NT_HEADERS Headers;
    SIZE_T (*Read)(PVOID To, const VOID *From, SIZE_T Bytes);
} IMAGE;

/* STATUS_INVALID_PARAMETER: no memory, STATUS_INVALID_IMAGE_FORMAT: no image of this width. */
NTSTATUS ImageOpen(IMAGE *Image, PVOID Base,
                   SIZE_T (*Read)(PVOID To, const VOID *From, SIZE_T Bytes));
/* STATUS_DATA_ERROR: there is none, or it lies outside the image. */
NTSTATUS ImageExports(const IMAGE *Image, ULONG *Rva, ULONG *Size);
/*
 * The directory in Block (Size bytes, read from Rva on), made useful for whoever has the block and
 * not the image: the addresses in its header and those of names count from the block's beginning.
 * Those of functions are absolute on a 32-bit system, and count from the image's base on a 64-bit
 * one. What would lead outside the block becomes zero.
 */
VOID ImageRelocateExports(const IMAGE *Image, ULONG Rva, PVOID Block, ULONG Size);
/* Name may be "#12", an ordinal. Forwarder (of Length bytes) receives the text if the symbol is
 * another module's; else it is empty. STATUS_PROCEDURE_NOT_FOUND, STATUS_DATA_ERROR. */
NTSTATUS ImageSymbol(const IMAGE *Image, PCSTR Name, PVOID *Address, CHAR *Forwarder, ULONG Length);

#endif
