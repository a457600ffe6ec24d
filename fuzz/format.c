/* fuzz format: DbgPrint's engine with any format that follows no pointer, into a small buffer. */
#include <ntifs.h>
#include <nt_crt.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Conversions that would follow a pointer, or that ask for gigabytes of padding, are another test's
 * business. */
static int is_harmless(const char *Text)
{
    for (; *Text; Text++) {
        int Digits = 0;

        if (*Text != '%')
            continue;
        for (Text++; *Text && strchr("-+ #0123456789.*hlwIzjtL", *Text); Text++)
            if (*Text == '*' || ++Digits > 6)
                return 0;
        if (!*Text)
            return 1;
        if (strchr("sSZn", *Text))
            return 0;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    char *Format = malloc(Size + 1), Out[64];
    int Written;

    memcpy(Format, Data, Size);
    Format[Size] = 0;
    if (is_harmless(Format)) {
        Out[sizeof(Out) - 1] = 0x55;
        Written =
            _snprintf(Out, sizeof(Out) - 1, Format, 1.5, 2ull, 3ull, 4ull, 5ull, 6ull, 7ull, 8ull);
        if (Out[sizeof(Out) - 1] != 0x55 || Written > (int)sizeof(Out) - 1)
            abort();
    }
    free(Format);
    return 0;
}
