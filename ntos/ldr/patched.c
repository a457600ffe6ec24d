/*
 * Code of a Windows image that was changed: between the addresses that the image's author knows
 * and those where the instructions are. Any IRQL, also in a fault.
 */
#include "ldr/patch.h"
#include "ldr/seh.h"

/* The last piece whose stub begins at Stub or before. */
static const LDRP_PIECE *PieceAt(const LDRP_PATCHES *Patches, ULONG Stub)
{
    ULONG Low = 0, High = Patches->PieceCount;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        if (Patches->Pieces[Middle].Stub <= Stub)
            Low = Middle + 1;
        else
            High = Middle;
    }
    return Low == 0 ? NULL : &Patches->Pieces[Low - 1];
}

ULONG64 LdrpOriginalOf(const PE_IMAGE *Image, ULONG64 Rip, BOOLEAN *Calls)
{
    ULONG64 Offset = Rip - (ULONG_PTR)Image->Base;
    const LDRP_PIECE *Piece = NULL;
    if (Image->Patches != NULL && Offset >= Image->Size && Offset < Image->Patches->StubAt)
        Piece = PieceAt(Image->Patches, (ULONG)Offset);
    if (Calls != NULL)
        *Calls = Piece != NULL && Piece->Calls && Piece->Stub != Offset;
    return Piece == NULL ? Rip : (ULONG_PTR)Image->Base + Piece->Original;
}

ULONG64 LdrpPatchedOf(ULONG64 Rip)
{
    const PE_IMAGE *Image = LdrpImageAt(Rip);
    return Image == NULL ? Rip : LdrpPatchedIn(Image, Rip);
}

static const LDRP_PIECE *PieceFrom(const PE_IMAGE *Image, ULONG64 Rip)
{
    ULONG64 Offset = Rip - (ULONG_PTR)Image->Base;
    ULONG Low = 0, High = Image->Patches == NULL ? 0 : Image->Patches->PieceCount;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        const LDRP_PIECE *Piece = &Image->Patches->Pieces[Middle];
        if (Piece->Original == Offset)
            return Piece;
        if (Piece->Original < Offset)
            Low = Middle + 1;
        else
            High = Middle;
    }
    return NULL;
}

ULONG64 LdrpPatchedIn(const PE_IMAGE *Image, ULONG64 Rip)
{
    const LDRP_PIECE *Piece = PieceFrom(Image, Rip);
    return Piece == NULL ? Rip : (ULONG_PTR)Image->Base + Piece->Stub;
}

BOOLEAN LdrpIsTailJump(const PE_IMAGE *Image, ULONG64 Rip)
{
    const LDRP_PIECE *Piece = PieceFrom(Image, Rip);
    return Piece != NULL && Piece->Leaves;
}

static const LDRP_TRAP *TrapAt(const LDRP_PATCHES *Patches, ULONG Offset)
{
    ULONG Low = 0, High = Patches == NULL ? 0 : Patches->TrapCount;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        if (Patches->Traps[Middle].Original == Offset)
            return &Patches->Traps[Middle];
        if (Patches->Traps[Middle].Original < Offset)
            Low = Middle + 1;
        else
            High = Middle;
    }
    return NULL;
}

BOOLEAN LdrpIsTrap(const void *Address)
{
    const PE_IMAGE *Image = LdrpImageAt((ULONG_PTR)Address);
    return Image != NULL &&
           TrapAt(Image->Patches, (ULONG)((const UCHAR *)Address - Image->Base)) != NULL;
}

BOOLEAN LdrpDecodeOriginal(const void *Address, LDRP_INSTRUCTION *Instruction)
{
    UCHAR Code[ZYDIS_MAX_INSTRUCTION_LENGTH] = {0};
    const PE_IMAGE *Image = LdrpImageAt((ULONG_PTR)Address);
    const LDRP_TRAP *Trap =
        Image == NULL ? NULL
                      : TrapAt(Image->Patches, (ULONG)((const UCHAR *)Address - Image->Base));
    if (Trap == NULL)
        return LdrpDecodeAt(Address, Instruction);
    SIZE_T Rest = Image->Size - Trap->Original, Bytes = Rest < sizeof(Code) ? Rest : sizeof(Code);
    if (!host_copy(Code, Address, Bytes))
        return FALSE;
    Code[0] = Trap->Byte;
    return LdrpDecode(Code, Bytes, Instruction);
}
