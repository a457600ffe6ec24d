#pragma once
#include_next <ntifs.h>
#include <nt_windows.h>
