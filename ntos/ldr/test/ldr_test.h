/* What every test of room ldr includes. The images lie beside the test program. */
#pragma once

#include "nt/test/nt_test.h"

/* The path of an image of the tests. */
const char *LdrTestImage(const char *Name);
/* Whether a line of the debug log contains the text. */
BOOLEAN LdrTestLogged(const char *Text);
