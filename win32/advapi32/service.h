/*
 * service: what the files of the service control manager's calls share.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "win32/kernel32/base.h"
#include <winsvc.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services"

struct service {
    ULONG Magic;
    DWORD Access;
    BOOL Manager;
    HANDLE Pin; /* may be NULL */
    WCHAR Name[257];
};

/* The service (or manager) of a handle that has these rights; NULL and last error. */
struct service *service_from_handle(SC_HANDLE Handle, BOOL Manager, DWORD Access);
/* A service's key, opened or created. */
NTSTATUS service_key(LPCWSTR Name, BOOL Create, ACCESS_MASK Access, PHANDLE Key,
                     PULONG Disposition);
BOOL service_value(HANDLE Key, LPCWSTR Name, NATIVE_KEY_VALUE_PARTIAL *Value, ULONG Bytes);
DWORD service_number(HANDLE Key, LPCWSTR Name, DWORD Otherwise);
NTSTATUS service_set_text(HANDLE Key, LPCWSTR Name, ULONG Type, LPCWSTR Value);
NTSTATUS service_set_number(HANDLE Key, LPCWSTR Name, DWORD Value);
BOOL service_is_running(LPCWSTR Name);
void service_status(LPCWSTR Name, LPSERVICE_STATUS Status);

#endif
