/* The memory spy's metrics; in the embedded bench, after UserNtBoot. */
#pragma once

void measure_spy(const char *Drivers);
