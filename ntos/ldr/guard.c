/*
 * Control Flow Guard: an image that has it calls through pointers by way of a routine of the
 * kernel, which it finds in a slot of its own; the pointer is in rax. That routine is here: it
 * checks nothing, but knows our routines from those of images.
 */
#include "ldr/pe.h"
#include <string.h>

#ifndef IMAGE_GUARD_CF_INSTRUMENTED
#define IMAGE_GUARD_CF_INSTRUMENTED 0x100
#endif
#define GUARD_DISPATCH_POINTER 0x78 /* in IMAGE_LOAD_CONFIG_DIRECTORY64 */
#define GUARD_FLAGS 0x90

void LdrpGuardDispatch(void) __attribute__((visibility("hidden")));
_Static_assert(NT_IMAGE_LOW >> NT_IMAGE_SHIFT == 0x1F3 && NT_IMAGE_SHIFT == 38,
               "the assembler's numbers");

/* Registers with arguments are kept. LdrpCallNative takes the routine in r11. */
__asm__(".pushsection nt_foreign, \"ax\", @progbits\n"
        ".hidden LdrpGuardDispatch\n.hidden LdrpCallNative\n"
        ".globl LdrpGuardDispatch\n.type LdrpGuardDispatch, @function\n"
        "LdrpGuardDispatch:\n"
        ".cfi_startproc\n"
        "    mov %rax, %r11\n"
        "    shr $38, %r11\n"
        "    cmp $0x1F3, %r11\n"
        "    mov %rax, %r11\n"
        "    jne LdrpCallNative\n"
        "    jmp *%rax\n"
        ".cfi_endproc\n"
        ".size LdrpGuardDispatch, .-LdrpGuardDispatch\n"
        ".popsection\n");

void PeInitGuard(const PE_IMAGE *Image)
{
    const IMAGE_DATA_DIRECTORY *Directory = &Image->Directories[IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG];
    const void *Routine = (const void *)LdrpGuardDispatch;
    const UCHAR *Config = Image->Base + Directory->VirtualAddress;
    ULONG64 Place;
    ULONG Flags, Size;
    if (Directory->Size < GUARD_FLAGS + sizeof(Flags))
        return;
    memcpy(&Size, Config, sizeof(Size));
    memcpy(&Flags, Config + GUARD_FLAGS, sizeof(Flags));
    memcpy(&Place, Config + GUARD_DISPATCH_POINTER, sizeof(Place));
    Place -= (ULONG_PTR)Image->Base;
    if (Size >= GUARD_FLAGS + sizeof(Flags) && Flags & IMAGE_GUARD_CF_INSTRUMENTED &&
        Place <= MAXULONG && PeAt(Image, (ULONG)Place, sizeof(Routine)) != NULL)
        memcpy(Image->Base + Place, &Routine, sizeof(Routine));
}
