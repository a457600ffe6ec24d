#pragma once
#include_next <ntddk.h>
#include <nt_windows.h>
