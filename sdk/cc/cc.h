/*
 * nt-cc: compiles drivers (and clients) for UserNT with gcc or clang.
 *
 *   names.c   include names as Windows finds them: a shadow folder for those that Linux would not
 * find source.c  what only Microsoft's compiler accepts, rewritten after preprocessing cc.c the
 * command line and the order of steps
 */
#ifndef NT_CC_H
#define NT_CC_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    char **items; /* ends with NULL */
    size_t count;
};
void list_add(struct list *list, const char *item);
void list_add_all(struct list *list, const struct list *items);

struct text {
    char *bytes; /* ends with 0 */
    size_t length, room;
};
void text_add(struct text *text, const char *bytes, size_t length);
void text_insert(struct text *text, size_t at, const char *bytes);
bool text_read(struct text *text, const char *path);
char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* names.c: looks at a source and what it includes, and writes a file into the shadow folder for
 * each name that is found only as Windows finds it (any case, back-slashes) and for each .tmh. */
struct names {
    const char *shadow;
    struct list user_folders;   /* -I */
    struct list system_folders; /* the overlay, mingw */
    struct list seen;           /* paths already looked at */
    struct list trace_calls;    /* WPP functions that a comment block declares */
};
void names_resolve(struct names *names, const char *path);

/* source.c: a preprocessed source, rewritten. */
struct text source_rewrite(const char *bytes, bool clang);

#endif
