// The comma before an empty __VA_ARGS__, and __FUNCTION__ as a literal.
#include <ntddk.h>

#define TRACE(format, ...) DbgPrint("quirks: " format "\n", __VA_ARGS__)
#define ENTER(...) DbgPrint("in " __FUNCTION__ "\n", __VA_ARGS__)

static const char *Own(int Length, const char *Text)
{
    return Text + Length;
}

VOID Macros(ULONG Value)
{
    TRACE("nothing");
    TRACE("%u", Value);
    ENTER();
    DbgPrint(__FUNCTION__ ": %s %s\n", __FUNCTION__, Own(sizeof("Macros"), "" __FUNCTION__));
    _Static_assert(sizeof(__FUNCTION__ "x") == sizeof("Macrosx"), "");
}
