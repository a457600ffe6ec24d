/* SIDs in SDDL: S-1-... or an alias of two letters. */
#include "se/sep.h"

typedef struct SEP_ALIAS {
    CHAR Name[3];
    UCHAR Kind; /* the identifier authority, or one of the two below */
    ULONG Value;
} SEP_ALIAS;

#define BUILTIN 100  /* S-1-5-32-value */
#define DOMAIN 101   /* of this machine: S-1-5-21-...-value */
#define DRIVERS 102  /* S-1-5-84-0-0-0-0-0 */
#define PACKAGES 103 /* S-1-15-2-value */

static const SEP_ALIAS SepAliases[] = {
    {"SY", 5, 18},        {"BA", BUILTIN, 544}, {"WD", 1, 0},         {"AU", 5, 11},
    {"BU", BUILTIN, 545}, {"BG", BUILTIN, 546}, {"PU", BUILTIN, 547}, {"AO", BUILTIN, 548},
    {"SO", BUILTIN, 549}, {"PO", BUILTIN, 550}, {"BO", BUILTIN, 551}, {"RE", BUILTIN, 552},
    {"RU", BUILTIN, 554}, {"RD", BUILTIN, 555}, {"NO", BUILTIN, 556}, {"MU", BUILTIN, 558},
    {"LU", BUILTIN, 559}, {"IS", BUILTIN, 568}, {"CY", BUILTIN, 569}, {"ER", BUILTIN, 573},
    {"CD", BUILTIN, 574}, {"RA", BUILTIN, 575}, {"ES", BUILTIN, 576}, {"MS", BUILTIN, 577},
    {"HA", BUILTIN, 578}, {"AA", BUILTIN, 579}, {"RM", BUILTIN, 580}, {"CO", 3, 0},
    {"CG", 3, 1},         {"OW", 3, 4},         {"NU", 5, 2},         {"IU", 5, 4},
    {"SU", 5, 6},         {"AN", 5, 7},         {"ED", 5, 9},         {"PS", 5, 10},
    {"RC", 5, 12},        {"LS", 5, 19},        {"NS", 5, 20},        {"WR", 5, 33},
    {"LA", DOMAIN, 500},  {"LG", DOMAIN, 501},  {"RO", DOMAIN, 498},  {"DA", DOMAIN, 512},
    {"DU", DOMAIN, 513},  {"DG", DOMAIN, 514},  {"DC", DOMAIN, 515},  {"DD", DOMAIN, 516},
    {"CA", DOMAIN, 517},  {"SA", DOMAIN, 518},  {"EA", DOMAIN, 519},  {"PA", DOMAIN, 520},
    {"CN", DOMAIN, 522},  {"AP", DOMAIN, 525},  {"KA", DOMAIN, 526},  {"EK", DOMAIN, 527},
    {"RS", DOMAIN, 553},  {"UD", DRIVERS, 0},   {"AC", PACKAGES, 1},  {"LW", 16, 0x1000},
    {"ME", 16, 0x2000},   {"MP", 16, 0x2100},   {"HI", 16, 0x3000},   {"SI", 16, 0x4000},
    {"AS", 18, 1},        {"SS", 18, 2},
};

static void SepMakeAlias(const SEP_ALIAS *Alias, SEP_SID *Sid)
{
    const ULONG Builtin[] = {SECURITY_BUILTIN_DOMAIN_RID, Alias->Value},
                Drivers[] = {84, 0, 0, 0, 0, 0}, Packages[] = {2, Alias->Value};
    switch (Alias->Kind) {
    case BUILTIN:
        SepMakeSid(Sid, 5, 2, Builtin);
        break;
    case DOMAIN:
        SepMakeDomainSid(Sid, Alias->Value);
        break;
    case DRIVERS:
        SepMakeSid(Sid, 5, RTL_NUMBER_OF(Drivers), Drivers);
        break;
    case PACKAGES:
        SepMakeSid(Sid, 15, 2, Packages);
        break;
    default:
        SepMakeSid(Sid, Alias->Kind, 1, &Alias->Value);
        break;
    }
}

/* NULL when it has none. */
PCSTR SepAliasOfSid(PSID Sid)
{
    SEP_SID Candidate;
    for (ULONG i = 0; i < RTL_NUMBER_OF(SepAliases); i++) {
        SepMakeAlias(&SepAliases[i], &Candidate);
        if (RtlEqualSid(&Candidate, Sid))
            return SepAliases[i].Name;
    }
    return NULL;
}

static ULONG SepDigit(WCHAR Unit)
{
    if (Unit >= '0' && Unit <= '9')
        return Unit - '0';
    WCHAR Upper = Unit & ~0x20;
    return Upper >= 'A' && Upper <= 'F' ? Upper - 'A' + 10u : MAXULONG;
}

/* Digits up to the first unit that is none; FALSE without a digit, or above Most. */
static BOOLEAN SepNumber(PCWCH *Cursor, PCWCH End, ULONG64 Most, PULONG64 Value)
{
    ULONG Base = 10, Digit;
    PCWCH At = *Cursor;
    if (End - At > 2 && At[0] == '0' && (At[1] | 0x20) == 'x') {
        Base = 16;
        At += 2;
    }
    PCWCH First = At;
    for (*Value = 0; At < End && (Digit = SepDigit(*At)) < Base; At++) {
        *Value = *Value * Base + Digit;
        if (*Value > Most)
            return FALSE;
    }
    *Cursor = At;
    return At > First;
}

static NTSTATUS SepNumericSid(PCWCH *Cursor, PCWCH End, SEP_SID *Sid)
{
    ULONG64 Revision, Authority, Value;
    PCWCH At = *Cursor + 2;
    if (!SepNumber(&At, End, MAXULONG, &Revision) || Revision != SID_REVISION || At == End ||
        *At++ != '-' || !SepNumber(&At, End, 0xFFFFFFFFFFFFull, &Authority))
        return STATUS_INVALID_SID;
    *Sid = (SEP_SID){.Sid = {.Revision = SID_REVISION}};
    for (ULONG i = 0; i < 6; i++)
        Sid->Sid.IdentifierAuthority.Value[i] = (UCHAR)(Authority >> (40 - 8 * i));
    while (At < End && *At == '-') {
        At++;
        if (Sid->Sid.SubAuthorityCount == SID_MAX_SUB_AUTHORITIES ||
            !SepNumber(&At, End, MAXULONG, &Value))
            return STATUS_INVALID_SID;
        *RtlSubAuthoritySid(Sid, Sid->Sid.SubAuthorityCount++) = (ULONG)Value;
    }
    *Cursor = At;
    return Sid->Sid.SubAuthorityCount ? STATUS_SUCCESS : STATUS_INVALID_SID;
}

NTSTATUS SepSidFromSddl(PCWCH *Cursor, PCWCH End, SEP_SID *Sid)
{
    PCWCH At = *Cursor;
    if (End - At < 2)
        return STATUS_INVALID_SID;
    if ((At[0] | 0x20) == 's' && At[1] == '-')
        return SepNumericSid(Cursor, End, Sid);
    for (ULONG i = 0; i < RTL_NUMBER_OF(SepAliases); i++)
        if ((At[0] & ~0x20) == SepAliases[i].Name[0] && (At[1] & ~0x20) == SepAliases[i].Name[1]) {
            SepMakeAlias(&SepAliases[i], Sid);
            *Cursor = At + 2;
            return STATUS_SUCCESS;
        }
    return STATUS_INVALID_SID;
}
