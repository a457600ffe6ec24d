/* What the files about MDLs share. */
#ifndef MI_MDL_H
#define MI_MDL_H

#include "mi.h"

#define MI_MDL_TAG ' ldM'
#define MI_NO_FRAME ((PFN_NUMBER)0) /* frame 0 is nobody's */

static inline SIZE_T MiMdlPages(const MDL *Mdl)
{
    return (Mdl->ByteOffset + (SIZE_T)Mdl->ByteCount + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static inline _Noreturn void MiMdlMisuse(ULONG What, PMDL Mdl, ULONG Flags, const char *Text)
{
    VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, What, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags,
               Flags, "%s", Text);
}

static inline void MiMdlIrql(ULONG What, KIRQL Limit, PMDL Mdl, ULONG_PTR Third, const char *Text)
{
    if (__builtin_expect(KiIrql() > Limit, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, What, KiIrql(), (ULONG_PTR)Mdl, Third,
                   "%s at IRQL %u", Text, KiIrql());
}

PFN_NUMBER MiFrameAt(const void *Address);
void MiUnlockPassed(PMDL Mdl, SIZE_T Pages); /* the first pages of a locked MDL */
PVOID MiMapMdlInSystem(PMDL Mdl, ULONG Priority);
PVOID MiMapMdlForUser(PMDL Mdl, PVOID RequestedAddress, ULONG Priority); /* raises */
void MiUnmapMdlForUser(PMDL Mdl, PVOID Base);

/* mingw's headers lack them. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000
#define MdlMappingNoExecute 0x40000000
#endif

#endif
