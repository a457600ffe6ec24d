/*
 * Windows images (PE32+, x86-64): what the files of ldr that deal with them share.
 */
#ifndef LDR_PE_H
#define LDR_PE_H

#include "ldr/ldr.h"
#include <ntimage.h>

/* foreign.c: the executive as such an image sees it */
NTSTATUS LdrpInitForeign(void);
void LdrpShutdownForeign(void);
PVOID LdrpForeignExport(
    const char *Name); /* NULL: not exported. A routine follows Microsoft's convention */
const char *
LdrpForeignName(const void *Address); /* of the routine whose stub lies there, or NULL */

/* kernelimage.c: ntoskrnl.exe as an image in memory, its exports leading into Text */
typedef struct LDRP_KERNEL_IMAGE {
    PVOID Base;
    ULONG Bytes;
    UCHAR *Text;
    ULONG TextBytes;
} LDRP_KERNEL_IMAGE;
/* The name of the routine number Index, in the order of names, and where in Text it is. */
typedef const char *LDRP_ROUTINE(ULONG Index, ULONG *Offset);
NTSTATUS LdrpCreateKernelImage(ULONG Count, ULONG TextBytes, LDRP_ROUTINE *Routine,
                               LDRP_KERNEL_IMAGE *Image); /* to be freed with MmFreeImage */
NTSTATUS LdrpProtectKernelImage(const LDRP_KERNEL_IMAGE *Image);

/* peheader.c: an image as it lies in a file. Every offset in it has been checked. */
typedef struct PE_FILE {
    const UCHAR *Bytes;
    SIZE_T Size;
    const IMAGE_NT_HEADERS64 *Headers;
    const IMAGE_SECTION_HEADER *Sections;
    ULONG SectionCount;
} PE_FILE;
/* FALSE: not an image that can be loaded; Why is a few words. */
BOOLEAN PeOpen(PE_FILE *File, const void *Bytes, SIZE_T Size, const char **Why);

/* peload.c: an image in memory */
typedef struct PE_IMAGE {
    UCHAR *Base;
    ULONG Size; /* whole pages */
    ULONG Entry;
    IMAGE_DATA_DIRECTORY
    Directories[IMAGE_NUMBEROF_DIRECTORY_ENTRIES]; /* inside the image, or empty */
    ULONG StubBytes;                               /* behind it: patch.h */
    struct LDRP_PATCHES *Patches;                  /* NULL: none */
    ULONG DiscardCount;                            /* sections that are gone after DriverEntry */
    struct {
        ULONG Rva, Bytes;
    } Discards[8];
} PE_IMAGE;
/* What Size bytes at Rva are, if they lie in the image; else NULL. */
void *PeAt(const PE_IMAGE *Image, ULONG Rva, SIZE_T Size);
const char *PeStringAt(const PE_IMAGE *Image, ULONG Rva); /* NULL: does not end inside */
/* A copy: once the image is protected, some of it may not be readable. Any IRQL. */
BOOLEAN PeRead(const PE_IMAGE *Image, ULONG Rva, void *To, SIZE_T Size);
/* Maps, relocates. */
NTSTATUS PeMap(const PE_FILE *File, PE_IMAGE *Image, const char **Why);
void PeUnmap(PE_IMAGE *Image);
/* After imports are bound: sections get the protection that the file asks for. */
NTSTATUS PeProtect(const PE_FILE *File, PE_IMAGE *Image);
/* DriverEntry has returned: what it alone needed is not there any more. */
void PeDiscard(PE_IMAGE *Image);
/* Addresses of Windows in the code: pepatch.c. Before the image is protected. */
void PePatch(const PE_FILE *File, const PE_IMAGE *Image);
/* The security cookie, if the image has one. */
void PeInitCookie(const PE_IMAGE *Image);
/* guard.c: the routine for calls through pointers, if the image asks for one. */
void PeInitGuard(const PE_IMAGE *Image);

#define PE_LIBRARY 64 /* the name of another image, with its end */

/* peimport.c: who provides what an image imports. How many imports nobody does, or -1: damaged. */
typedef struct PE_BINDER {
    const PE_IMAGE *(*Provide)(void *Context, const char *Library); /* not the executive */
    void (*Missing)(void *Context, const char *Library, const char *Name);
    void *Context;
} PE_BINDER;
int PeBindImports(const PE_IMAGE *Image, const PE_BINDER *Binder);

/* peexport.c: NULL: there is no such. Forwarders are followed, to the executive and to images that
 * are loaded. */
BOOLEAN PeIsExecutive(const char *Library);
PVOID PeExportByName(const PE_IMAGE *Image, const char *Name);
PVOID PeExportByOrdinal(const PE_IMAGE *Image, ULONG Ordinal);

/* privileged.c, shareddata.c */
void LdrpInitPrivileged(void);
void LdrpInitSharedData(void);

/* sites.c: instructions that need it are changed; before the image is protected. */
ULONG PeStubBytes(const PE_FILE *File);
void PePatchCode(const PE_FILE *File, PE_IMAGE *Image);
void PeForgetPatches(PE_IMAGE *Image);

/* pe.c: all that is done before DriverEntry. Refused: nothing is left, and Report was called with
 * each thing that is wrong. */
typedef struct PE_LOADER {
    void (*Report)(void *Context, const char *Line);
    const PE_IMAGE *(*Provide)(void *Context, const char *Library); /* NULL: there is none */
    void *Context;
} PE_LOADER;
NTSTATUS PePrepare(const void *Bytes, SIZE_T Size, PE_IMAGE *Image, const PE_LOADER *Loader);

/* pe.c: a module that is such an image */
BOOLEAN LdrpIsPe(const char *Path);
NTSTATUS LdrpMapPe(LDR_MODULE *Module, PDRIVER_INITIALIZE *Entry);
BOOLEAN LdrpHasImages(void);                          /* any is mapped */
const PE_IMAGE *LdrpFindImageNamed(const char *Name); /* NULL: no such module is loaded */

/* library.c: drivers that others import from */
const PE_IMAGE *LdrpProvide(LDR_MODULE *Importer, const char *Library); /* loads it */
#endif
