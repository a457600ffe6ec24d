// Software tracing: a .tmh that no preprocessor made.
#include <ntddk.h>

#define WPP_CONTROL_GUIDS WPP_DEFINE_CONTROL_GUID(Guid, (00000000, 0000, 0000, 0000, 000000000000), WPP_DEFINE_BIT(ALL))
// begin_wpp config
// FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);
// FUNC  Trace{FLAG=ALL}(LEVEL, MSG, ...);
// end_wpp
#include "trace.tmh"

VOID Traced(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WPP_INIT_TRACING(DriverObject, RegistryPath);
    TraceEvents(TRACE_LEVEL_INFORMATION, ALL, "%!FUNC! %wZ", RegistryPath);
    Trace(TRACE_LEVEL_ERROR, "status %!STATUS!", STATUS_SUCCESS);
    WPP_CLEANUP(DriverObject);
}
