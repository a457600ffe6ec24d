/* dispatch: see spy.h. */
#ifndef SPY_DISPATCH_H
#define SPY_DISPATCH_H

#include "image.h"

VOID SpyDispatchInitialize(VOID);

#endif
