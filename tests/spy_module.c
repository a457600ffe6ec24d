/* A module for w2k_mem's /path: it says so when its start-up code runs, and has some bytes. */
#include <stdio.h>

__attribute__((used, section(".spy"))) static const char Bytes[] = "the bytes of a module";

__attribute__((constructor)) static void start(void)
{
    puts("the start-up code runs");
    fflush(stdout);
}
