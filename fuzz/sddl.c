/* fuzz sddl: any text is a descriptor or an error; a descriptor that was made is valid, and its
 * text makes an equal one. */
#include "se/se.h"
#include <usernt.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *Count, char ***Arguments);
int LLVMFuzzerInitialize(int *Count, char ***Arguments)
{
    USERNT_OPTIONS Options = {.Size = sizeof(Options), .BootUserId = MAXULONG};

    return NT_SUCCESS(UserNtBoot(&Options)) ? 0 : -1;
}

static void check(PSECURITY_DESCRIPTOR First)
{
    SECURITY_INFORMATION All = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                               DACL_SECURITY_INFORMATION | SACL_SECURITY_INFORMATION;
    PSECURITY_DESCRIPTOR Second;
    UNICODE_STRING Text;
    ULONG Length;

    if (!RtlValidSecurityDescriptor(First))
        abort();
    if (!NT_SUCCESS(SeSecurityDescriptorToSddl(First, All, &Text)))
        return; /* out of memory */
    if (!NT_SUCCESS(SeSddlToSecurityDescriptor(&Text, &Second, &Length)))
        abort();
    if (Length != RtlLengthSecurityDescriptor(First) || memcmp(First, Second, Length))
        abort();
    ExFreePool(Second);
    RtlFreeUnicodeString(&Text);
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    USHORT Bytes = (USHORT)((Size < 0xfffe ? Size : 0xfffe) & ~(size_t)1);
    UNICODE_STRING Text = {Bytes, Bytes, malloc(Size + 2)};
    PSECURITY_DESCRIPTOR Descriptor;
    ULONG Length;

    memcpy(Text.Buffer, Data, Size);
    if (NT_SUCCESS(SeSddlToSecurityDescriptor(&Text, &Descriptor, &Length))) {
        check(Descriptor);
        ExFreePool(Descriptor);
    }
    free(Text.Buffer);
    return 0;
}
