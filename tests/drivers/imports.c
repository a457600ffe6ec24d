/*
 * A driver with all that the loader of images must do: it imports from two others by name and by
 * number, an object, and names that lead elsewhere; it has a security cookie, pointers that are
 * relocated, and sections that are discarded or paged.
 */
#include <ntddk.h>

#define IMPORT __declspec(dllimport)
#define DEFAULT_COOKIE 0x00002B992DDFA232ull

DRIVER_INITIALIZE DriverEntry;
IMPORT LONG NTAPI ExportedOne(VOID);
IMPORT LONG NTAPI ExportedByNumber(VOID);
IMPORT extern LONG ExportedNumber;
IMPORT LONG NTAPI ToKernel(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
IMPORT LONG NTAPI ToSelf(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
IMPORT LONG NTAPI ToNumber(VOID);
IMPORT ULONG NTAPI LibraryCount(VOID);

/* IMAGE_LOAD_CONFIG_DIRECTORY64, whose ninth pointer is that of the cookie. */
ULONG64 __security_cookie = DEFAULT_COOKIE;
__attribute__((used)) const struct {
    ULONG Size, Stamp, Rest[4];
    ULONG64 Numbers[8], Cookie, Tables[2];
} _load_config_used = {.Size = 112, .Cookie = (ULONG64)&__security_cookie};

__attribute__((section("PAGE"), noinline)) static ULONG Paged(ULONG Value)
{
    return Value + 1;
}

static ULONG Resident(ULONG Value)
{
    return Value + 2;
}

static ULONG (*const Routines[])(ULONG) = {Paged, Resident};

__attribute__((section("INIT"), noinline)) static void Say(PCSTR What, BOOLEAN Good)
{
    DbgPrint("imports: %s: %s\n", What, Good ? "good" : "WRONG");
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    DbgPrint("imports: unloaded: %s\n", LibraryCount() == 2 ? "good" : "WRONG");
}

__attribute__((section("INIT"))) NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver,
                                                            PUNICODE_STRING RegistryPath)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Driver->DriverUnload = Unload;
    Say("by name", ExportedOne() == 42);
    Say("by number", ExportedByNumber() == 43);
    Say("an object", ExportedNumber == 42);
    Say("through to the kernel", ToKernel(&Event, 0, FALSE) == 0 && KeReadStateEvent(&Event));
    Say("through twice", ToSelf(&Event, 0, FALSE) != 0);
    Say("through to a number", ToNumber() == 43);
    Say("a library's", LibraryCount() == 1);
    Say("cookie", __security_cookie != DEFAULT_COOKIE && __security_cookie >> 48 == 0);
    Say("relocated", Routines[0](1) == 2 && Routines[1](1) == 3);
    return STATUS_SUCCESS;
}
