// The DDK's ntifs.h, and what newer kits add to it.
#pragma once
#include_next <ntifs.h>
#include <nt_ifs.h>
