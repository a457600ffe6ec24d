#pragma once
#include_next <sal.h>
#include <specstrings.h>
#include <driverspecs.h>
#include <nt_sal.h>
