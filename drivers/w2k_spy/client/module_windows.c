/* A module of Windows. */
#include "module.h"
#include <windows.h>

void *ModuleBase(const char *Path, int Execute)
{
    return (void *)LoadLibraryExA(Path, NULL, Execute ? 0 : DONT_RESOLVE_DLL_REFERENCES);
}
