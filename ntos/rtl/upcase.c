/* Case of single characters; ASCII is answered at once, everything else from the table of ranges.
 */
#include "rtl.h"
#include "casetable.h"

static WCHAR RtlpMapCase(const RTLP_CASE_RANGE *Ranges, SIZE_T Count, WCHAR Character)
{
    SIZE_T Low = 0;
    SIZE_T High = Count;
    while (Low < High) {
        SIZE_T Middle = (Low + High) / 2;
        if (Character > Ranges[Middle].Last)
            Low = Middle + 1;
        else
            High = Middle;
    }
    if (Low == Count || Character < Ranges[Low].First)
        return Character;
    if ((Character - Ranges[Low].First) % Ranges[Low].Stride)
        return Character;
    return (WCHAR)(Character + Ranges[Low].Delta);
}

WCHAR RtlpUpcase(WCHAR Character)
{
    if (Character < 'a')
        return Character;
    if (Character < 0x80)
        return Character <= 'z' ? Character - ('a' - 'A') : Character;
    return RtlpMapCase(RtlpUpcaseRanges, RTL_NUMBER_OF(RtlpUpcaseRanges), Character);
}

WCHAR RtlpDowncase(WCHAR Character)
{
    if (Character < 0x80)
        return Character >= 'A' && Character <= 'Z' ? Character + ('a' - 'A') : Character;
    return RtlpMapCase(RtlpDowncaseRanges, RTL_NUMBER_OF(RtlpDowncaseRanges), Character);
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-rtlupcaseunicodechar */
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpUpcase(SourceCharacter);
}

/* PASSIVE_LEVEL. Doc: wdm/nf-wdm-rtldowncaseunicodechar */
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    return RtlpDowncase(SourceCharacter);
}
