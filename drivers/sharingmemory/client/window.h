/* What display_window.c and window.rc share: the dialog and its parts. */
#define WINDOW_DIALOG 1000
#define WINDOW_TIME 1001
#define WINDOW_ICON 1002
