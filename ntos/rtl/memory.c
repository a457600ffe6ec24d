/* Memory blocks. The DDK makes macros of most of these; drivers import them as functions too. */
#include "rtl.h"

#include <string.h>

#undef RtlZeroMemory
#undef RtlFillMemory
#undef RtlMoveMemory
#undef RtlCopyMemory
#undef RtlCopyBytes
#undef RtlZeroBytes
#undef RtlEqualMemory
#undef RtlFillMemoryUlonglong

VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length);
VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, INT Fill);
VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length);

/* Any IRQL (resident memory). Doc: wdm/nf-wdm-rtlzeromemory */
VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length)
{
    memset(Destination, 0, Length);
}

/* Any IRQL (resident memory). Doc: wdm/nf-wdm-rtlfillmemory */
VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, INT Fill)
{
    memset(Destination, Fill, Length);
}

/* Any IRQL. The blocks may overlap. Doc: wdm/nf-wdm-rtlmovememory */
VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    memmove(Destination, Source, Length);
}

/* Any IRQL. The blocks may not overlap. Doc: wdm/nf-wdm-rtlcopymemory */
VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    memcpy(Destination, Source, Length);
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlcopymemorynontemporal */
VOID NTAPI RtlCopyMemoryNonTemporal(VOID *Destination, const VOID *Source, SIZE_T Length)
{
    memcpy(Destination, Source, Length);
}

/* Any IRQL. Brings lines of the block into the cache; no effect that a program can observe. */
VOID NTAPI RtlPrefetchMemoryNonTemporal(PVOID Source, SIZE_T Length)
{
    for (SIZE_T i = 0; i < Length; i += 64)
        __builtin_prefetch((PUCHAR)Source + i, 0, 0);
}

/* Any IRQL. The number of equal bytes before the first difference. Doc: wdm/nf-wdm-rtlcomparememory
 */
SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *A = Source1;
    const UCHAR *B = Source2;
    SIZE_T i = 0;
    while (i < Length && A[i] == B[i])
        i++;
    return i;
}

/*
 * Any IRQL. Bytes that match the pattern, from an aligned start; a rest below four bytes is
 * ignored. Doc: ntifs/nf-ntifs-rtlcomparememoryulong
 */
SIZE_T NTAPI RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern)
{
    const ULONG *Words = Source;
    if (!Length || (ULONG_PTR)Source % sizeof(ULONG))
        return 0;
    SIZE_T i = 0;
    while (i < Length / sizeof(ULONG) && Words[i] == Pattern)
        i++;
    return i * sizeof(ULONG);
}

/* Any IRQL. Doc: ntddk/nf-ntddk-rtliszeromemory */
BOOLEAN NTAPI RtlIsZeroMemory(PVOID Buffer, SIZE_T Length)
{
    const UCHAR *Bytes = Buffer;
    for (SIZE_T i = 0; i < Length; i++)
        if (Bytes[i])
            return FALSE;
    return TRUE;
}
