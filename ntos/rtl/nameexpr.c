/* Names against expressions with wild cards, as file systems and name providers match them. */
#include "rtlp.h"

#define DOS_STAR_UNIT '<'
#define DOS_QM_UNIT '>'
#define DOS_DOT_UNIT '"'

/*
 * PASSIVE_LEVEL in effect (pageable). Does the name have a wild card: * ? < > "?
 * Doc: ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtldoesnamecontainwildcards
 */
BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    for (USHORT i = 0; i < Name->Length / sizeof(WCHAR); i++)
        switch (Name->Buffer[i]) {
        case '*':
        case '?':
        case DOS_STAR_UNIT:
        case DOS_QM_UNIT:
        case DOS_DOT_UNIT:
            return TRUE;
        }
    return FALSE;
}

typedef struct _RTLP_NAME {
    const WCHAR *Units;
    ULONG Count;
    ULONG LastDot; /* Count when there is none */
    const WCHAR *Table;
} RTLP_NAME;

static WCHAR RtlpFold(const RTLP_NAME *Name, WCHAR Unit, BOOLEAN IgnoreCase)
{
    if (!IgnoreCase)
        return Unit;
    return Name->Table ? Name->Table[Unit] : RtlpUpcase(Unit);
}

/* Which places of the name can one unit of the expression lead to from place At? One bit each. */
static BOOLEAN RtlpMayStay(const RTLP_NAME *Name, WCHAR Wild, ULONG At)
{
    /* Both stars take one more unit of the name; DOS_STAR goes no further than the last dot. */
    return At < Name->Count && (Wild == '*' || At != Name->LastDot);
}

static BOOLEAN RtlpMayTake(const RTLP_NAME *Name, WCHAR Wild, ULONG At, BOOLEAN IgnoreCase)
{
    if (At >= Name->Count)
        return FALSE;
    WCHAR Unit = Name->Units[At];
    switch (Wild) {
    case '?':
        return TRUE;
    case DOS_QM_UNIT:
        return Unit != '.';
    case DOS_DOT_UNIT:
        return Unit == '.';
    default:
        return RtlpFold(Name, Wild, IgnoreCase) == RtlpFold(Name, Unit, IgnoreCase);
    }
}

static BOOLEAN RtlpMaySkip(const RTLP_NAME *Name, WCHAR Wild, ULONG At)
{
    if (Wild == DOS_QM_UNIT)
        return At == Name->Count || Name->Units[At] == '.';
    return Wild == DOS_DOT_UNIT && At == Name->Count;
}

/* Reachable holds Count + 1 flags: the places of the name that the expression so far can end at. */
static BOOLEAN RtlpStep(const RTLP_NAME *Name, WCHAR Wild, BOOLEAN IgnoreCase, PUCHAR Reachable)
{
    BOOLEAN Star = Wild == '*' || Wild == DOS_STAR_UNIT;
    BOOLEAN Any = FALSE;
    UCHAR Taken = FALSE; /* reached by taking the unit before */
    for (ULONG At = 0; At <= Name->Count; At++) {
        UCHAR Here = Reachable[At];
        if (Star) {
            Reachable[At] = Here | Taken;
            Taken = Reachable[At] && RtlpMayStay(Name, Wild, At);
        } else {
            Reachable[At] = Taken | (Here && RtlpMaySkip(Name, Wild, At));
            Taken = Here && RtlpMayTake(Name, Wild, At, IgnoreCase);
        }
        Any |= Reachable[At];
    }
    return Any;
}

/*
 * IRQL < DISPATCH_LEVEL. * takes any units, ? one; < takes units up to the last dot, > one unit or
 * nothing before a dot or the end, " a dot or nothing at the end. With IgnoreCase an upper-case
 * expression is expected; a table replaces the system's. Raises STATUS_NO_MEMORY for want of
 * memory. Doc: ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlisnameinexpression
 */
BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name,
                                      BOOLEAN IgnoreCase, PWCHAR UpcaseTable)
{
    RTL_IRQL_MAX(APC_LEVEL);
    UCHAR Local[128] = {0};
    RTLP_NAME Subject = {Name->Buffer, Name->Length / sizeof(WCHAR), Name->Length / sizeof(WCHAR),
                         UpcaseTable};
    PUCHAR Reachable = Subject.Count < sizeof(Local) ? Local : RtlpAllocate(Subject.Count + 1);
    if (!Reachable)
        RtlRaiseStatus(STATUS_NO_MEMORY);
    RtlZeroMemory(Reachable, Subject.Count + 1);
    for (ULONG i = 0; i < Subject.Count; i++)
        if (Subject.Units[i] == '.')
            Subject.LastDot = i;
    Reachable[0] = TRUE;
    BOOLEAN Alive = TRUE;
    for (ULONG i = 0; Alive && i < Expression->Length / sizeof(WCHAR); i++)
        Alive = RtlpStep(&Subject, Expression->Buffer[i], IgnoreCase, Reachable);
    BOOLEAN Matches = Alive && Reachable[Subject.Count];
    if (Reachable != Local)
        RtlpFree(Reachable);
    return Matches;
}
