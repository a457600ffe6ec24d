/* Narrow strings that libc lacks under Microsoft's names. Case is ASCII's: the code page is UTF-8.
 */
#include "rtlp.h"

#include <nt_crt.h>
#include <string.h>

static int CrtLower(char Unit)
{
    return Unit >= 'A' && Unit <= 'Z' ? Unit - 'A' + 'a' : (unsigned char)Unit;
}

int _strnicmp(const char *A, const char *B, size_t Count)
{
    for (; Count; A++, B++, Count--) {
        int Order = CrtLower(*A) - CrtLower(*B);
        if (Order || !*A)
            return Order;
    }
    return 0;
}

int _stricmp(const char *A, const char *B)
{
    return _strnicmp(A, B, MAXSIZE_T);
}

char *_strlwr(char *String)
{
    for (char *Unit = String; *Unit; Unit++)
        *Unit = (char)CrtLower(*Unit);
    return String;
}

char *_strupr(char *String)
{
    for (char *Unit = String; *Unit; Unit++)
        if (*Unit >= 'a' && *Unit <= 'z')
            *Unit -= 'a' - 'A';
    return String;
}

char *_strrev(char *String)
{
    for (size_t Low = 0, High = strlen(String); Low + 1 < High; Low++) {
        char Unit = String[Low];
        String[Low] = String[--High];
        String[High] = Unit;
    }
    return String;
}

char *_strnset(char *String, int Value, size_t Count)
{
    for (size_t i = 0; i < Count && String[i]; i++)
        String[i] = (char)Value;
    return String;
}

char *_strset(char *String, int Value)
{
    return _strnset(String, Value, MAXSIZE_T);
}

char *strtok_s(char *String, const char *Set, char **Context)
{
    char *Token = String ? String : *Context;
    Token += strspn(Token, Set);
    if (!*Token) {
        *Context = Token;
        return NULL;
    }
    char *End = Token + strcspn(Token, Set);
    *Context = *End ? End + 1 : End;
    *End = 0;
    return Token;
}
