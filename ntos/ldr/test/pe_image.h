/* A small Windows driver, made byte by byte: it prints a line, and can be unloaded. */
#pragma once
#include "ldr/pe.h"

#define PE_TEST_BYTES 0xA00
#define PE_TEST_RELOCATED 0x2100 /* holds this very address */

typedef struct PE_TEST {
    _Alignas(8) UCHAR Bytes[PE_TEST_BYTES];
} PE_TEST;
/* Import: what it calls of ntoskrnl.exe, with one argument; NULL: ordinal 7. */
void PeTestMake(PE_TEST *Test, const char *Import);
IMAGE_NT_HEADERS64 *PeTestHeaders(PE_TEST *Test);
IMAGE_SECTION_HEADER *PeTestSections(PE_TEST *Test);
