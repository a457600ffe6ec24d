/* What the tests of cm share: the system up to cm. */
#pragma once

#include "../../ob/test/ob_test.h"
#include "cm/cm.h"

int CmTestBoot(void **Unused); /* nothing is kept */
int CmTestStop(void **Unused);
#define CM_TEST(test) cmocka_unit_test_setup_teardown(test, CmTestBoot, CmTestStop)
int CmTestBootFrom(const char *Directory);

PVOID CmTestKey(PCWSTR Path);                                      /* made if need be, referenced */
PVOID CmTestCreate(PCWSTR Path, ULONG Options, NTSTATUS Expected); /* NULL if failure is expected */
NTSTATUS CmTestOpen(PCWSTR Path, ULONG Attributes, PVOID *Key);
NTSTATUS CmTestSet(PVOID Key, PCWSTR Name, ULONG Type, const void *Data, ULONG Length);
UNICODE_STRING CmTestString(PCWSTR Text);
