// What the overlay adds to ntifs.h. ntifs.h includes this; a driver never does.
#pragma once

typedef struct _KPROCESS *PRKPROCESS;

// Types of routines
typedef __typeof__(*(PDRIVER_FS_NOTIFICATION)0) DRIVER_FS_NOTIFICATION;
