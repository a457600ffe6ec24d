/* w2k_load: loads a driver by its path, unloads it by path or name. */
#include "../../common/client.h"
#include <stdio.h>
#include <string.h>

enum { LOAD_OK = 0, LOAD_USAGE = 2, LOAD_NAME_LENGTH = 64 };

static const char Usage[] =
    "usage: w2k_load PATH              registers the driver and starts it\n"
    "       w2k_load PATH|NAME /unload  stops it and deletes its registration\n\n"
    "The service has the name of the file, without its extension.\n"
    "Exit codes: 0 done, 2 usage, 10 no service manager, 11 cannot register or open, 12 cannot "
    "start, 13 cannot stop,\n14 cannot delete.\n";

/* "/a/b/name.sys", "C:\\a\\name.sys", "name" -> "name". FALSE: none, or too long. */
static BOOL NameOf(const char *Path, char *Name)
{
    const char *At = Path, *End;
    size_t Length;

    for (const char *Letter = Path; *Letter; Letter++)
        if (*Letter == '/' || *Letter == '\\')
            At = Letter + 1;
    End = strrchr(At, '.');
    Length = End && End != At ? (size_t)(End - At) : strlen(At);
    if (!Length || Length >= LOAD_NAME_LENGTH)
        return FALSE;
    memcpy(Name, At, Length);
    Name[Length] = 0;
    return TRUE;
}

/* What was begun stays: only the handles go. */
static int Load(const char *Name, const char *Path)
{
    CLIENT_SERVICE Service;
    int Code = ClientServiceBegin(&Service, Name, Name, Name, Path);

    if (Code)
        return Code;
    printf("%s: %s, %s\n", Name, Service.Created ? "registered" : "was registered",
           Service.Started ? "started" : "was running");
    CloseServiceHandle(Service.Service);
    CloseServiceHandle(Service.Manager);
    return LOAD_OK;
}

static int Unload(const char *Name)
{
    CLIENT_SERVICE Service;
    int Code;

    memset(&Service, 0, sizeof(Service));
    Service.Manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    if (!Service.Manager) {
        ClientFails("cannot reach the service manager", GetLastError());
        return CLIENT_NO_MANAGER;
    }
    Service.Service = OpenServiceA(Service.Manager, Name, SERVICE_STOP | DELETE);
    if (!Service.Service) {
        ClientFails(Name, GetLastError());
        ClientServiceEnd(&Service);
        return CLIENT_NOT_REGISTERED;
    }
    Service.Created = Service.Started = TRUE; /* so that it is all undone */
    Code = ClientServiceEnd(&Service);
    if (!Code)
        printf("%s: stopped, deleted\n", Name);
    return Code;
}

int main(int Count, char **Arguments)
{
    char Name[LOAD_NAME_LENGTH];
    BOOL Out = Count == 3 && !strcmp(Arguments[2], "/unload");

    ClientName = "w2k_load";
    if (Count == 2 && !strcmp(Arguments[1], "--help")) {
        fputs(Usage, stdout);
        return LOAD_OK;
    }
    if ((Count != 2 && !Out) || !NameOf(Arguments[1], Name)) {
        fputs(Usage, stderr);
        return LOAD_USAGE;
    }
    return Out ? Unload(Name) : Load(Name, Arguments[1]);
}
