// 64-bit intrinsics of MSVC. clang has builtins of these names whose __int64 is long where the
// headers' is long long, and winnt.h declares the rotations without code. Each is defined here
// once, for both compilers, and mingw is told so.
#pragma once

#define NT_INTRINSIC extern __inline__ __attribute__((__always_inline__, __gnu_inline__))

#define _InterlockedAnd64 NtInterlockedAnd64
#define __INTRINSIC_DEFINED__InterlockedAnd64
NT_INTRINSIC long long NtInterlockedAnd64(volatile long long *Target, long long Value)
{
    return __sync_fetch_and_and(Target, Value);
}

#define _InterlockedOr64 NtInterlockedOr64
#define __INTRINSIC_DEFINED__InterlockedOr64
NT_INTRINSIC long long NtInterlockedOr64(volatile long long *Target, long long Value)
{
    return __sync_fetch_and_or(Target, Value);
}

#define _InterlockedXor64 NtInterlockedXor64
#define __INTRINSIC_DEFINED__InterlockedXor64
NT_INTRINSIC long long NtInterlockedXor64(volatile long long *Target, long long Value)
{
    return __sync_fetch_and_xor(Target, Value);
}

#define _InterlockedExchange64 NtInterlockedExchange64
#define __INTRINSIC_DEFINED__InterlockedExchange64
NT_INTRINSIC long long NtInterlockedExchange64(volatile long long *Target, long long Value)
{
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

#define _InterlockedExchangeAdd64 NtInterlockedExchangeAdd64
#define __INTRINSIC_DEFINED__InterlockedExchangeAdd64
NT_INTRINSIC long long NtInterlockedExchangeAdd64(volatile long long *Target, long long Value)
{
    return __sync_fetch_and_add(Target, Value);
}

#define _InterlockedIncrement64 NtInterlockedIncrement64
#define __INTRINSIC_DEFINED__InterlockedIncrement64
NT_INTRINSIC long long NtInterlockedIncrement64(volatile long long *Target)
{
    return __sync_add_and_fetch(Target, 1);
}

#define _InterlockedDecrement64 NtInterlockedDecrement64
#define __INTRINSIC_DEFINED__InterlockedDecrement64
NT_INTRINSIC long long NtInterlockedDecrement64(volatile long long *Target)
{
    return __sync_sub_and_fetch(Target, 1);
}

#define _interlockedbittestandset64 NtInterlockedBitTestAndSet64
#define __INTRINSIC_DEFINED__interlockedbittestandset64
NT_INTRINSIC unsigned char NtInterlockedBitTestAndSet64(volatile long long *Base, long long Bit)
{
    return (unsigned char)(__sync_fetch_and_or(&Base[Bit >> 6], (long long)(1ULL << (Bit & 63))) >>
                               (Bit & 63) &
                           1);
}

#define _interlockedbittestandreset64 NtInterlockedBitTestAndReset64
#define __INTRINSIC_DEFINED__interlockedbittestandreset64
NT_INTRINSIC unsigned char NtInterlockedBitTestAndReset64(volatile long long *Base, long long Bit)
{
    return (
        unsigned char)(__sync_fetch_and_and(&Base[Bit >> 6], ~(long long)(1ULL << (Bit & 63))) >>
                           (Bit & 63) &
                       1);
}

#define _bittest64 NtBitTest64
#define __INTRINSIC_DEFINED__bittest64
NT_INTRINSIC unsigned char NtBitTest64(const long long *Base, long long Bit)
{
    return (unsigned char)(Base[Bit >> 6] >> (Bit & 63) & 1);
}

#define _bittestandset64 NtBitTestAndSet64
#define __INTRINSIC_DEFINED__bittestandset64
NT_INTRINSIC unsigned char NtBitTestAndSet64(long long *Base, long long Bit)
{
    unsigned char Old = NtBitTest64(Base, Bit);
    Base[Bit >> 6] |= (long long)(1ULL << (Bit & 63));
    return Old;
}

#define _bittestandreset64 NtBitTestAndReset64
#define __INTRINSIC_DEFINED__bittestandreset64
NT_INTRINSIC unsigned char NtBitTestAndReset64(long long *Base, long long Bit)
{
    unsigned char Old = NtBitTest64(Base, Bit);
    Base[Bit >> 6] &= ~(long long)(1ULL << (Bit & 63));
    return Old;
}

#define _bittestandcomplement64 NtBitTestAndComplement64
#define __INTRINSIC_DEFINED__bittestandcomplement64
NT_INTRINSIC unsigned char NtBitTestAndComplement64(long long *Base, long long Bit)
{
    unsigned char Old = NtBitTest64(Base, Bit);
    Base[Bit >> 6] ^= (long long)(1ULL << (Bit & 63));
    return Old;
}

#define __popcnt64 NtPopcnt64
#define __INTRINSIC_DEFINED___popcnt64
NT_INTRINSIC unsigned long long NtPopcnt64(unsigned long long Value)
{
    return (unsigned long long)__builtin_popcountll(Value);
}

#ifdef __clang__
#define _xgetbv NtXgetbv
#define __INTRINSIC_DEFINED__xgetbv
NT_INTRINSIC unsigned long long NtXgetbv(unsigned Register)
{
    unsigned Low, High;
    __asm__ __volatile__("xgetbv" : "=a"(Low), "=d"(High) : "c"(Register));
    return (unsigned long long)High << 32 | Low;
}
#endif

// RtlUlongByteSwap and its kin are macros over these.
#define _byteswap_ushort(x) __builtin_bswap16(x)
#define _byteswap_ulong(x) __builtin_bswap32(x)
#define _byteswap_uint64(x) __builtin_bswap64(x)

#define _rotl NtRotl
#define __INTRINSIC_DEFINED__rotl
NT_INTRINSIC unsigned NtRotl(unsigned Value, int Shift)
{
    return Value << (Shift & 31) | Value >> (-Shift & 31);
}

#define _rotr NtRotr
#define __INTRINSIC_DEFINED__rotr
NT_INTRINSIC unsigned NtRotr(unsigned Value, int Shift)
{
    return NtRotl(Value, -Shift);
}

#define _rotl64 NtRotl64
#define __INTRINSIC_DEFINED__rotl64
NT_INTRINSIC unsigned long long NtRotl64(unsigned long long Value, int Shift)
{
    return Value << (Shift & 63) | Value >> (-Shift & 63);
}

#define _rotr64 NtRotr64
#define __INTRINSIC_DEFINED__rotr64
NT_INTRINSIC unsigned long long NtRotr64(unsigned long long Value, int Shift)
{
    return NtRotl64(Value, -Shift);
}
