// mingw's leaves most of it out for Cygwin, whose form the other headers take here.
#pragma once
#include <wchar.h>
#pragma push_macro("__CYGWIN__")
#undef __CYGWIN__
#include_next <tchar.h>
#pragma pop_macro("__CYGWIN__")
