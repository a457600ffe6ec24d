/*
 * se: SIDs, tokens, SDDL, access checks.
 */
#ifndef SE_H
#define SE_H

#include "ob/ob.h"
#include "rtl/rtl.h"

NTSTATUS SeInitSystem(ULONG BootUserId); /* registers ob's security hooks; makes the SYSTEM token */
void SeShutdownSystem(void);

typedef struct SE_TOKEN { /* body of a Token object; PACCESS_TOKEN */
    LUID AuthenticationId, TokenId;
    TOKEN_TYPE Type;
    SECURITY_IMPERSONATION_LEVEL Level;
    PSID User;
    ULONG GroupCount, PrivilegeCount;
    PSID_AND_ATTRIBUTES Groups;
    PLUID_AND_ATTRIBUTES Privileges;
    PSID Owner;
    PACL DefaultDacl;
    ULONG HostUserId;
    ULONG Bytes; /* of the block that Groups begins, which holds all the rest */
    EX_PUSH_LOCK Lock;
} SE_TOKEN;
extern POBJECT_TYPE SeTokenObjectType_;

/* Root and the user who booted are administrators; any other uid is ordinary. Referenced; the
 * caller dereferences. */
NTSTATUS SeCreateTokenForHostUser(ULONG UserId, SE_TOKEN **Token);
/* An impersonation token like it, referenced. */
NTSTATUS SeCopyToken_(SE_TOKEN *Token, SECURITY_IMPERSONATION_LEVEL Level, SE_TOKEN **Copy);
SE_TOKEN *SeSystemToken(void); /* not referenced */
NTSTATUS
SeSddlToSecurityDescriptor(PCUNICODE_STRING Sddl, PSECURITY_DESCRIPTOR *Descriptor,
                           PULONG Length); /* paged pool, self-relative; the caller frees */
NTSTATUS SeSecurityDescriptorToSddl(PSECURITY_DESCRIPTOR Descriptor,
                                    SECURITY_INFORMATION Information,
                                    PUNICODE_STRING Sddl); /* RtlFreeUnicodeString */
NTSTATUS SeAdjustPrivilege_(SE_TOKEN *Token, const LUID *Privilege, BOOLEAN Enable, BOOLEAN *Was);
typedef struct SE_SUBJECT_HOOKS {
    SE_TOKEN *(*CurrentToken)(void);
    SE_TOKEN *(*TokenOf)(PEPROCESS Process);
} SE_SUBJECT_HOOKS; /* ps registers */
void SeSetSubjectHooks(const SE_SUBJECT_HOOKS *Hooks);

/* Exported by ntoskrnl, not declared by the DDK. */
NTSTATUS NTAPI SeCreateAccessState(PACCESS_STATE AccessState, PVOID AuxData,
                                   ACCESS_MASK DesiredAccess, PGENERIC_MAPPING GenericMapping);
void NTAPI SeDeleteAccessState(PACCESS_STATE AccessState);
NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR Original,
                                           KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
                                           BOOLEAN CaptureIfKernel, PSECURITY_DESCRIPTOR *Captured);
NTSTATUS NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR Captured,
                                           KPROCESSOR_MODE CurrentMode,
                                           BOOLEAN CaptureIfKernelMode);
NTSTATUS NTAPI ExAllocateLocallyUniqueId(PLUID Luid);
#endif
