/* The descriptors for device objects that wdmsec.h names. Doc: kernel/sddl-for-device-objects */
#include "se/sep.h"

#include <nt_devobj.h>
#include <wdmsec.h>
