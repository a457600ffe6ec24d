/* What the tests of ob share. */
#include "ob_test.h"

PEPROCESS ObTestProcess[3], ObTestCurrent;
POBJECT_TYPE ObTestProcessType;

int ObTestBoot(void **Unused)
{
    if (ExTestBoot(NULL) != 0)
        return -1;
    return NT_SUCCESS(ObInitSystem()) ? 0 : -1;
}

int ObTestStop(void **Unused)
{
    ObShutdownSystem();
    return ExTestStop(NULL);
}

static PEPROCESS Current(void)
{
    return ObTestCurrent;
}

static PEPROCESS System(void)
{
    return ObTestProcess[0];
}

static EX_HANDLE_TABLE **Table(PEPROCESS Process)
{
    return &((OB_TEST_PROCESS *)Process)->Table;
}

static HANDLE Id(PEPROCESS Process)
{
    return Process;
}

static void DeleteProcess(PVOID Process)
{
    ExDestroyHandleTable_(*Table(Process));
}

void ObTestUseProcesses(void)
{
    static const OB_PROCESS_HOOKS Hooks = {Current, System, Table, Id};
    static const OB_TYPE_PROCEDURES Procedures = {.Delete = DeleteProcess};
    static const GENERIC_MAPPING Mapping = {1, 2, 4, 7};

    assert_success(ObCreateObjectType_(L"Process", &Procedures, &Mapping, 0x1FFFFF, NonPagedPool,
                                       'corP', OB_NOT_WAITABLE, &ObTestProcessType));
    ObSetProcessHooks(&Hooks);
    for (int i = 0; i < 3; i++) {
        PVOID Process;
        assert_success(ObCreateObject(KernelMode, ObTestProcessType, NULL, KernelMode, NULL,
                                      sizeof(OB_TEST_PROCESS), 0, 0, &Process));
        assert_success(ObInitProcess(Process, NULL, FALSE));
        ObTestProcess[i] = Process;
    }
    ObTestCurrent = ObTestProcess[0];
}

void ObTestEndProcesses(void)
{
    static const OB_PROCESS_HOOKS None;

    for (int i = 2; i >= 0; i--) {
        ObTestCurrent = ObTestProcess[i];
        ObKillProcess(ObTestProcess[i]);
    }
    ObSetProcessHooks(&None);
    for (int i = 0; i < 3; i++) {
        ObDereferenceObject(ObTestProcess[i]);
        ObTestProcess[i] = NULL;
    }
    ObTestCurrent = NULL;
}

OBJECT_ATTRIBUTES *ObTestName(PCWSTR Name, ULONG Attributes)
{
    static _Thread_local OBJECT_ATTRIBUTES Ring[4];
    static _Thread_local UNICODE_STRING Names[4];
    static _Thread_local ULONG Next;
    ULONG Index = Next++ % 4;

    RtlInitUnicodeString(&Names[Index], Name);
    InitializeObjectAttributes(&Ring[Index], Name != NULL ? &Names[Index] : NULL, Attributes, NULL,
                               NULL);
    return &Ring[Index];
}

NTSTATUS ObTestEvent(PCWSTR Name, ULONG Attributes, PHANDLE Handle)
{
    PVOID Event;
    NTSTATUS Status = ObCreateObject(KernelMode, *ExEventObjectType, ObTestName(Name, Attributes),
                                     KernelMode, NULL, sizeof(KEVENT), 0, 0, &Event);

    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeEvent(Event, NotificationEvent, FALSE);
    return ObInsertObject(Event, NULL, EVENT_ALL_ACCESS, 0, NULL, Handle);
}
