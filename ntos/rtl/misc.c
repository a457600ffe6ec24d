/* Check sums, byte order and pseudo-random numbers. */
#include "rtl.h"

#undef RtlUshortByteSwap
#undef RtlUlongByteSwap
#undef RtlUlonglongByteSwap

#define CRC32_POLYNOMIAL 0xEDB88320u
#define CRC64_POLYNOMIAL 0x9A6C9329AC4BC9B5ull

/* Any IRQL. The reflected CRC-32 of Ethernet; InitialCrc is 0 or the result for the bytes before.
 */
ULONG NTAPI RtlCrc32(const VOID *Buffer, SIZE_T Size, ULONG InitialCrc)
{
    const UCHAR *Bytes = Buffer;
    ULONG Crc = ~InitialCrc;
    for (SIZE_T i = 0; i < Size; i++) {
        Crc ^= Bytes[i];
        for (int Bit = 0; Bit < 8; Bit++)
            Crc = Crc >> 1 ^ (Crc & 1 ? CRC32_POLYNOMIAL : 0);
    }
    return ~Crc;
}

/* Any IRQL. The reflected CRC-64 of NVM Express. */
ULONGLONG NTAPI RtlCrc64(const VOID *Buffer, SIZE_T Size, ULONGLONG InitialCrc)
{
    const UCHAR *Bytes = Buffer;
    ULONGLONG Crc = ~InitialCrc;
    for (SIZE_T i = 0; i < Size; i++) {
        Crc ^= Bytes[i];
        for (int Bit = 0; Bit < 8; Bit++)
            Crc = Crc >> 1 ^ (Crc & 1 ? CRC64_POLYNOMIAL : 0);
    }
    return ~Crc;
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlushortbyteswap */
USHORT FASTCALL RtlUshortByteSwap(USHORT Source)
{
    return __builtin_bswap16(Source);
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlulongbyteswap */
ULONG FASTCALL RtlUlongByteSwap(ULONG Source)
{
    return __builtin_bswap32(Source);
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlulonglongbyteswap */
ULONGLONG FASTCALL RtlUlonglongByteSwap(ULONGLONG Source)
{
    return __builtin_bswap64(Source);
}

/* The generator that RtlUniform documents: X(n+1) = (A * X(n) + C) mod (2^31 - 1). */
static ULONG RtlpNextRandom(PULONG Seed)
{
    *Seed = (ULONG)((*Seed * 0x7FFFFFEDull + 0x7FFFFFC3ull) % MAXLONG);
    return *Seed;
}

/* IRQL < DISPATCH_LEVEL. In [0, MAXLONG - 1]; replaces the seed. Doc: ntifs/nf-ntifs-rtlrandomex */
ULONG NTAPI RtlRandomEx(PULONG Seed)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpNextRandom(Seed);
}

/* IRQL < DISPATCH_LEVEL. In [0, MAXLONG - 1]; replaces the seed. Doc: ntifs/nf-ntifs-rtlrandom */
ULONG NTAPI RtlRandom(PULONG Seed)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpNextRandom(Seed);
}
