/*
 * Budgets: what the kernel process has only so much of, and clients can use up: Linux's mappings
 * and open files, and granules of the direct map.
 *
 * A process may hold at most a quarter of what nobody holds at the moment. So the first finds
 * plenty, and however many take all they can, there is something left for one that comes later. A
 * quarter of everything is not given out at all: it is the kernel's own, and what Linux needs in
 * passing, when a mapping is split.
 */
#include "mi.h"

#include <stdlib.h>

#define MI_SHARES 4

struct MI_ACCOUNT {
    ULONG References; /* the address space's, and one of each section that it made */
    LONG Held[MiResources];
};

static struct {
    MI_LOCK Lock;
    LONG Free[MiResources];
} MiBudget;

void MiInitBudget(void)
{
    MiBudget.Free[MiMappings] = (LONG)(host_mapping_limit() / MI_SHARES * (MI_SHARES - 1));
    MiBudget.Free[MiFiles] = (LONG)(host_file_limit() / MI_SHARES * (MI_SHARES - 1));
    MiBudget.Free[MiGranules] = (LONG)(MI_GRANULES - (MiRam.Count >> MI_GRANULE_SHIFT));
}

MI_ACCOUNT *MiOpenAccount(void)
{
    MI_ACCOUNT *Account = calloc(1, sizeof(*Account));

    if (Account)
        Account->References = 1;
    return Account;
}

MI_ACCOUNT *MiShareAccount(MI_ACCOUNT *Account)
{
    if (Account)
        __atomic_fetch_add(&Account->References, 1, __ATOMIC_RELAXED);
    return Account;
}

void MiCloseAccount(MI_ACCOUNT *Account)
{
    if (!Account || __atomic_sub_fetch(&Account->References, 1, __ATOMIC_ACQ_REL))
        return;
    for (ULONG i = 0; i < MiResources; i++)
        NT_ASSERT(!Account->Held[i]);
    free(Account);
}

/* TRUE: the process has Count more. Nobody's account (NULL) has no limit. */
BOOLEAN MiTake(MI_ACCOUNT *Account, MI_RESOURCE Resource, LONG Count)
{
    LONG *Free = &MiBudget.Free[Resource];
    BOOLEAN Taken;

    if (!Account || !Count)
        return TRUE;
    MiAcquire(&MiBudget.Lock);
    Taken = Account->Held[Resource] + Count <= (*Free - Count) / MI_SHARES;
    if (Taken) {
        Account->Held[Resource] += Count;
        *Free -= Count;
    }
    MiRelease(&MiBudget.Lock);
    return Taken;
}

void MiGive(MI_ACCOUNT *Account, MI_RESOURCE Resource, LONG Count)
{
    if (!Account)
        return;
    MiAcquire(&MiBudget.Lock);
    Account->Held[Resource] -= Count;
    MiBudget.Free[Resource] += Count;
    MiRelease(&MiBudget.Lock);
}

/* All or nothing. */
BOOLEAN MiTakeEach(MI_ACCOUNT *Account, const LONG Counts[MiResources])
{
    for (ULONG i = 0; i < MiResources; i++)
        if (!MiTake(Account, (MI_RESOURCE)i, Counts[i])) {
            while (i--)
                MiGive(Account, (MI_RESOURCE)i, Counts[i]);
            return FALSE;
        }
    return TRUE;
}

void MiGiveEach(MI_ACCOUNT *Account, const LONG Counts[MiResources])
{
    for (ULONG i = 0; i < MiResources; i++)
        MiGive(Account, (MI_RESOURCE)i, Counts[i]);
}

#define MI_THREAD_MAPPINGS 4 /* its stack, the stack for faults, and what keeps them apart */

BOOLEAN MmTakeThread_(MM_ADDRESS_SPACE *Space)
{
    return MiTake(Space->Account, MiMappings, MI_THREAD_MAPPINGS);
}

void MmReturnThread_(MM_ADDRESS_SPACE *Space)
{
    MiGive(Space->Account, MiMappings, MI_THREAD_MAPPINGS);
}
