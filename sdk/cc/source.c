/*
 * What only Microsoft's compiler accepts, rewritten in preprocessed source. Regions that come from
 * system headers (their line markers say so) are copied.
 *
 *   long, 1L               32 bits
 *   0x10I64, 5ui64         integer suffixes
 *   f(format, )            the comma before an empty __VA_ARGS__
 *   "in " __FUNCTION__     the function's name as a literal
 *   #pragma alloc_text     and others that mean nothing here
 *   __try ...              blocks around the frame (excpt.h), in functions that are not optimised,
 * so that a handler finds locals as the body left them
 */
#include "cc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_LIMIT 256

enum region { REGION_BODY, REGION_HANDLER };

struct rewriter {
    const char *in;
    struct text out;
    bool clang;
    bool system;         /* in a region of a system header */
    char user_file[256]; /* the last file that is none: a marker may call an expansion in it a
                            system's */
    int braces, parens;
    size_t declaration; /* where in out the current top-level declaration begins */
    bool declared;      /* it has a token */
    bool guarded;       /* it contains a __try */
    char function[128]; /* the name before its first parenthesis */
    size_t last;        /* where in out the last token begins */
    size_t last_length;
    struct {
        enum region region;
        int braces; /* outside its block */
        unsigned label;
        bool left; /* __leave was used */
    } regions[DEPTH_LIMIT];
    int region_count;
    unsigned labels;
    int filter_parens; /* of the __except whose filter is being copied; -1: none */
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static bool last_is(const struct rewriter *r, const char *token)
{
    return r->last_length == strlen(token) &&
           memcmp(r->out.bytes + r->last, token, r->last_length) == 0;
}

/* A token of the result. */
static void emit(struct rewriter *r, const char *token, size_t length)
{
    if (r->braces == 0 && !r->declared) {
        r->declaration = r->out.length;
        r->declared = true;
    }
    r->last = r->out.length;
    r->last_length = length;
    text_add(&r->out, token, length);
}

static void emit_text(struct rewriter *r, const char *text)
{
    text_add(&r->out, text, strlen(text));
}

static const char *skip_space(const char *in)
{
    for (;;) {
        in += strspn(in, " \t\r\n\f\v");
        if (*in != '#')
            return in;
        in += strcspn(in, "\n");
    }
}

static bool next_is(const char *in, const char *word)
{
    size_t length = strlen(word);

    in = skip_space(in);
    return strncmp(in, word, length) == 0 && !is_word(in[length]);
}

/* # 12 "file" 1 3 4 */
static void note_marker(struct rewriter *r, const char *name, const char *end)
{
    const char *flags = name;
    size_t length;

    while (flags && flags < end && strncmp(flags, "\" ", 2) != 0)
        flags++;
    if (!flags || flags >= end) { /* no flags */
        r->system = false;
        flags = end - 1;
    } else
        r->system = memchr(flags, '3', (size_t)(end - flags)) != NULL;
    if (!name || (length = (size_t)(flags - name)) >= sizeof(r->user_file))
        return;
    if (!r->system) {
        memcpy(r->user_file, name, length);
        r->user_file[length] = 0;
    } else if (strlen(r->user_file) == length && memcmp(name, r->user_file, length) == 0)
        r->system = false;
}

/* A line marker or a pragma. */
static void copy_directive(struct rewriter *r)
{
    static const char *const kept[] = {"pack", "GCC",        "clang",     "STDC",
                                       "weak", "push_macro", "pop_macro", "redefine_extname"};
    size_t length = strcspn(r->in, "\n");
    const char *word = r->in + 1 + strspn(r->in + 1, " \t");
    bool keep = true;

    if (isdigit((unsigned char)*word)) {
        note_marker(r, memchr(r->in, '"', length), r->in + length);
    } else if (strncmp(word, "pragma", 6) == 0 && !r->system) {
        word += 6 + strspn(word + 6, " \t");
        keep = false;
        for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
            keep |= strncmp(word, kept[i], strlen(kept[i])) == 0 && !is_word(word[strlen(kept[i])]);
    }
    if (keep)
        text_add(&r->out, r->in, length);
    r->in += length;
}

static void copy_literal(struct rewriter *r)
{
    const char *end = r->in + 1;

    while (*end && *end != *r->in && *end != '\n')
        end += *end == '\\' && end[1] ? 2 : 1;
    end += *end == *r->in;
    emit(r, r->in, (size_t)(end - r->in));
    r->in = end;
}

/* Replaces Microsoft's suffixes, and takes L away: a long has 32 bits. */
static void copy_number(struct rewriter *r)
{
    const char *end = r->in;
    char number[64];
    size_t length, digits;

    while (is_word(*end) || *end == '.' ||
           ((*end == '+' || *end == '-') && strchr("eEpP", end[-1])))
        end++;
    length = (size_t)(end - r->in);
    if (r->system || length >= sizeof(number) - 4 || memchr(r->in, '.', length)) {
        emit(r, r->in, length);
        r->in = end;
        return;
    }
    memcpy(number, r->in, length);
    number[length] = 0;
    bool hexadecimal = number[0] == '0' && (number[1] | 32) == 'x';
    digits = hexadecimal ? 2 + strspn(number + 2, "0123456789abcdefABCDEF")
                         : strspn(number, "0123456789");
    char *suffix = number + digits;
    bool is_unsigned = (*suffix | 32) == 'u' || strpbrk(suffix, "uU");
    const char *width = suffix + ((*suffix | 32) == 'u');

    if ((*width | 32) == 'i' && isdigit((unsigned char)width[1]))
        strcpy(suffix, strcmp(width + 1, "64") == 0 ? (is_unsigned ? "ULL" : "LL")
                                                    : (is_unsigned ? "U" : ""));
    else if (strcasecmp(suffix, "l") == 0 || strcasecmp(suffix, "ul") == 0 ||
             strcasecmp(suffix, "lu") == 0) {
        errno = 0;
        bool large = strtoull(number, NULL, 0) > 0xFFFFFFFFULL;
        strcpy(suffix, large ? (is_unsigned ? "ULL" : "LL") : (is_unsigned ? "U" : ""));
    }
    emit(r, number, strlen(number));
    r->in = end;
}

/* After the word "long": long long and long double stay, long int loses a word, long alone becomes
 * int. */
static void copy_long(struct rewriter *r)
{
    const char *after = r->in + 4;

    if (next_is(after, "long")) {
        emit(r, "long long", 9);
        r->in = skip_space(after) + 4;
    } else if (next_is(after, "double") || last_is(r, "double")) {
        emit(r, "long", 4);
        r->in = after;
    } else {
        if (!next_is(after, "int") && !last_is(r, "int"))
            emit(r, "int", 3);
        r->in = after;
    }
}

static void begin_try(struct rewriter *r)
{
    r->guarded = true;
    emit_text(r, "{ NT_SEH_FRAME NtSehFrame_ __attribute__((__cleanup__(NtSehExit))); "
                 "NtSehFrame_.Stage = NtSehFrame_.Abnormal = 0; "
                 "if (NtSehEnterBody(&NtSehFrame_) && __sigsetjmp(NtSehFrame_.Jump, 0) == 0) ");
    if (r->region_count < DEPTH_LIMIT) {
        r->regions[r->region_count].region = REGION_BODY;
        r->regions[r->region_count].braces = r->braces;
        r->regions[r->region_count].label = r->labels++;
        r->regions[r->region_count++].left = false;
    }
}

static void begin_handler(struct rewriter *r)
{
    if (r->region_count < DEPTH_LIMIT) {
        r->regions[r->region_count].region = REGION_HANDLER;
        r->regions[r->region_count++].braces = r->braces;
    }
}

static void leave(struct rewriter *r)
{
    for (int i = r->region_count - 1; i >= 0; i--) {
        if (r->regions[i].region != REGION_BODY)
            continue;
        char *jump = format("goto NtSehLeave_%u", r->regions[i].label);
        emit(r, jump, strlen(jump));
        r->regions[i].left = true;
        return;
    }
    emit(r, "__leave", 7);
}

static void end_block(struct rewriter *r)
{
    bool region = r->region_count > 0 && r->regions[r->region_count - 1].braces == r->braces - 1;
    bool body = region && r->regions[r->region_count - 1].region == REGION_BODY;

    if (body && r->regions[r->region_count - 1].left)
        emit_text(r, format(" NtSehLeave_%u:; ", r->regions[r->region_count - 1].label));
    r->braces--;
    emit(r, "}", 1);
    if (region)
        r->region_count--;
    if (body)
        emit_text(r, " NtSehLeaveBody(&NtSehFrame_);");
    else if (region)
        emit_text(r, " NtSehFinish(&NtSehFrame_); }");
}

/* The end of a top-level declaration, or of a function. */
static void end_declaration(struct rewriter *r)
{
    if (r->guarded)
        text_insert(&r->out, r->declaration,
                    r->clang ? "__attribute__((__optnone__, __noinline__)) "
                             : "__attribute__((__optimize__(\"O0\"))) ");
    r->declared = r->guarded = false;
    r->function[0] = 0;
}

static bool is(const char *word, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(word, name, length) == 0;
}

static void copy_word(struct rewriter *r)
{
    const char *word = r->in;
    size_t length = 0;

    while (is_word(word[length]))
        length++;
    if ((word[length] == '"' || word[length] == '\'') && length <= 2) { /* L"", u8"" */
        text_add(&r->out, word, length);
        r->in += length;
        copy_literal(r);
        return;
    }
    if (r->system)
        emit(r, word, length);
    else if (is(word, length, "long")) {
        copy_long(r);
        return;
    } else if ((is(word, length, "__try") || is(word, length, "_try")) &&
               next_is(word + length, "{"))
        begin_try(r);
    else if (is(word, length, "__except") || is(word, length, "_except")) {
        emit_text(r, "if (NtSehRaised(&NtSehFrame_) && NtSehFilter(&NtSehFrame_, ");
        r->filter_parens = r->parens;
    } else if (is(word, length, "__finally") || is(word, length, "_finally"))
        begin_handler(r);
    else if (is(word, length, "__leave") || is(word, length, "_leave"))
        leave(r);
    else if ((is(word, length, "__FUNCTION__") || is(word, length, "__func__")) && r->function[0] &&
             (*skip_space(word + length) == '"' ||
              (r->last_length && r->out.bytes[r->last] == '"')))
        emit(r, format("\"%s\"", r->function), strlen(r->function) + 2);
    else {
        if (r->braces == 0 && r->parens == 0 && !r->function[0] &&
            *skip_space(word + length) == '(' && strncmp(word, "__attribute", 11) != 0 &&
            length < sizeof(r->function)) {
            memcpy(r->function, word, length);
            r->function[length] = 0;
        }
        emit(r, word, length);
    }
    r->in += length;
}

static void copy_mark(struct rewriter *r)
{
    char mark = *r->in++;

    if (mark == ')' && !r->system && last_is(r, ","))
        r->out.bytes[r->last] = ' ';
    if (mark == '}') {
        end_block(r);
        if (r->braces == 0)
            end_declaration(r);
        return;
    }
    emit(r, &mark, 1);
    if (mark == '{')
        r->braces++;
    else if (mark == '(')
        r->parens++;
    else if (mark == ')' && --r->parens == r->filter_parens) {
        emit_text(r, "))");
        r->filter_parens = -1;
        begin_handler(r);
    } else if (mark == ';' && r->braces == 0)
        end_declaration(r);
}

struct text source_rewrite(const char *bytes, bool clang)
{
    struct rewriter r = {.in = bytes, .clang = clang, .filter_parens = -1};
    bool line_start = true;

    text_add(&r.out, "", 0);
    while (*r.in) {
        char c = *r.in;

        if (isspace((unsigned char)c)) {
            text_add(&r.out, r.in++, 1);
            line_start |= c == '\n';
            continue;
        }
        if (c == '#' && line_start)
            copy_directive(&r);
        else if (c == '"' || c == '\'')
            copy_literal(&r);
        else if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)r.in[1])))
            copy_number(&r);
        else if (is_word(c))
            copy_word(&r);
        else
            copy_mark(&r);
        line_start = false;
    }
    return r.out;
}
