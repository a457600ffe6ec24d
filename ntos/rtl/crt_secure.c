/* The `_s` strings of the C run-time: a broken contract empties the destination and tells an errno.
 */
#include "rtlp.h"

#include <errno.h>
#include <nt_crt.h>
#include <string.h>

#define CRT_TRUNCATED 80 /* STRUNCATE */

/* Copies Length units of Size-byte text behind Offset; the destination has Room units. */
static errno_t CrtCopy(void *To, size_t Room, size_t Offset, const void *From, size_t Length,
                       BOOLEAN MayCut, size_t Unit)
{
    errno_t Result = 0;
    if (Length >= Room - Offset) {
        if (!MayCut) {
            memset(To, 0, Unit);
            return ERANGE;
        }
        Length = Room - Offset - 1;
        Result = CRT_TRUNCATED;
    }
    char *Start = (char *)To + Offset * Unit;
    memmove(Start, From, Length * Unit);
    memset(Start + Length * Unit, 0, Unit);
    return Result;
}

static errno_t CrtCheck(void *To, size_t Room, const void *From, size_t Unit)
{
    if (!To || !Room)
        return EINVAL;
    if (From)
        return 0;
    memset(To, 0, Unit);
    return EINVAL;
}

#define CRT_COPY_AND_APPEND(Char, Copy, CopyN, Append, AppendN, Bounded)                           \
    errno_t Copy(Char *To, size_t Room, const Char *From)                                          \
    {                                                                                              \
        errno_t Bad = CrtCheck(To, Room, From, sizeof(Char));                                      \
        return Bad ? Bad : CrtCopy(To, Room, 0, From, Bounded(From, Room), FALSE, sizeof(Char));   \
    }                                                                                              \
    errno_t CopyN(Char *To, size_t Room, const Char *From, size_t Count)                           \
    {                                                                                              \
        errno_t Bad = CrtCheck(To, Room, From, sizeof(Char));                                      \
        size_t Most = Count == _TRUNCATE ? Room : min(Count, Room);                                \
        return Bad ? Bad                                                                           \
                   : CrtCopy(To, Room, 0, From, Bounded(From, Most), Count == _TRUNCATE,           \
                             sizeof(Char));                                                        \
    }                                                                                              \
    errno_t AppendN(Char *To, size_t Room, const Char *From, size_t Count)                         \
    {                                                                                              \
        errno_t Bad = CrtCheck(To, Room, From, sizeof(Char));                                      \
        if (Bad)                                                                                   \
            return Bad;                                                                            \
        size_t Offset = Bounded(To, Room);                                                         \
        if (Offset == Room) {                                                                      \
            To[0] = 0;                                                                             \
            return EINVAL;                                                                         \
        }                                                                                          \
        size_t Most = Count == _TRUNCATE ? Room : min(Count, Room);                                \
        return CrtCopy(To, Room, Offset, From, Bounded(From, Most), Count == _TRUNCATE,            \
                       sizeof(Char));                                                              \
    }                                                                                              \
    errno_t Append(Char *To, size_t Room, const Char *From)                                        \
    {                                                                                              \
        return AppendN(To, Room, From, Room);                                                      \
    }

CRT_COPY_AND_APPEND(char, strcpy_s, strncpy_s, strcat_s, strncat_s, strnlen)
CRT_COPY_AND_APPEND(wchar_t, wcscpy_s, wcsncpy_s, wcscat_s, wcsncat_s, wcsnlen)

errno_t memcpy_s(void *To, size_t Room, const void *From, size_t Count)
{
    return memmove_s(To, Room, From, Count);
}

errno_t memmove_s(void *To, size_t Room, const void *From, size_t Count)
{
    if (!Count)
        return 0;
    if (!To)
        return EINVAL;
    if (!From || Room < Count) {
        memset(To, 0, Room);
        return From ? ERANGE : EINVAL;
    }
    memmove(To, From, Count);
    return 0;
}

static errno_t CrtCheckText(wchar_t *String, size_t Room)
{
    if (!String)
        return EINVAL;
    if (wcsnlen(String, Room) < Room)
        return 0;
    if (Room)
        String[0] = 0;
    return EINVAL;
}

errno_t _wcslwr_s(wchar_t *String, size_t Room)
{
    errno_t Bad = CrtCheckText(String, Room);
    if (!Bad)
        _wcslwr(String);
    return Bad;
}

errno_t _wcsupr_s(wchar_t *String, size_t Room)
{
    errno_t Bad = CrtCheckText(String, Room);
    if (!Bad)
        _wcsupr(String);
    return Bad;
}
