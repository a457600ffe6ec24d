/*
 * Copying to and from addresses that the program gave and that may not be there. A fault inside the
 * copy loop is turned into its failure return by the fault handler, so a good copy costs nothing
 * more than the copy.
 */
#include "win32/ntdll/ntdll.h"

int ntdll_copy_bytes(void *To, const void *From, size_t Bytes);
extern const char ntdll_copy_begin[], ntdll_copy_end[], ntdll_copy_failed[];

__asm__(".text\n"
        ".globl ntdll_copy_bytes\n"
        ".hidden ntdll_copy_bytes, ntdll_copy_begin, ntdll_copy_end, ntdll_copy_failed\n"
        ".globl ntdll_copy_begin, ntdll_copy_end, ntdll_copy_failed\n"
        ".type ntdll_copy_bytes, @function\n"
        "ntdll_copy_bytes:\n"
        "ntdll_copy_begin:\n"
        "    mov %rdx, %rcx\n"
        "    rep movsb\n"
        "    mov $1, %eax\n"
        "    ret\n"
        "ntdll_copy_end:\n"
        "ntdll_copy_failed:\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".size ntdll_copy_bytes, . - ntdll_copy_bytes\n");

/* Who is asked about a fault of the program's own: kernel32's filter. Exported. */
bool (*ntdll_unhandled_fault)(const struct host_fault *Fault);

static bool step_over_bad_copy(const struct host_fault *Fault)
{
    const char *At = Fault->instruction;

    if (At < ntdll_copy_begin || At >= ntdll_copy_end)
        return ntdll_unhandled_fault && ntdll_unhandled_fault(Fault);
    host_fault_continue_at(Fault, ntdll_copy_failed);
    return true;
}

void ntdll_copy_init(void)
{
    host_fault_install(step_over_bad_copy);
}

int ntdll_copy(void *To, const void *From, size_t Bytes)
{
    return ntdll_copy_bytes(To, From, Bytes);
}
