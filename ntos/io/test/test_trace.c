/* The trace of completed requests. */
#include "io_test.h"
#include "vf/names.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static char Path[64], Lines[4096];
static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Bottom, Top;
static NTSTATUS Answer;
static ULONG_PTR AnswerInformation;

static NTSTATUS NTAPI Simple(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IoTestComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device == Top) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Bottom, Irp);
    }
    return IoTestComplete(Irp, Answer, AnswerInformation);
}

static NTSTATUS NTAPI KeepIt(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The lower device succeeds, the upper one has the last word. */
static NTSTATUS NTAPI Write(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device == Bottom)
        return IoTestComplete(Irp, STATUS_SUCCESS, 3);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, KeepIt, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Bottom, Irp);
    return IoTestComplete(Irp, STATUS_DEVICE_BUSY, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Object)
{
    IoDeleteDevice(Top);
    IoDeleteDevice(Bottom);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Object, PUNICODE_STRING RegistryPath)
{
    Object->MajorFunction[IRP_MJ_CREATE] = Simple;
    Object->MajorFunction[IRP_MJ_CLEANUP] = Simple;
    Object->MajorFunction[IRP_MJ_CLOSE] = Simple;
    Object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Object->MajorFunction[IRP_MJ_WRITE] = Write;
    Object->DriverUnload = Unload;
    Bottom = IoTestDevice(Object, L"\\Device\\Traced", 0);
    Top = IoTestDevice(Object, NULL, 0);
    return IoAttachDeviceToDeviceStack(Top, Bottom) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static int Setup(void **State)
{
    int File;

    strcpy(Path, "/tmp/io-trace-XXXXXX");
    File = mkstemp(Path);
    close(File);
    assert_int_equal(IoTraceTo(Path), 0);
    Driver = IoTestLoad(L"Traced One", Entry);
    Answer = STATUS_SUCCESS;
    AnswerInformation = 0;
    return 0;
}

static int Teardown(void **State)
{
    IoDetachDevice(Bottom);
    assert_int_equal(IoTestUnload(L"Traced One"), STATUS_SUCCESS);
    assert_int_equal(IoTraceTo(NULL), 0);
    unlink(Path);
    return 0;
}

/* What has been written so far, without the parentheses. */
static const char *Read(void)
{
    FILE *File = fopen(Path, "r");
    char Line[1600];

    assert_non_null(File);
    Lines[0] = 0;
    while (fgets(Line, sizeof(Line), File)) {
        char *End = strstr(Line, " (process ");

        assert_non_null(End);
        assert_string_equal(Line + strlen(Line) - 2, ")\n");
        strcpy(End, "\n");
        strncat(Lines, Line, sizeof(Lines) - strlen(Lines) - 1);
    }
    fclose(File);
    return Lines;
}

static void AnOpenAndACloseAreThreeLines(void **State)
{
    IoTestClose(IoTestOpenSynchronous(L"\\Device\\Traced\\a b\"\x263A"));
    assert_string_equal(Read(), "Traced\\u0020One: IRP_MJ_CREATE \"\\a\\u0020b\\u0022\\u263a\" -> "
                                "STATUS_SUCCESS 0\n"
                                "Traced\\u0020One: IRP_MJ_CLEANUP -> STATUS_SUCCESS 0\n"
                                "Traced\\u0020One: IRP_MJ_CLOSE -> STATUS_SUCCESS 0\n");
}

static void ALineTellsWhoAskedForWhichFile(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Traced");
    char Origin[128];
    PVOID Object;

    Read();
    assert_int_equal(
        ObReferenceObjectByHandle(File, 0, *IoFileObjectType, KernelMode, &Object, NULL),
        STATUS_SUCCESS);
    snprintf(Origin, sizeof(Origin), "(process %u, file %p)",
             HandleToULong(PsGetCurrentProcessId()), Object);
    ObDereferenceObject(Object);
    IoTestClose(File);
    {
        FILE *Trace = fopen(Path, "r");
        char Line[256];

        assert_non_null(Trace);
        while (fgets(Line, sizeof(Line), Trace))
            assert_non_null(strstr(Line, Origin));
        fclose(Trace);
    }
}

static void AControlHasItsCodeSizesStatusAndInformation(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Traced");
    UCHAR Bytes[8] = {0};

    AnswerInformation = 4;
    assert_int_equal(IoTestControl(File, CODE, Bytes, 8, Bytes, 6, NULL), STATUS_SUCCESS);
    Answer = (NTSTATUS)0xE0001234;
    assert_int_equal(IoTestControl(File, CODE, NULL, 0, NULL, 0, NULL), Answer);
    Read();
    assert_non_null(
        strstr(Lines, ": IRP_MJ_DEVICE_CONTROL 0x00222000, in 8, out 6 -> STATUS_SUCCESS 4\n"));
    assert_non_null(
        strstr(Lines, ": IRP_MJ_DEVICE_CONTROL 0x00222000, in 0, out 0 -> 0xe0001234 4\n"));
    IoTestClose(File);
}

static void WhoCompletesIsWhoAnswers(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Traced");
    IO_STATUS_BLOCK Iosb;
    IO_ASYNC Async = {.UserIosb = &Iosb};
    UCHAR Bytes[5] = {0};
    IO_TRANSFER Transfer = {.Buffer = Bytes, .Length = sizeof(Bytes), .Write = TRUE};

    IopTransfer(File, &Async, &Transfer, KernelMode);
    Read();
    assert_non_null(strstr(Lines, ": IRP_MJ_WRITE 5 -> STATUS_SUCCESS 3\n"
                                  "Traced\\u0020One: IRP_MJ_WRITE 5 -> STATUS_DEVICE_BUSY 0\n"));
    IoTestClose(File);
}

static void WhatADriverDoesNotServeIsALineAsWell(void **State)
{
    HANDLE File = IoTestOpenSynchronous(L"\\Device\\Traced");
    IO_STATUS_BLOCK Iosb;

    IopFlush(File, &Iosb, KernelMode);
    assert_non_null(strstr(Read(), ": IRP_MJ_FLUSH_BUFFERS -> STATUS_INVALID_DEVICE_REQUEST 0\n"));
    IoTestClose(File);
}

static void AfterItsEndNothingIsWritten(void **State)
{
    assert_int_equal(IoTraceTo(NULL), 0);
    IoTestClose(IoTestOpenSynchronous(L"\\Device\\Traced"));
    assert_string_equal(Read(), "");
}

static void AFileThatCannotBeMadeIsNamedByItsError(void **State)
{
    assert_int_equal(IoTraceTo("/nonesuch/trace"), -ENOENT);
    assert_false(IopTracing);
}

static void AFullFileEndsTheTrace(void **State)
{
    assert_int_equal(IoTraceTo("/dev/full"), 0);
    assert_true(IopTracing);
    IoTestClose(IoTestOpenSynchronous(L"\\Device\\Traced"));
    assert_false(IopTracing);
    assert_int_equal(IoTraceTo(NULL), -ENOSPC);
}

static void StatusesAndMajorsHaveNames(void **State)
{
    assert_string_equal(VfStatusName(STATUS_SUCCESS), "STATUS_SUCCESS");
    assert_string_equal(VfStatusName(STATUS_PENDING), "STATUS_PENDING");
    assert_string_equal(VfStatusName(STATUS_BUFFER_OVERFLOW), "STATUS_BUFFER_OVERFLOW");
    assert_string_equal(VfStatusName(STATUS_PIPE_EMPTY), "STATUS_PIPE_EMPTY");
    assert_null(VfStatusName((NTSTATUS)0xE0001234));
    assert_string_equal(VfMajorName(IRP_MJ_PNP), "IRP_MJ_PNP");
    assert_null(VfMajorName(IRP_MJ_MAXIMUM_FUNCTION + 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, Setup, Teardown)
int main(void)
{
    const struct CMUnitTest Tests[] = {
        TEST(AnOpenAndACloseAreThreeLines),
        TEST(ALineTellsWhoAskedForWhichFile),
        TEST(AControlHasItsCodeSizesStatusAndInformation),
        TEST(WhoCompletesIsWhoAnswers),
        TEST(WhatADriverDoesNotServeIsALineAsWell),
        TEST(AfterItsEndNothingIsWritten),
        TEST(AFileThatCannotBeMadeIsNamedByItsError),
        TEST(AFullFileEndsTheTrace),
        cmocka_unit_test(StatusesAndMajorsHaveNames),
    };

    return cmocka_run_group_tests(Tests, IoTestBoot, IoTestStop);
}
