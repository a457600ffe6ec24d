/* An image that counts in a global. */
#include <stdio.h>

static int count;

int image_next(void)
{
    return ++count;
}

int image_print(void)
{
    return printf("%d\n", count);
}
