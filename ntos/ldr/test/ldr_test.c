#include "ldr/test/ldr_test.h"

const char *LdrTestImage(const char *Name)
{
    static char Path[1024];
    const char *Folder = getenv("NT_TEST_IMAGES");
    snprintf(Path, sizeof(Path), "%s/%s", Folder == NULL ? "." : Folder, Name);
    return Path;
}

BOOLEAN LdrTestLogged(const char *Text)
{
    VF_LOG_LINE Line;
    char Copy[sizeof(Line.Text) + 1];
    for (ULONG64 Sequence = 0; VfLogRead(Sequence, &Line); Sequence = Line.Sequence + 1) {
        memcpy(Copy, Line.Text, Line.Length);
        Copy[Line.Length] = '\0';
        if (strstr(Copy, Text) != NULL)
            return TRUE;
    }
    return FALSE;
}
