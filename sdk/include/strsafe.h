// mingw's safe string functions are "extern inline", or only declared when nothing is optimised, for
// a library that is not here. Weak and hidden, one copy stays in each program.
#pragma once
#include <nt_crt.h>
#pragma push_macro("__CRT__NO_INLINE")
#pragma push_macro("__CRT_INLINE")
#undef __CRT__NO_INLINE
#undef __CRT_INLINE
#define __CRT_INLINE __attribute__((__weak__, __visibility__("hidden")))
#define __inline __attribute__((__weak__, __visibility__("hidden")))
#include_next <strsafe.h>
#undef __inline
#pragma pop_macro("__CRT_INLINE")
#pragma pop_macro("__CRT__NO_INLINE")
