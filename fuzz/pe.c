/* fuzz pe: no Windows image does harm before it runs. The input is the number of a good driver and
 * a list of changes to it, or (first byte 0xFF) an image itself; everything is done with it but
 * calling its code. It is refused in words, or could be called.
 *
 * USERNT_FUZZ_IMAGES: a folder of good drivers. USERNT_FUZZ_WRITE: a file that the image is written
 * to, as an input. */
#include "fuzz/pe_seeds.h"
#include "ldr/ldrp.h"
#include "ldr/patch.h"
#include "ldr/seh.h"
#include "usernt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static LDR_MODULE Module = {
    .BaseName = RTL_CONSTANT_STRING(L"changed.sys")}; /* what the image is published as */
static ULONG64 Random;

static ULONG64 Next(void)
{
    Random ^= Random << 13;
    Random ^= Random >> 7;
    Random ^= Random << 17;
    return Random;
}

static void Check(BOOLEAN Good, const char *What)
{
    if (Good)
        return;
    fprintf(stderr, "fuzz pe: %s\n", What);
    abort();
}

static void OnLine(void *Context, const char *Line)
{
    Check(strlen(Line) >= 8, "an image is refused without a reason");
    ++*(ULONG *)Context;
}

static const PE_IMAGE *Provide(void *Context, const char *Library)
{
    return LdrpFindImageNamed(Library);
}

/* ---- a loaded image ---- */

/* A moment somewhere in the image, on a stack of its own. */
static void RandomMoment(const PE_IMAGE *Image, ULONG64 *Stack, ULONG Slots, struct host_cpu *Cpu)
{
    for (ULONG i = 0; i < sizeof(*Cpu) / sizeof(ULONG64); i++)
        ((ULONG64 *)Cpu)[i] = Next() & 1 ? (ULONG_PTR)(Stack + Next() % Slots) : Next();
    for (ULONG i = 0; i < Slots; i++)
        Stack[i] = Next() & 1 ? (ULONG_PTR)Image->Base + Next() % Image->Size : Next();
    Cpu->rsp = (ULONG_PTR)(Stack + Next() % Slots);
}

/* Most addresses of interest are in functions. */
static ULONG64 RandomPlace(const PE_IMAGE *Image)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    ULONG Functions = Directory->Size / sizeof(LDRP_FUNCTION);
    LDRP_FUNCTION Function;

    if (Functions != 0 && Next() % 8 != 0 &&
        PeRead(Image, Directory->VirtualAddress + Next() % Functions * sizeof(Function), &Function,
               sizeof(Function)) &&
        Function.End > Function.Begin)
        return (ULONG_PTR)Image->Base + Function.Begin + Next() % (Function.End - Function.Begin);
    return (ULONG_PTR)Image->Base + Next() % (Image->Size + Image->StubBytes + PAGE_SIZE);
}

static void UnwindFrom(const PE_IMAGE *Image, ULONG64 Place)
{
    ULONG64 Stack[256], Base = 1, Establisher;
    struct host_cpu Cpu;
    const void *Data;
    const LDRP_FUNCTION *Function;
    LDRP_SCOPE Scope;

    RandomMoment(Image, Stack, RTL_NUMBER_OF(Stack), &Cpu);
    Cpu.rip = Place;
    Function = LdrpLookupFunctionEntry(Place, &Base, NULL);
    Check(Function == NULL || Base == (ULONG_PTR)Image->Base, "a function of another image");
    LdrpVirtualUnwind(LDRP_HANDLES_EXCEPTIONS, Base, Place, Function, (PCONTEXT)&Cpu, &Data,
                      &Establisher, NULL);
    for (ULONG i = 0; i < 16 && Cpu.rip - (ULONG_PTR)Image->Base < Image->Size; i++) {
        LDRP_FRAME Frame;

        LdrpUnwindFrame(Image, &Cpu, &Frame);
        if (Frame.Data != NULL)
            for (ULONG Scopes = LdrpCountScopes(Image, Frame.Data), j = 0; j < Scopes && j < 64;
                 j++)
                LdrpReadScope(Image, Frame.Data, j, &Scope);
    }
}

static void LookAtPatches(const PE_IMAGE *Image)
{
    const LDRP_PATCHES *Patches = Image->Patches;
    ULONG_PTR Base = (ULONG_PTR)Image->Base;

    for (ULONG i = 0; Patches != NULL && i < Patches->PieceCount; i++) {
        const LDRP_PIECE *Piece = &Patches->Pieces[i];

        Check(LdrpOriginalOf(Image, Base + Piece->Stub, NULL) == Base + Piece->Original &&
                  LdrpPatchedOf(Base + Piece->Original) == Base + Piece->Stub,
              "a piece of code is not found again");
    }
    for (ULONG i = 0; Patches != NULL && i < Patches->TrapCount; i++) {
        LDRP_INSTRUCTION Instruction;
        const void *Address = Image->Base + Patches->Traps[i].Original;

        Check(LdrpIsTrap(Address), "a trap is not found again");
        LdrpDecodeOriginal(Address, &Instruction);
    }
}

static void LookAround(PE_IMAGE *Image)
{
    IMAGE_EXPORT_DIRECTORY Exports;
    char Name[64] = "";
    ULONG Names[8];

    PeExportByName(Image, "DllInitialize");
    PeExportByOrdinal(Image, (ULONG)Next() % 100);
    if (PeRead(Image, Image->Directories[IMAGE_DIRECTORY_ENTRY_EXPORT].VirtualAddress, &Exports,
               sizeof(Exports)) &&
        PeRead(Image, Exports.AddressOfNames, Names, sizeof(Names)))
        for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++)
            if (PeRead(Image, Names[i], Name, sizeof(Name) - 1))
                PeExportByName(Image, Name);
    for (ULONG i = 0; i < 24; i++)
        UnwindFrom(Image, RandomPlace(Image));
}

static void Live(PE_IMAGE *Image)
{
    Module.Base = Image->Base;
    Module.Size = Image->Size;
    Module.Pe = Image;
    Check(LdrpPublishAddresses(&Module), "there is no room for an image's addresses");
    LookAtPatches(Image);
    LookAround(Image);
    PeDiscard(Image);
    LookAround(Image);
    LdrpWithdrawAddresses(&Module);
}

/* ---- inputs ---- */

static void Try(const UCHAR *Bytes, SIZE_T Size)
{
    ULONG Lines = 0;
    PE_LOADER Loader = {OnLine, Provide, &Lines};
    PE_IMAGE Image;

    if (!NT_SUCCESS(PePrepare(Bytes, Size, &Image, &Loader))) {
        Check(Lines != 0, "an image is refused without a word");
        return;
    }
    Check(Lines == 0, "an image is complained about, and loaded");
    Live(&Image);
    PeUnmap(&Image);
}

static void WriteImage(const UCHAR *Bytes, SIZE_T Size)
{
    const char *Path = getenv("USERNT_FUZZ_WRITE");
    FILE *File = Path == NULL ? NULL : fopen(Path, "wb");

    if (File == NULL)
        return;
    fputc(0xFF, File);
    fwrite(Bytes, 1, Size, File);
    fclose(File);
}

int LLVMFuzzerInitialize(int *Argc, char ***Argv);
int LLVMFuzzerInitialize(int *Argc, char ***Argv)
{
    static const USERNT_OPTIONS Options = {.Size = sizeof(Options), .Processors = 1};
    const char *Folder = getenv("USERNT_FUZZ_IMAGES");
    char Path[1024];

    if (!NT_SUCCESS(UserNtBoot(&Options)) || !SeedsLoad(Folder))
        exit(1);
    snprintf(Path, sizeof(Path), "%s/exports.sys", Folder == NULL ? "" : Folder);
    UserNtLoadDriver(Path, L"exports"); /* what others import from, if it is there */
    snprintf(Path, sizeof(Path), "%s/library.sys", Folder == NULL ? "" : Folder);
    UserNtLoadDriver(Path, L"library");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    SIZE_T Bytes = Size == 0 ? 0 : Size - 1;
    UCHAR *Image;

    Random = 0x9E3779B97F4A7C15ull + Size;
    if (Size != 0 && Data[0] == 0xFF) {
        Image = malloc(Bytes); /* aligned, and of its exact size */
        memcpy(Image, Data + 1, Bytes);
    } else {
        for (size_t i = 0; i < Size; i++)
            Random = Random * 31 + Data[i];
        Image = SeedsChange(Size == 0 ? 0 : Data[0], Data + 1, Bytes, &Bytes);
    }
    Random |= 1;
    WriteImage(Image, Bytes);
    Try(Image, Bytes);
    free(Image);
    return 0;
}
