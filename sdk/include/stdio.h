#pragma once
#include_next <stdio.h>
#include <nt_crt.h>
#ifdef USERNT_CLIENT
errno_t fopen_s(FILE **, const char *, const char *);
#endif
