/* module: the file of w2k_mem's /path in this process's memory. module_linux.c, module_windows.c.
 */
#ifndef SPY_CLIENT_MODULE_H
#define SPY_CLIENT_MODULE_H

/* Where it begins; NULL: it cannot be loaded. Execute: its start-up code runs; otherwise nothing of
 * it is resolved or run. */
void *ModuleBase(const char *Path, int Execute);

#endif
