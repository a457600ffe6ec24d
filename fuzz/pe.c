/* fuzz pe: no Windows image does harm before it runs. The input is a list of changes to a small
 * good driver, or (first byte 0xFF) an image itself; everything is done with it but calling its
 * entry point. It is refused, or could be called. */
#include "ldr/seh.h"
#include "ldr/test/pe_image.h"
#include "usernt.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void NoMissing(void *Context, const char *Library, const char *Name)
{
    if (strlen(Library) > 0xF000000 || strlen(Name) > 0xF000000)
        abort();
}

static void LookAround(const PE_IMAGE *Image)
{
    PeExportByName(Image, "DllInitialize");
    PeExportByOrdinal(Image, 1);
    for (ULONG Rva = 0; Rva < 0x2000 && Rva < Image->Size; Rva += 16) {
        ULONG64 Stack[64] = {0};
        struct host_cpu Cpu = {.rsp = (ULONG_PTR)Stack, .rip = (ULONG_PTR)Image->Base + Rva};
        LDRP_FRAME Frame;

        LdrpUnwindFrame(Image, &Cpu, &Frame);
    }
}

static void Try(const void *Bytes, SIZE_T Size)
{
    PE_FILE File;
    PE_IMAGE Image;
    const char *Why;

    if (!PeOpen(&File, Bytes, Size, &Why) || !NT_SUCCESS(PeMap(&File, &Image, &Why)))
        return;
    if (PeBindImports(&Image, NoMissing, NULL) == 0) {
        PeInitCookie(&Image);
        PePatch(&File, &Image);
        PePatchCode(&File, &Image);
        LookAround(&Image);
        PeProtect(&File, &Image);
    }
    PeUnmap(&Image);
}

/* Each four bytes: an offset, and what is written there (one byte, or four of 0xFF). */
static void TryChanged(const uint8_t *Data, size_t Size)
{
    PE_TEST Test;

    PeTestMake(&Test, "DbgPrint");
    for (; Size >= 4; Data += 4, Size -= 4) {
        ULONG At = (Data[0] | (ULONG)Data[1] << 8) % (PE_TEST_BYTES - 4);

        if (Data[2] & 1)
            memset(Test.Bytes + At, 0xFF, 4);
        Test.Bytes[At] = Data[3];
    }
    Try(&Test, sizeof(Test));
}

int LLVMFuzzerInitialize(int *Count, char ***Arguments);
int LLVMFuzzerInitialize(int *Count, char ***Arguments)
{
    static const USERNT_OPTIONS Options = {.Size = sizeof(Options), .Processors = 1};

    return NT_SUCCESS(UserNtBoot(&Options)) ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    void *Copy;

    if (Size == 0 || Data[0] != 0xFF) {
        TryChanged(Data, Size);
        return 0;
    }
    Copy = malloc(Size); /* aligned, and of its exact size */
    memcpy(Copy, Data + 1, Size - 1);
    Try(Copy, Size - 1);
    free(Copy);
    return 0;
}
