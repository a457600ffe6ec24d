/*
 * registry: what the files of the registry's calls share.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "win32/kernel32/base.h"

LSTATUS registry_error(NTSTATUS Status);
/* The object of a key: the handle itself, or a predefined key, opened; registry_release closes what
 * was opened. */
NTSTATUS registry_hold(HKEY Key, ACCESS_MASK Access, PHANDLE Held);
void registry_release(HKEY Key, HANDLE Held);
/* Types whose data is text. */
BOOL registry_is_text(DWORD Type);

#endif
