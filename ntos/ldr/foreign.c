/*
 * The executive as a Windows image sees it: for each routine a thunk of Microsoft's calling
 * convention that calls the routine of ours, generated from exports.txt and imported.txt; and for
 * each thunk a jump in the part of system space that is Windows images', so that by its address
 * (host/call.h) everyone knows how it is called. Objects are imported as they are.
 */
#include "ldr/ldrp.h"
#include "ldr/pe.h"
#include <usernt_call.h>
#include <stdlib.h>
#include <string.h>

typedef struct LDRP_THUNK {
    const char *Name;
    const void *Code;   /* NULL: an object */
    const void *Object; /* its address */
    BOOLEAN IsPointer;  /* the object's address is what lies there */
} LDRP_THUNK;

#if defined(__clang__)
#define FOREIGN static __attribute__((ms_abi, no_sanitize("function")))
#else
#define FOREIGN static __attribute__((ms_abi))
#endif
#define NATIVE(Name, Symbol) extern char Native_##Name[] __asm__(#Symbol);

/* Microsoft's list of arguments is an array of 8-byte slots. So is the memory part of ours; with
 * its register parts used up it reads nothing else. */
#define LIST(Ours, Theirs)                                                                         \
    va_list Ours;                                                                                  \
    Ours[0].gp_offset = 48;                                                                        \
    Ours[0].fp_offset = 304;                                                                       \
    Ours[0].overflow_arg_area = Theirs;                                                            \
    Ours[0].reg_save_area = NULL
#define VARIADIC(Last)                                                                             \
    __builtin_ms_va_list Start;                                                                    \
    __builtin_ms_va_start(Start, Last);                                                            \
    LIST(List, Start)

#define ROW(Name) {#Name, (const void *)Thunk_##Name, NULL, FALSE},
#define ROW_CODE(Name) {#Name, Native_##Name, NULL, FALSE},
#define ROW_DATA(Name) {#Name, NULL, Native_##Name, FALSE},
#define ROW_POINTER(Name) {#Name, NULL, Native_##Name, TRUE},
#include "ldr/thunks.inc"

#define THUNKS RTL_NUMBER_OF(LdrpThunks)
#define STUB_BYTES 16

static UCHAR *LdrpStubs;
static LDRP_KERNEL_IMAGE LdrpKernel;
static USHORT LdrpRoutines[THUNKS]; /* rows with code, in order */

_Static_assert(USERNT_IS_WINDOWS_CODE(NT_IMAGE_LOW) && USERNT_IS_WINDOWS_CODE(NT_IMAGE_HIGH - 1) &&
                   !USERNT_IS_WINDOWS_CODE(NT_IMAGE_LOW - 1),
               "what the kit tells drivers");

/* mov r11, Target; jmp r11. Both conventions leave r11 to the callee. */
static void WriteStub(UCHAR *Stub, const void *Target)
{
    static const UCHAR Code[] = {0x49, 0xBB, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xFF, 0xE3};
    memcpy(Stub, Code, sizeof(Code));
    memcpy(Stub + 2, &Target, sizeof(Target));
}

static const char *RoutineOf(ULONG Index, ULONG *Offset)
{
    *Offset = LdrpRoutines[Index] * STUB_BYTES;
    return LdrpThunks[LdrpRoutines[Index]].Name;
}

static ULONG CollectRoutines(void)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < THUNKS; i++)
        if (LdrpThunks[i].Code != NULL)
            LdrpRoutines[Count++] = (USHORT)i;
    return Count;
}

NTSTATUS LdrpInitForeign(void)
{
    ULONG Count = CollectRoutines();
    NTSTATUS Status = LdrpCreateKernelImage(Count, THUNKS * STUB_BYTES, RoutineOf, &LdrpKernel);
    if (!NT_SUCCESS(Status))
        return Status;
    LdrpStubs = LdrpKernel.Text; /* headers lie in front: a sanitizer looks there */
    for (ULONG i = 0; i < Count; i++)
        WriteStub(LdrpStubs + LdrpRoutines[i] * STUB_BYTES, LdrpThunks[LdrpRoutines[i]].Code);
    LdrpShowExecutiveAs(LdrpKernel.Base, LdrpKernel.Bytes);
    return LdrpProtectKernelImage(&LdrpKernel);
}

void LdrpShutdownForeign(void)
{
    if (LdrpStubs != NULL)
        MmFreeImage(LdrpKernel.Base);
    LdrpStubs = NULL;
}

static int Order(const void *Name, const void *Row)
{
    return strcmp(Name, ((const LDRP_THUNK *)Row)->Name);
}

PVOID LdrpForeignExport(const char *Name)
{
    const LDRP_THUNK *Row = bsearch(Name, LdrpThunks, THUNKS, sizeof(*LdrpThunks), Order);
    if (Row == NULL)
        return NULL; /* of what 64-bit Windows does not export, only what imported.txt lists */
    if (Row->Code != NULL)
        return LdrpStubs + (Row - LdrpThunks) * STUB_BYTES;
    return Row->IsPointer ? *(PVOID *)Row->Object : (PVOID)Row->Object;
}

/* ---- routines that answer a Windows image otherwise ---- */

ULONG LdrpDbgPrint(PCSTR Format, va_list List)
{
    return vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, List);
}

PVOID LdrpForeignRoutineAddress(PUNICODE_STRING Name)
{
    char Text[LDRP_NAME];
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return LdrpNarrowName(Name, Text) ? LdrpForeignExport(Text) : NULL;
}

/* The inline code that takes from a list calls the list's routines itself. */
VOID LdrpInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                       PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                       USHORT Depth)
{
    ExInitializeNPagedLookasideList(
        List, Allocate != NULL ? (PVOID)Allocate : LdrpForeignExport("ExAllocatePoolWithTag"),
        Free != NULL ? (PVOID)Free : LdrpForeignExport("ExFreePool"), Flags, Size, Tag, Depth);
}

VOID LdrpInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                      PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                      USHORT Depth)
{
    ExInitializePagedLookasideList(
        List, Allocate != NULL ? (PVOID)Allocate : LdrpForeignExport("ExAllocatePoolWithTag"),
        Free != NULL ? (PVOID)Free : LdrpForeignExport("ExFreePool"), Flags, Size, Tag, Depth);
}

NTSTATUS LdrpInitializeLookasideListEx(PLOOKASIDE_LIST_EX List, PALLOCATE_FUNCTION_EX Allocate,
                                       PFREE_FUNCTION_EX Free, POOL_TYPE Type, ULONG Flags,
                                       SIZE_T Size, ULONG Tag, USHORT Depth)
{
    return ExInitializeLookasideListEx(
        List, Allocate != NULL ? (PVOID)Allocate : LdrpForeignExport("ExAllocatePoolWithTag"),
        Free != NULL ? (PVOID)Free : LdrpForeignExport("ExFreePool"), Type, Flags, Size, Tag,
        Depth);
}

/* __chkstk: rax bytes of stack are about to be used. A kernel stack is all there. */
__asm__(
    ".text\n.globl LdrpCheckStack\n.type LdrpCheckStack, @function\nLdrpCheckStack:\n    ret\n");

const char *LdrpForeignName(const void *Address)
{
    ULONG_PTR Offset = (ULONG_PTR)Address - (ULONG_PTR)LdrpStubs;
    return LdrpStubs != NULL && Offset < THUNKS * STUB_BYTES ? LdrpThunks[Offset / STUB_BYTES].Name
                                                             : NULL;
}
