/* console: single keys from a terminal, and Ctrl-C as a flag. console_linux.c, console_windows.c.
 */
#ifndef COMMON_CONSOLE_H
#define COMMON_CONSOLE_H

#define CONSOLE_ESCAPE 27

/* Takes keys one at a time, without echo, if standard input is a terminal; counts Ctrl-C instead of
 * dying of it. */
void ConsoleBegin(void);
void ConsoleEnd(void);
int ConsoleIsTerminal(void); /* standard output */
int ConsoleStopped(void);    /* Ctrl-C was pressed */
/* Waits at most that long. A key, or -1: none. An arrow key is no Escape. */
int ConsoleKey(unsigned Milliseconds);

#endif
