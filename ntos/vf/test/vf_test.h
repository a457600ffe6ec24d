/* What every test of room vf includes. */
#pragma once

#include "vf/vf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A provider that knows an IRQL of its own. */
extern KIRQL TestIrql;
extern ULONG TestThreadKind;

int VfTestBoot(void **Unused);
int VfTestStop(void **Unused);

/* Runs Body in a child process with its standard error in Text; returns the exit code, or -1 -
 * signal. */
int VfTestChild(void (*Body)(void *), void *Argument, char *Text, size_t Bytes);

#define VF_TEST(test) cmocka_unit_test_setup_teardown(test, VfTestBoot, VfTestStop)

/* A sanitizer maps memory as it likes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VF_TEST_SANITIZED 1
#elif defined(__has_feature)
#define VF_TEST_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define VF_TEST_SANITIZED 0
#endif
