/*
 * What the files of hal share.
 */
#ifndef HALP_H
#define HALP_H

#include "hal/hal.h"

#define HALP_TAG 'blaH'
#define HALP_LOW_VECTOR 0x30u /* below are the processor's own */
#define HALP_HIGH_VECTOR 0xBFu
#define HALP_LOW_DIRQL 3u
#define HALP_HIGH_DIRQL 11u

void HalpInitPci(void);
void HalpShutdownPci(void);
void HalpDefaultWritable(UCHAR *Writable);
void HalpInitPorts(void);
void HalpShutdownPorts(void);
void HalpInitInterrupts(void);
void HalpShutdownInterrupts(void);

#endif
