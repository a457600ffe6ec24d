/* Staging blocks larger than the thread's own, allocated in the slot. */
#include "win32/ntdll/ntdll.h"

#define GRAIN ((size_t)0x10000)

int ntdll_slot_allocate(struct ntdll_thread *Thread, size_t Bytes, struct ntdll_block *Block)
{
    uint64_t *Base = &Thread->Scratch[0], *Size = &Thread->Scratch[1];
    uint64_t Arguments[CHANNEL_ARGUMENTS] = {
        (uint64_t)-1, (uint64_t)Base, 0, (uint64_t)Size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE};

    *Base = 0;
    *Size = (Bytes + GRAIN - 1) & ~(GRAIN - 1);
    if (ntdll_call(Thread, ServiceNtAllocateVirtualMemory, Arguments) < 0)
        return 0;
    *Block = (struct ntdll_block){(char *)*Base, *Size};
    return 1;
}

void ntdll_slot_free(struct ntdll_thread *Thread, struct ntdll_block *Block)
{
    uint64_t *Base = &Thread->Scratch[0], *Size = &Thread->Scratch[1];
    uint64_t Arguments[CHANNEL_ARGUMENTS] = {(uint64_t)-1, (uint64_t)Base, (uint64_t)Size,
                                             MEM_RELEASE};

    *Base = (uint64_t)Block->Base;
    *Size = 0;
    ntdll_call(Thread, ServiceNtFreeVirtualMemory, Arguments);
    *Block = (struct ntdll_block){0};
}
