/* device: the spy device, as all its clients use it. */
#ifndef SPY_DEVICE_H
#define SPY_DEVICE_H

#include "../../common/client.h"
#include "../public.h"
#include <stdio.h>

enum {
    SPY_EXIT_OK = 0,
    SPY_EXIT_NOTHING = 1,
    SPY_EXIT_USAGE = 2,
    SPY_EXIT_FAILED = 3,
    SPY_EXIT_NO_DEVICE = 20,
    SPY_EXIT_VERSION = 21
};

/* Who answers: the device, or a test. FALSE sets the last error. */
typedef struct _SPY_DEVICE {
    BOOL(*Ask)
    (void *Context, DWORD Code, const void *In, DWORD InLength, void *Out, DWORD OutLength,
     DWORD *Returned);
    void *Context;
} DEVICE;

/* Opens the device; loads the driver if nobody has, and leaves it loaded. 0, or an exit code after
 * a message. */
int DeviceOpen(DEVICE *Device, DWORD Access);
void DeviceClose(DEVICE *Device);
/* TRUE if all of the output came. */
BOOL DeviceAsk(DEVICE *Device, DWORD Code, const void *In, DWORD InLength, void *Out,
               DWORD OutLength);
#define DEVICE_ASK(Device, Code, In, Out)                                                          \
    DeviceAsk(Device, Code, In, sizeof(*(In)), Out, sizeof(*(Out)))
#define DEVICE_GET(Device, Code, Out) DeviceAsk(Device, Code, NULL, 0, Out, sizeof(*(Out)))

#endif
