/* Starting and stopping the room. */
#include "hal/halp.h"

NTSTATUS HalInitSystem_(void)
{
    HalpInitPci();
    HalpInitPorts();
    HalpInitInterrupts();
    return STATUS_SUCCESS;
}

void HalShutdownSystem_(void)
{
    HalpShutdownInterrupts();
    HalpShutdownPorts();
    HalpShutdownPci();
}
