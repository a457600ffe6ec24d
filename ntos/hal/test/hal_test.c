#include "hal_test.h"

int HalTestBoot(void **Unused)
{
    MmTestBoot(Unused);
    assert_success(HalInitSystem_());
    return 0;
}

int HalTestStop(void **Unused)
{
    HalShutdownSystem_();
    return MmTestStop(Unused);
}
