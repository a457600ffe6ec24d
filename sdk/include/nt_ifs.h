// What the overlay adds to ntifs.h. ntifs.h includes this; a driver never does.
#pragma once

typedef struct _KPROCESS *PRKPROCESS;
