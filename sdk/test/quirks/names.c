// Include names with back-slashes and in any case; headers of the kit in any case.
#include <NTDDK.H>
#include <WdmSec.h>
#include "inc\shared.h"
#include "INC/../Inc\NESTED.H"
#include ".\lib\..\Inc\Shared.h"

_Static_assert(SHARED_VALUE == 7 && NESTED_VALUE == 8, "both headers were found");
NTSTATUS Names(PDEVICE_OBJECT Device)
{
    return Device->DeviceType == FILE_DEVICE_UNKNOWN ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}
