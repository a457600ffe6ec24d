// libc's <wctype.h> has four-byte characters: this one stands in its place.
#pragma once
#include <nt_crt.h>
