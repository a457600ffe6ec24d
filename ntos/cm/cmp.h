/*
 * What the files of cm share.
 *
 * The registry is a tree of nodes, protected by CmpState.Lock. A key object is one opening of a
 * node: it holds a reference to it, as the node's parent does. A deleted node has left the tree and
 * lives until the last key object goes. Nothing is called out to (callbacks, notifications) with
 * the lock held.
 */
#pragma once

#include "cm/cm.h"

#define CMP_TAG 'yeKC'
#define CMP_MAX_NAME (255 * sizeof(WCHAR))
#define CMP_MAX_VALUE_NAME (16383 * sizeof(WCHAR))
#define CMP_LINK_VALUE L"SymbolicLinkValue"

typedef struct CM_VALUE {
    UNICODE_STRING Name;
    ULONG Type;
    ULONG Length;
    PVOID Data;
} CM_VALUE;

typedef struct CM_NODE {
    struct CM_NODE *Parent; /* NULL: the root, or deleted */
    UNICODE_STRING Name;
    atomic_long References; /* the parent's and the key objects' */
    LARGE_INTEGER LastWriteTime;
    BOOLEAN Volatile, Deleted, Link, Fixed; /* Fixed: cannot be deleted */
    ULONG SubkeyCount, SubkeyRoom;
    struct CM_NODE **Subkeys; /* in order of their upper-case names */
    ULONG ValueCount, ValueRoom;
    CM_VALUE **Values;             /* in order of arrival */
    PSECURITY_DESCRIPTOR Security; /* NULL: the nearest ancestor's */
    LIST_ENTRY Notifications;      /* CMP_NOTIFICATION */
} CM_NODE;

typedef struct CMP_CONTEXT { /* of a registry callback, for one key object */
    LIST_ENTRY Link;
    LARGE_INTEGER Cookie;
    PVOID Context;
} CMP_CONTEXT;

typedef struct CM_KEY { /* body of a Key object */
    CM_NODE *Node;
    LIST_ENTRY Contexts;   /* under CmpState.CallbackLock */
    UNICODE_STRING IdName; /* CmCallbackGetKeyObjectID: kept until the object goes */
} CM_KEY;

typedef struct CMP_STATE {
    EX_PUSH_LOCK Lock;
    CM_NODE *Root, *Machine;
    CM_KEY *RootKey; /* \Registry */
    BOOLEAN Dirty;
    char *HivePath; /* NULL: nothing is kept */
    FAST_MUTEX FlushLock;
    EX_PUSH_LOCK CallbackLock;
    LIST_ENTRY Callbacks;
    atomic_long CallbackCount;
    LONG64 NextCookie;
} CMP_STATE;
extern CMP_STATE CmpState;

static inline CM_NODE *CmpNode(PVOID Key)
{
    return ((CM_KEY *)Key)->Node;
}

/* node.c: under the lock, exclusive where they change something */
CM_NODE *CmpNewNode(PCUNICODE_STRING Name, BOOLEAN Volatile); /* one reference */
void CmpReferenceNode(CM_NODE *Node);
void CmpDereferenceNode(CM_NODE *Node);
CM_NODE *CmpFindSubkey(CM_NODE *Node, PCUNICODE_STRING Name, ULONG *Position);
NTSTATUS CmpAddSubkey(CM_NODE *Parent, CM_NODE *Node); /* takes the reference */
void CmpRemoveSubkey(CM_NODE *Node);                   /* gives the parent's reference up */
void CmpTouch(CM_NODE *Node);
ULONG CmpPathBytes(CM_NODE *Node);
void CmpWritePath(CM_NODE *Node, PUCHAR End);              /* backwards, before End */
NTSTATUS CmpMakePath(CM_NODE *Node, PUNICODE_STRING Path); /* pool; takes the lock */
void CmpFreeTree(CM_NODE *Node);

/* value.c */
CM_VALUE *CmpFindValue(CM_NODE *Node, PCUNICODE_STRING Name, ULONG *Index);
NTSTATUS CmpPutValue(CM_NODE *Node, PCUNICODE_STRING Name, ULONG Type, const void *Data,
                     ULONG Length);
void CmpDropValue(CM_NODE *Node, ULONG Index);
NTSTATUS CmpDescribeValue(CM_VALUE *Value, KEY_VALUE_INFORMATION_CLASS Class, PVOID Information,
                          ULONG Length, PULONG Returned);

/* query.c */
NTSTATUS CmpDescribeKey(CM_NODE *Node, KEY_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                        PULONG Returned);

/* A result of variable length: what fits is written, what is needed is counted. */
typedef struct CMP_OUTPUT {
    PUCHAR Buffer;
    ULONG Length, Header, Used;
} CMP_OUTPUT;
void CmpPut(CMP_OUTPUT *Output, ULONG Offset, const void *Data, ULONG Bytes);
NTSTATUS CmpFinish(CMP_OUTPUT *Output, PULONG Returned); /* STATUS_BUFFER_TOO_SMALL: not even Header
                                                            bytes; STATUS_BUFFER_OVERFLOW: cut */

/* key.c */
typedef struct CMP_CREATE { /* ParseContext of a creation; NULL: open only */
    ULONG Options;
    ULONG Disposition;
    PSECURITY_DESCRIPTOR Security;
} CMP_CREATE;
NTSTATUS CmpCreateKeyType(void);
NTSTATUS CmpNewKey(CM_NODE *Node, POBJECT_ATTRIBUTES Attributes,
                   CM_KEY **Key); /* references the node */

/* notify.c */
typedef struct CMP_NOTIFICATION {
    LIST_ENTRY Link;
    PVOID Key;
    ULONG Filter;
    BOOLEAN Tree;
    NTSTATUS Status;
    void (*Done)(PVOID Context, NTSTATUS Status);
    PVOID Context;
} CMP_NOTIFICATION;
void CmpCollectChange(CM_NODE *Node, ULONG Change, PLIST_ENTRY Fired); /* under the lock */
void CmpCollectKey(CM_NODE *Node, PVOID Key, PLIST_ENTRY Fired); /* Key NULL: all of the node's */
void CmpFire(PLIST_ENTRY Fired);                                 /* without it */

/* callback.c */
typedef struct CMP_CALL {
    REG_NOTIFY_CLASS Post;
    PVOID Object;
    PVOID Information;
    PVOID *CallContext, *ObjectContext; /* fields of Information */
    ULONG Count;
    struct CMP_CALLBACK *Callbacks[16];
    PVOID Contexts[16];
} CMP_CALL;
static inline BOOLEAN CmpHasCallbacks(void)
{
    return atomic_load_explicit(&CmpState.CallbackCount, memory_order_relaxed) != 0;
}
/* What to do: STATUS_SUCCESS, go on; else the operation ends with *Result (STATUS_CALLBACK_BYPASS
 * of a callback means STATUS_SUCCESS). */
NTSTATUS CmpBefore(CMP_CALL *Call, REG_NOTIFY_CLASS Class);
NTSTATUS CmpAfter(CMP_CALL *Call, NTSTATUS Status);
void CmpDropContexts(CM_KEY *Key, LARGE_INTEGER *Cookie); /* NULL: all */

/* hive.c */
NTSTATUS
CmpLoadHive(const char *Path,
            CM_NODE *Root); /* STATUS_OBJECT_NAME_NOT_FOUND: no file; STATUS_REGISTRY_CORRUPT */
NTSTATUS CmpSaveHive(const char *Path, CM_NODE *Root);
