// For a native driver that calls an address it did not get from the linker: a routine of a Windows
// image, and the executive's exports as such an image sees them, follow Microsoft's calling
// convention (__attribute__((ms_abi))), everything else the System V one.
#pragma once
#define USERNT_IS_WINDOWS_CODE(Address)                                                            \
    (((unsigned long long)(Address) >> 38) == (0x7cc000000000ull >> 38))
