/* fast: to be included last by a file without __try. UserNT's kit switches optimisation off in
 * drivers, for the sake of exception handlers; where there are none, it may be on. */
#if defined(USERNT) && defined(__clang__)
#pragma clang optimize on
#elif defined(USERNT)
#pragma GCC optimize("O2")
#endif
