/* The client of SystemModules. main.c: command line; direct.c: asks the system; device.c: the
 * driver; tutorial.c. */
#ifndef SYSTEMMODULES_CLIENT_H
#define SYSTEMMODULES_CLIENT_H

#include "../modules.h"
#include "../../common/client.h"

enum { EXIT_FOUND = 0, EXIT_NONE = 1, EXIT_USAGE = 2, EXIT_NO_LIST = 3, EXIT_NO_DEVICE = 20 };

typedef struct _OPTIONS {
    BOOL Device, Aux, Tutorial;
    const char *Driver;
    char *Names; /* as modules.h has them; empty: every module */
    ULONG NamesSize;
} OPTIONS;

/* NULL after a message; free() it. */
SYSTEM_MODULE_LIST *ListDirect(void);
SYSTEM_MODULE_LIST *ListFromDevice(BOOL Aux, int *Code);
/* The tutorial: a driver that does its work while it is loaded, and fails. */
int RunTutorial(const OPTIONS *Options);

#endif
