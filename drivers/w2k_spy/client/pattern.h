/* pattern: "nt*key", with * and ?, in any letter case. */
#ifndef SPY_PATTERN_H
#define SPY_PATTERN_H

#include <windows.h>

BOOL PatternMatches(const char *Pattern, const char *Text, size_t Length);

#endif
