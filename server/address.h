/*
 * address: where the kernel process listens. Shared by the kernel process and libntdll,
 * header-only.
 *
 * $USERNT_ADDRESS if set; else kernel.socket in $XDG_RUNTIME_DIR/usernt, /run/usernt for root,
 * /tmp/usernt-UID otherwise. A client of an ordinary user that finds no kernel of its own tries
 * root's.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdio.h>
#include <stdlib.h>

#define ADDRESS_OF_ROOT "/run/usernt/kernel.socket"

static inline void address_default(unsigned user, char *path, size_t size)
{
    const char *given = getenv("USERNT_ADDRESS");
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (given && *given)
        snprintf(path, size, "%s", given);
    else if (user == 0)
        snprintf(path, size, "%s", ADDRESS_OF_ROOT);
    else if (runtime && *runtime)
        snprintf(path, size, "%s/usernt/kernel.socket", runtime);
    else
        snprintf(path, size, "/tmp/usernt-%u/kernel.socket", user);
}

#endif
