/* Good images that fuzz pe changes. */
#pragma once
#include "ldr/pe.h"

/* Every .sys of a folder, in order of names, without what a debugger reads; the image of
 * ldr/test/pe_image.c is the first. FALSE: there is no such folder. Folder NULL: none but the
 * first. */
BOOLEAN SeedsLoad(const char *Folder);
ULONG SeedsCount(void);

/* A copy of seed Index with changes: eight bytes for each (pe_seeds.c). To be freed; *Bytes is its
 * exact size. */
UCHAR *SeedsChange(ULONG Index, const UCHAR *Changes, SIZE_T Size, SIZE_T *Bytes);
