// Pragmas, __declspec and calling conventions.
#include <ntddk.h>

#pragma warning(push)
#pragma warning(disable : 4100 4127)
#pragma comment(lib, "something.lib")

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#endif
#pragma alloc_text(PAGE, Unload)
#pragma code_seg("PAGE")
#pragma data_seg(push, "PAGEDATA")
__pragma(warning(suppress : 28172))
static __declspec(align(64)) UCHAR Buffer[64];
__declspec(selectany) ULONG Selected = 1;
__declspec(noinline) static VOID __stdcall Called(VOID)
{
    Buffer[0]++;
}
#pragma pack(push, 1)
typedef struct _PACKED {
    UCHAR First;
    ULONG Second;
} PACKED;
#pragma pack(pop)
_Static_assert(sizeof(PACKED) == 5 && __alignof__(Buffer) == 64, "");
_Static_assert('abcd' == 0x61626364, "a tag's first character is its highest byte");

_Use_decl_annotations_ static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(DriverObject);
    Called();
}

_Use_decl_annotations_ NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
#pragma warning(pop)
