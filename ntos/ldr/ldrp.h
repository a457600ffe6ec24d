/*
 * What the files of ldr share.
 *
 * Lock: LdrpState.Lock, a push lock, guards the module list; nothing is called out to under it but
 * LdrEnumerateModules' routine. library.c has another one, outside it. The address table beside the
 * list is read without any lock, at any IRQL.
 */
#ifndef LDRP_H
#define LDRP_H

#include "ldr/ldr.h"

#define LDRP_TAG 'rdLN'
#define LDRP_PATH 512

typedef struct LDRP_STATE {
    EX_PUSH_LOCK Lock;
    EX_PUSH_LOCK Libraries;    /* library.c */
    _Atomic(PKTHREAD) Mapping; /* who holds it */
    LIST_ENTRY Modules;        /* LDR_MODULE.Entry.InLoadOrderLinks */
    USHORT NextOrder;
    LDR_MODULE Executive;
    char SearchPath[4096];
} LDRP_STATE;
extern LDRP_STATE LdrpState;

/* modules.c */
NTSTATUS LdrpCreateModule(const char *HostPath, PCUNICODE_STRING ServiceName, LDR_MODULE **Module);
NTSTATUS
LdrpPublishModule(LDR_MODULE *Module); /* Base and Size are known. STATUS_IMAGE_ALREADY_LOADED: the
                                          service has a driver */
void LdrpRelease(PVOID Section);       /* its service is stopped: it goes, if no other needs it */
void LdrpRemoveModule(LDR_MODULE *Module); /* takes it off the list and unmaps it; drops the
                                              reference of io, or of the list */
void LdrpUnmapModule(LDR_MODULE *Module);
void LdrpDereferenceModule(LDR_MODULE *Module);
void LdrpShowExecutiveAs(PVOID Base, ULONG Bytes);             /* in lists of modules */
LDR_MODULE *LdrpTakeLast(BOOLEAN (*Take)(LDR_MODULE *Module)); /* the last loaded one that Take,
                                                                  under the lock, says TRUE to */
void LdrpSetModuleDriver(LDR_MODULE *Module, PDRIVER_OBJECT Driver);

/* load.c */
void LdrpNotifyImage(LDR_MODULE *Module);

/* library.c */
BOOLEAN LdrpBeginMapping(void);
void LdrpEndMapping(BOOLEAN Began);
void LdrpDropNeeds(LDR_MODULE *Module);
void LdrpDropLibraries(void); /* those that stay, unless a driver that stays needs them */

/* address.c */
BOOLEAN LdrpPublishAddresses(const LDR_MODULE *Module); /* FALSE: the table is full */
void LdrpWithdrawAddresses(const LDR_MODULE *Module);
void LdrpPublishDriver(const LDR_MODULE *Module, PDRIVER_OBJECT Driver);
BOOLEAN LdrpIsImage(const void *Address);
PDRIVER_OBJECT LdrpDriverOf(const void *Address);
const char *LdrpDriverName(const void *Address, ULONG64 *Offset);

/* service.c: what the service's key says */
typedef struct LDRP_SERVICE {
    UNICODE_STRING Key;       /* the caller's */
    UNICODE_STRING Name;      /* its last component */
    UNICODE_STRING ImagePath; /* paged pool; empty without the value */
    ULONG Type, Start, ErrorControl;
} LDRP_SERVICE;
NTSTATUS LdrpReadService(PUNICODE_STRING Key, LDRP_SERVICE *Service);
void LdrpFreeService(LDRP_SERVICE *Service);

/* exports.c */
#define LDRP_NAME 128                   /* of a routine */
PVOID LdrpDataExport(const char *Name); /* of LdrExportData, or NULL */
BOOLEAN LdrpNarrowName(PCUNICODE_STRING Name, char Text[LDRP_NAME]);

/* search.c */
NTSTATUS LdrpFindImage(const LDRP_SERVICE *Service, char Path[LDRP_PATH]);

/* system.c */
NTSTATUS LdrpRunInSystem(NTSTATUS (*Routine)(PVOID Context), PVOID Context);

#endif
