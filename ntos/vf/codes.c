/* Names of bug check codes, and what their parameters mean. */
#include "vfp.h"

#include <stdlib.h>

static const struct VF_CODE_NAME {
    ULONG Code;
    const char *Name;
} VfCodeNames[] = {
#include "bugcheck_names.inc"
};

static const VF_CODE_TEXT VfCodeTexts[] = {
#include "bugcheck_parameters.inc"
};

static int VfCompareCodes(const void *Key, const void *Row)
{
    ULONG Code = *(const ULONG *)Key, Other = ((const struct VF_CODE_NAME *)Row)->Code;

    return (Code > Other) - (Code < Other);
}

const char *VfBugCheckName(ULONG Code)
{
    const struct VF_CODE_NAME *Row = bsearch(&Code, VfCodeNames, RTL_NUMBER_OF(VfCodeNames),
                                             sizeof(VfCodeNames[0]), VfCompareCodes);

    return Row ? Row->Name : NULL;
}

const VF_CODE_TEXT *VfBugCheckText(ULONG Code, const ULONG_PTR *Parameters)
{
    for (size_t i = 0; i < RTL_NUMBER_OF(VfCodeTexts); i++) {
        const VF_CODE_TEXT *Text = &VfCodeTexts[i];

        if (Text->Code == Code && (!Text->Which || Parameters[Text->Which - 1] == Text->Value))
            return Text;
    }
    return NULL;
}
