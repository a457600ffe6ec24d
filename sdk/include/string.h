#pragma once
#include_next <string.h>
#include <nt_crt.h>
