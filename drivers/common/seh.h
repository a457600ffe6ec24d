/* seh: for a file with __try, included in front of the first function that has one. There is
 * nothing to it but in UserNT's own build, which switches optimisation off from here to the end of
 * the file.
 */
#if defined(USERNT) && !defined(NT_SEH_BLOCKS)
#include <ntseh.h>
#endif
