/* One star is remembered: if what follows it does not match here, it may match one letter on. */
#include "pattern.h"
#include <ctype.h>

static BOOL Same(char A, char B)
{
    return A == '?' || tolower((unsigned char)A) == tolower((unsigned char)B);
}

BOOL PatternMatches(const char *Pattern, const char *Text, size_t Length)
{
    const char *Star = NULL;
    size_t At = 0, Mark = 0;

    while (At < Length) {
        if (*Pattern == '*') {
            Star = Pattern++;
            Mark = At;
        } else if (*Pattern && Same(*Pattern, Text[At])) {
            Pattern++;
            At++;
        } else if (Star) {
            Pattern = Star + 1;
            At = ++Mark;
        } else {
            return FALSE;
        }
    }
    while (*Pattern == '*')
        Pattern++;
    return !*Pattern;
}
