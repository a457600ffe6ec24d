/* The reader of images by itself: against a good one, and against 10,000 damaged ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../driver/image.h"

#define BYTES 0x3000
#define EXPORTS 0x1000
static UCHAR Good[BYTES], Bad[BYTES];
static UCHAR *Memory; /* what can be read */

static SIZE_T read_memory(PVOID To, const VOID *From, SIZE_T Bytes)
{
    ULONG_PTR At = (ULONG_PTR)From - (ULONG_PTR)Memory;

    if (At >= BYTES)
        return 0;
    if (Bytes > BYTES - At)
        Bytes = BYTES - At;
    memcpy(To, From, Bytes);
    return Bytes;
}

static void put(ULONG At, ULONG Value)
{
    memcpy(Good + At, &Value, sizeof(Value));
}

/* Three names: one function, one forwarder, one of a number that is not there. */
static int make(void **State)
{
    IMAGE_DOS_HEADER *Dos = (void *)Good;
    IMAGE_NT_HEADERS *Headers = (void *)(Good + 0x80);
    IMAGE_EXPORT_DIRECTORY *Directory = (void *)(Good + EXPORTS);
    USHORT Ordinals[] = {0, 1, 7};

    Dos->e_magic = IMAGE_DOS_SIGNATURE;
    Dos->e_lfanew = 0x80;
    Headers->Signature = IMAGE_NT_SIGNATURE;
    Headers->FileHeader.SizeOfOptionalHeader = sizeof(Headers->OptionalHeader);
    Headers->OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR_MAGIC;
    Headers->OptionalHeader.SizeOfImage = BYTES;
    Headers->OptionalHeader.NumberOfRvaAndSizes = 16;
    Headers->OptionalHeader.DataDirectory[0] = (IMAGE_DATA_DIRECTORY){EXPORTS, 0x200};
    *Directory = (IMAGE_EXPORT_DIRECTORY){.Name = EXPORTS + 0x100,
                                          .Base = 1,
                                          .NumberOfFunctions = 2,
                                          .NumberOfNames = 3,
                                          .AddressOfFunctions = EXPORTS + 0x40,
                                          .AddressOfNames = EXPORTS + 0x60,
                                          .AddressOfNameOrdinals = EXPORTS + 0x80};
    put(EXPORTS + 0x40, 0x2000);
    put(EXPORTS + 0x44, EXPORTS + 0x140);
    put(EXPORTS + 0x60, EXPORTS + 0x110);
    put(EXPORTS + 0x64, EXPORTS + 0x118);
    put(EXPORTS + 0x68, EXPORTS + 0x120);
    memcpy(Good + EXPORTS + 0x80, Ordinals, sizeof(Ordinals));
    strcpy((char *)Good + EXPORTS + 0x100, "good.sys");
    strcpy((char *)Good + EXPORTS + 0x110, "First");
    strcpy((char *)Good + EXPORTS + 0x118, "Second");
    strcpy((char *)Good + EXPORTS + 0x120, "Third");
    strcpy((char *)Good + EXPORTS + 0x140, "hal.Other");
    Memory = Good;
    return 0;
}

static void a_good_image_is_read(void **State)
{
    IMAGE Image;
    CHAR Forwarder[32];
    PVOID Address;
    ULONG Rva, Size;
    UCHAR Block[0x200];
    IMAGE_EXPORT_DIRECTORY *Directory = (void *)Block;
    static const char *const None[] = {"#", "#0", "#3", "#1x", "#99999999999", "#4294967297"};

    assert_int_equal(ImageOpen(&Image, Good, read_memory), STATUS_SUCCESS);
    assert_int_equal(ImageExports(&Image, &Rva, &Size), STATUS_SUCCESS);
    assert_true(Rva == EXPORTS && Size == 0x200);
    assert_int_equal(ImageSymbol(&Image, "First", &Address, Forwarder, 32), STATUS_SUCCESS);
    assert_ptr_equal(Address, Good + 0x2000);
    assert_int_equal(ImageSymbol(&Image, "Second", &Address, Forwarder, 32), STATUS_SUCCESS);
    assert_string_equal(Forwarder, "hal.Other");
    assert_int_equal(ImageSymbol(&Image, "Second", &Address, Forwarder, 5), STATUS_DATA_ERROR);
    assert_int_equal(ImageSymbol(&Image, "Third", &Address, Forwarder, 32), STATUS_DATA_ERROR);
    assert_int_equal(ImageSymbol(&Image, "Fourth", &Address, Forwarder, 32),
                     STATUS_PROCEDURE_NOT_FOUND);
    assert_int_equal(ImageSymbol(&Image, "#1", &Address, Forwarder, 32), STATUS_SUCCESS);
    assert_ptr_equal(Address, Good + 0x2000);
    for (ULONG i = 0; i < RTL_NUMBER_OF(None); i++)
        assert_int_equal(ImageSymbol(&Image, None[i], &Address, Forwarder, 32),
                         STATUS_PROCEDURE_NOT_FOUND);
    memcpy(Block, Good + EXPORTS, sizeof(Block));
    ImageRelocateExports(&Image, Rva, Block, Size);
    assert_string_equal((char *)Block + Directory->Name, "good.sys");
    assert_string_equal((char *)Block + *(ULONG *)(Block + Directory->AddressOfNames + 4),
                        "Second");
}

static void what_is_no_image_is_told_apart(void **State)
{
    IMAGE Image;

    assert_int_equal(ImageOpen(&Image, NULL, read_memory), STATUS_INVALID_PARAMETER);
    assert_int_equal(ImageOpen(&Image, (PVOID)-1, read_memory), STATUS_INVALID_PARAMETER);
    assert_int_equal(ImageOpen(&Image, Good + 1, read_memory), STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(ImageOpen(&Image, Good + BYTES - 1, read_memory), STATUS_INVALID_PARAMETER);
}

static ULONG64 Seed = 88172645463325252;
static ULONG next(void)
{
    Seed ^= Seed << 13;
    Seed ^= Seed >> 7;
    Seed ^= Seed << 17;
    return (ULONG)(Seed >> 20);
}

/* Damage where it counts: the headers and the directory. */
static void damage(void)
{
    static const ULONG Odd[] = {0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, BYTES, BYTES - 1, 0xFFF};

    memcpy(Bad, Good, BYTES);
    for (ULONG i = 1 + next() % 6; i; i--) {
        ULONG At = next() % 2 ? EXPORTS + next() % 0x150 : next() % 0x180;
        ULONG Value = next() % 2 ? next() : Odd[next() % RTL_NUMBER_OF(Odd)];

        memcpy(Bad + At, &Value, next() % 4 + 1);
    }
}

static void damaged_images_are_survived(void **State)
{
    static const char *const Names[] = {"First", "Second", "Third", "Fourth", "#1", "#2"};

    Memory = Bad;
    for (ULONG i = 0; i < 10000; i++) {
        CHAR Forwarder[32];
        ULONG Rva, Size;
        PVOID Address;
        IMAGE Image;

        damage();
        if (!NT_SUCCESS(ImageOpen(&Image, Bad, read_memory)))
            continue;
        for (ULONG n = 0; n < RTL_NUMBER_OF(Names); n++)
            if (NT_SUCCESS(ImageSymbol(&Image, Names[n], &Address, Forwarder, 32)) && !Forwarder[0])
                assert_true((ULONG_PTR)Address - Image.Base < Image.Size);
        if (NT_SUCCESS(ImageExports(&Image, &Rva, &Size)) && Size <= BYTES - Rva % BYTES) {
            UCHAR *Block = malloc(Size); /* exact, for the sanitizer */
            IMAGE_EXPORT_DIRECTORY Directory;

            if (read_memory(Block, Bad + Rva, Size) == Size) {
                ImageRelocateExports(&Image, Rva, Block, Size);
                memcpy(&Directory, Block, sizeof(Directory));
                assert_true(Directory.Name < Size && Directory.AddressOfNames < Size);
            }
            free(Block);
        }
    }
    Memory = Good;
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test_setup(a_good_image_is_read, make),
        cmocka_unit_test_setup(what_is_no_image_is_told_apart, make),
        cmocka_unit_test_setup(damaged_images_are_survived, make),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
