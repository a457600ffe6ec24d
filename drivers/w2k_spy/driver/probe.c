/* In a file of its own, because UserNT's kit does not optimise a file that handles exceptions. */
#include "spy.h"
#include "../../common/seh.h"

BOOLEAN SpyIsUsers(const VOID *Address, SIZE_T Bytes)
{
    __try {
        ProbeForRead((PVOID)Address, Bytes, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return FALSE;
    }
    return TRUE;
}
