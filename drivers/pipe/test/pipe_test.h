/* What the tests of the pipe share: a pipe by its name, its mode, its state. NT_VARIANT is the
 * driver. */
#pragma once

#include "drivers/test/driver_test.h"
#include "drivers/pipe/public.h"

#define DEVICE NT_VARIANT_DEVICE
#define TAG ' pxE'

static inline NTSTATUS pipe_open(const char *Name, ACCESS_MASK Access, HANDLE *Pipe)
{
    char Path[600];

    snprintf(Path, sizeof(Path), DEVICE "%s%s", Name ? "\\" : "", Name ? Name : "");
    return DriverTestOpen(Path, Access, Pipe);
}

static inline HANDLE pipe_opened(const char *Name, ACCESS_MASK Access)
{
    HANDLE Pipe;

    assert_ok(pipe_open(Name, Access, &Pipe));
    return Pipe;
}

static inline HANDLE opened(const char *Name)
{
    return pipe_opened(Name, GENERIC_READ | GENERIC_WRITE);
}

static inline NTSTATUS set(HANDLE Pipe, ULONG Capacity, ULONG Full, ULONG Empty, ULONG Flags)
{
    EXAMPLE_MODE Mode = {Capacity, Full, Empty, Flags};

    return DriverTestControl(Pipe, IOCTL_EXAMPLE_SET_MODE, &Mode, sizeof(Mode), NULL, 0);
}

static inline EXAMPLE_STATE state(HANDLE Pipe)
{
    EXAMPLE_STATE Now;

    assert_ok(DriverTestControl(Pipe, IOCTL_EXAMPLE_QUERY_STATE, NULL, 0, &Now, sizeof(Now)));
    assert_int_equal(Information, sizeof(Now));
    return Now;
}
