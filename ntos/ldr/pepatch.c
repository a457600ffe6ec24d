/*
 * Addresses of Windows that a driver's code has inside it.
 *
 * KUSER_SHARED_DATA lies at 0xFFFFF78000000000 in kernel mode, an address that no Linux process can
 * have. Compilers make of it either a load of a 64-bit constant into a register or a move from an
 * absolute address; both hold the whole address, which is replaced by that of the page here. (What
 * is computed otherwise faults, and is found then: fault.c.)
 */
#include "ldr/pe.h"
#include <string.h>

#define PE_SHARED_DATA 0xFFFFF78000000000ull

/* The two bytes before the constant: REX.W, mov register or accumulator; a 32-bit move has no
 * prefix. */
static BOOLEAN IsConstantOf(const UCHAR *Before)
{
    UCHAR Prefix = Before[0], Opcode = Before[1];
    if (Opcode >= 0xB8 && Opcode <= 0xBF)
        return Prefix == 0x48 || Prefix == 0x49;
    return Opcode >= 0xA0 && Opcode <= 0xA1; /* with any prefix, or none */
}

static void PatchCode(UCHAR *Code, SIZE_T Bytes)
{
    for (SIZE_T i = 2; i + sizeof(ULONG64) <= Bytes; i++) {
        ULONG64 Value;
        memcpy(&Value, Code + i, sizeof(Value));
        if (Value - PE_SHARED_DATA >= PAGE_SIZE || !IsConstantOf(Code + i - 2))
            continue;
        Value = Value - PE_SHARED_DATA + KI_USER_SHARED_DATA;
        memcpy(Code + i, &Value, sizeof(Value));
    }
}

void PePatch(const PE_FILE *File, const PE_IMAGE *Image)
{
    for (ULONG i = 0; i < File->SectionCount; i++) {
        const IMAGE_SECTION_HEADER *Section = &File->Sections[i];
        UCHAR *Code = PeAt(Image, Section->VirtualAddress, Section->Misc.VirtualSize);
        if (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE && Code != NULL)
            PatchCode(Code, Section->Misc.VirtualSize);
    }
}
