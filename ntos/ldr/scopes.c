/*
 * __C_specific_handler: what the __try statements of a C function do about an exception.
 */
#include "ldr/seh.h"

typedef __attribute__((ms_abi)) LONG FILTER(PEXCEPTION_POINTERS Pointers, ULONG64 Establisher);
typedef __attribute__((ms_abi)) void TERMINATION(BOOLEAN Abnormal, ULONG64 Establisher);

static ULONG RvaOf(const PE_IMAGE *Image, const void *Data)
{
    return (ULONG)((const UCHAR *)Data - Image->Base);
}

ULONG LdrpCountScopes(const PE_IMAGE *Image, const void *Data)
{
    ULONG Count;
    return PeRead(Image, RvaOf(Image, Data), &Count, sizeof(Count)) &&
                   Count <= Image->Size / sizeof(LDRP_SCOPE)
               ? Count
               : 0;
}

BOOLEAN LdrpReadScope(const PE_IMAGE *Image, const void *Data, ULONG Index, LDRP_SCOPE *Scope)
{
    return PeRead(Image, RvaOf(Image, Data) + (ULONG)sizeof(ULONG) + Index * (ULONG)sizeof(*Scope),
                  Scope, sizeof(*Scope));
}

/* The scopes of the function that a handler is called for. */
typedef struct SCOPES {
    const PE_IMAGE *Image;
    const void *Data;
    ULONG Next, Count, Pc, TargetPc;
} SCOPES;

static BOOLEAN OpenScopes(const LDRP_DISPATCHER *Dispatcher, SCOPES *Scopes)
{
    const PE_IMAGE *Image = LdrpImageAt(Dispatcher->ControlPc);
    if (Image == NULL)
        return FALSE;
    *Scopes = (SCOPES){Image,
                       Dispatcher->Data,
                       Dispatcher->ScopeIndex,
                       LdrpCountScopes(Image, Dispatcher->Data),
                       (ULONG)(Dispatcher->ControlPc - (ULONG_PTR)Image->Base),
                       (ULONG)(Dispatcher->TargetIp - (ULONG_PTR)Image->Base)};
    return TRUE;
}

static BOOLEAN Covers(const LDRP_SCOPE *Scope, ULONG Pc)
{
    return Pc >= Scope->Begin && Pc < Scope->End;
}

/* The next scope that covers the place where the function is. */
static BOOLEAN NextScope(SCOPES *Scopes, LDRP_SCOPE *Scope)
{
    while (Scopes->Next < Scopes->Count &&
           LdrpReadScope(Scopes->Image, Scopes->Data, Scopes->Next, Scope)) {
        Scopes->Next++;
        if (Covers(Scope, Scopes->Pc))
            return TRUE;
    }
    return FALSE;
}

static LONG AskFilter(const LDRP_SCOPE *Scope, PEXCEPTION_POINTERS Pointers,
                      const LDRP_DISPATCHER *Dispatcher)
{
    if (Scope->Handler == EXCEPTION_EXECUTE_HANDLER)
        return EXCEPTION_EXECUTE_HANDLER;
    return ((FILTER *)(Dispatcher->ImageBase + Scope->Handler))(Pointers, Dispatcher->Establisher);
}

static int SearchScopes(PEXCEPTION_RECORD Record, PCONTEXT Context, LDRP_DISPATCHER *Dispatcher,
                        SCOPES *Scopes)
{
    EXCEPTION_POINTERS Pointers = {Record, Context};
    LDRP_SCOPE Scope;
    while (NextScope(Scopes, &Scope)) {
        if (Scope.Target == 0)
            continue;
        LONG Answer = AskFilter(&Scope, &Pointers, Dispatcher);
        if (Answer < 0)
            return ExceptionContinueExecution;
        if (Answer > 0)
            LdrpUnwind(Record, 0, Dispatcher->Establisher, Dispatcher->ImageBase + Scope.Target,
                       (ULONG)Record->ExceptionCode);
    }
    return ExceptionContinueSearch;
}

/* The target is the handler of a scope that is being left. It may follow the last call of that
 * scope, and an inner one's, at once; the tables count that place to the scope, because a return
 * address is looked for in them. */
static BOOLEAN IsHandlerTarget(SCOPES Scopes)
{
    LDRP_SCOPE Scope;
    Scopes.Next = 0;
    while (NextScope(&Scopes, &Scope))
        if (Scope.Target == Scopes.TargetPc)
            return TRUE;
    return FALSE;
}

static int LeaveScopes(PEXCEPTION_RECORD Record, LDRP_DISPATCHER *Dispatcher, SCOPES *Scopes)
{
    BOOLEAN IsTarget = (Record->ExceptionFlags & LDRP_TARGET_UNWIND) != 0;
    BOOLEAN ToHandler = IsTarget && IsHandlerTarget(*Scopes);
    LDRP_SCOPE Scope;
    while (NextScope(Scopes, &Scope)) {
        if (ToHandler ? Scope.Target == Scopes->TargetPc
                      : IsTarget && Covers(&Scope, Scopes->TargetPc))
            break; /* this scope's handler comes next; or this scope is not left */
        if (Scope.Target != 0)
            continue;
        Dispatcher->ScopeIndex = Scopes->Next;
        ((TERMINATION *)(Dispatcher->ImageBase + Scope.Handler))(TRUE, Dispatcher->Establisher);
    }
    return ExceptionContinueSearch;
}

/* __C_specific_handler: the handler of every function with __try. Of Microsoft's convention. */
__attribute__((ms_abi)) int LdrpCSpecificHandler(PEXCEPTION_RECORD Record, PVOID Establisher,
                                                 PCONTEXT Context, LDRP_DISPATCHER *Dispatcher);
__attribute__((ms_abi)) int LdrpCSpecificHandler(PEXCEPTION_RECORD Record, PVOID Establisher,
                                                 PCONTEXT Context, LDRP_DISPATCHER *Dispatcher)
{
    SCOPES Scopes;
    if (!OpenScopes(Dispatcher, &Scopes))
        return ExceptionContinueSearch;
    if (Record->ExceptionFlags & LDRP_UNWIND_FLAGS)
        return LeaveScopes(Record, Dispatcher, &Scopes);
    return SearchScopes(Record, Context, Dispatcher, &Scopes);
}
