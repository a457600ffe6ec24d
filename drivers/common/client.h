/*
 * client: what the Win32 clients of this folder share: messages, the service of a driver, numbers
 * of the command line.
 */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <windows.h>
#include <winsvc.h>

/* The program's name, for its messages. */
extern const char *ClientName;
/* "NAME: TEXT" on standard error; with the thread's last error, its number and words. Error 0:
 * without. */
void ClientFails(const char *Text, DWORD Error);
/* Who shows such a message instead of standard error; NULL: nobody. */
extern void (*ClientShow)(const char *Message);

/* The service of a driver, and what of it is ours to undo. */
typedef struct _CLIENT_SERVICE {
    SC_HANDLE Manager, Service;
    BOOL Created, Started;
} CLIENT_SERVICE;

enum {
    CLIENT_NO_MANAGER = 10,
    CLIENT_NOT_REGISTERED,
    CLIENT_NOT_STARTED,
    CLIENT_NOT_STOPPED,
    CLIENT_NOT_DELETED
};

/*
 * Registers the driver and starts it, or takes it as it is if it is registered, or runs, already.
 * 0, or the step that failed, after a message and after undoing the steps before. Path NULL: Driver
 * is looked for where drivers are.
 */
int ClientServiceBegin(CLIENT_SERVICE *Service, const char *Name, const char *Display,
                       const char *Driver, const char *Path);
int ClientServiceRegister(CLIENT_SERVICE *Service, const char *Name, const char *Display,
                          const char *Driver, const char *Path);
int ClientServiceStart(CLIENT_SERVICE *Service);
/* Undoes what ClientServiceBegin did, in reverse order: stop, delete, close. Idempotent. 0, or the
 * first step that failed. */
int ClientServiceEnd(CLIENT_SERVICE *Service);
/* The same without messages: after an exception. */
void ClientServiceAbandon(CLIENT_SERVICE *Service);

/* Since some moment in the past. GetTickCount64 came with Windows Vista only. */
ULONGLONG ClientMilliseconds(void);

/* A whole number in [Low, High]. */
BOOL ClientNumber(const char *Text, long Low, long High, long *Number);

#endif
