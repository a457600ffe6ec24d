// mingw's safe string functions are "extern inline": each source file that includes them would
// define them again. Weak and hidden, one copy stays in each driver.
#pragma once
#include <nt_crt.h>
#define __inline __attribute__((__weak__, __visibility__("hidden")))
#include_next <ntstrsafe.h>
#undef __inline
