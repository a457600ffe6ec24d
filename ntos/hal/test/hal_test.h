/* What the tests of hal share: a started system with an empty bus, an attached thread. */
#ifndef HAL_TEST_H
#define HAL_TEST_H

#include "hal/hal.h"
#include "mm/test/mmtest.h"

int HalTestBoot(void **Unused);
int HalTestStop(void **Unused);
#define HAL_TEST(test) cmocka_unit_test_setup_teardown(test, HalTestBoot, HalTestStop)

#endif
