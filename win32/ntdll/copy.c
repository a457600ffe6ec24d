/* Copying to and from addresses that the program gave and that may not be there. */
#include "win32/ntdll/ntdll.h"

/* Who is asked about a fault of the program's own: kernel32's filter. Exported. */
bool (*ntdll_unhandled_fault)(const struct host_fault *Fault);

static bool step_over_bad_copy(const struct host_fault *Fault)
{
    return host_copy_claim(Fault) || (ntdll_unhandled_fault && ntdll_unhandled_fault(Fault));
}

void ntdll_copy_init(void)
{
    host_fault_install(step_over_bad_copy);
}

int ntdll_copy(void *To, const void *From, size_t Bytes)
{
    return host_copy(To, From, Bytes);
}

/* One byte a page, read and written back, as the kernel itself probes. */
int ntdll_touch(void *To, size_t Bytes)
{
    size_t At = 0, InPage = HOST_PAGE_SIZE - ((uintptr_t)To & (HOST_PAGE_SIZE - 1));

    do {
        if (!host_touch((char *)To + At))
            return 0;
        At += InPage;
        InPage = HOST_PAGE_SIZE;
    } while (At < Bytes);
    return 1;
}
