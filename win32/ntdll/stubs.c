/*
 * NtX for every service, made from the kernel's own list. A stub gathers its arguments and marshals
 * them. It is declared here without its true types, so this file does not include the headers that
 * declare them.
 */
#include <stdint.h>

typedef uint64_t A;
int32_t ntdll_service(uint32_t Service, unsigned Count, A *Arguments);
int32_t ntdll_read_write(uint32_t Service, const A *Arguments);
int32_t ntdll_control(uint32_t Service, const A *Arguments);
int32_t ntdll_notify(uint32_t Service, const A *Arguments);
int32_t ntdll_terminate_process(A *Arguments);
int32_t ntdll_terminate_thread(A *Arguments);

enum {
#define SERVICE(name, arguments) Service##name,
#include "nt/services.def"
#undef SERVICE
};

#define LIST_0 void
#define LIST_1 A a
#define LIST_2 LIST_1, A b
#define LIST_3 LIST_2, A c
#define LIST_4 LIST_3, A d
#define LIST_5 LIST_4, A e
#define LIST_6 LIST_5, A f
#define LIST_7 LIST_6, A g
#define LIST_8 LIST_7, A h
#define LIST_9 LIST_8, A i
#define LIST_10 LIST_9, A j
#define LIST_11 LIST_10, A k
#define NAMES_0 0
#define NAMES_1 a
#define NAMES_2 NAMES_1, b
#define NAMES_3 NAMES_2, c
#define NAMES_4 NAMES_3, d
#define NAMES_5 NAMES_4, e
#define NAMES_6 NAMES_5, f
#define NAMES_7 NAMES_6, g
#define NAMES_8 NAMES_7, h
#define NAMES_9 NAMES_8, i
#define NAMES_10 NAMES_9, j
#define NAMES_11 NAMES_10, k

static int32_t call(uint32_t Service, unsigned Count, A *Arguments)
{
    switch (Service) {
    case ServiceNtTerminateProcess:
        return ntdll_terminate_process(Arguments);
    case ServiceNtTerminateThread:
        return ntdll_terminate_thread(Arguments);
    case ServiceNtReadFile:
    case ServiceNtWriteFile:
        return ntdll_read_write(Service, Arguments);
    case ServiceNtDeviceIoControlFile:
    case ServiceNtFsControlFile:
        return ntdll_control(Service, Arguments);
    case ServiceNtNotifyChangeKey:
        return ntdll_notify(Service, Arguments);
    default:
        return ntdll_service(Service, Count, Arguments);
    }
}

#define SERVICE(name, count)                                                                       \
    int32_t name(LIST_##count);                                                                    \
    int32_t name(LIST_##count)                                                                     \
    {                                                                                              \
        A Arguments[] = {NAMES_##count};                                                           \
        return call(Service##name, count, Arguments);                                              \
    }
#include "nt/services.def"
#undef SERVICE

/* ZwX is NtX: in user mode there is no difference. */
#define ALIAS(name) int32_t Zw##name(void) __attribute__((alias("Nt" #name)));
#pragma GCC diagnostic ignored "-Wpragmas"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wattribute-alias"
#endif
#include "zw.inc"
