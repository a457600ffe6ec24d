/* Include names as Windows finds them. */
#include "cc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool contains(const struct list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? format("%.*s", (int)(slash - path), path) : format(".");
}

/* The entry of a folder whose name differs from the given one by case only. */
static char *entry_of(const char *folder, const char *name, size_t length)
{
    DIR *directory = opendir(*folder ? folder : "/");
    char *found = NULL;

    if (!directory)
        return NULL;
    for (struct dirent *entry; !found && (entry = readdir(directory));)
        if (strlen(entry->d_name) == length && strncasecmp(entry->d_name, name, length) == 0)
            found = format("%s/%s", folder, entry->d_name);
    closedir(directory);
    return found;
}

/* The file that Windows opens for a name with slashes, below a folder; NULL if there is none. */
static char *find_below(const char *folder, const char *name)
{
    char *path = format("%s/%s", folder, name);

    if (access(path, R_OK) == 0)
        return path;
    path = format("%s", folder);
    while (path && *name) {
        size_t length = strcspn(name, "/");

        if (length == 2 && strncmp(name, "..", 2) == 0)
            path = format("%s/..", path);
        else if (length > 1 || (length == 1 && *name != '.'))
            path = entry_of(path, name, length);
        name += length + (name[length] == '/');
    }
    return path;
}

static char *find_in(const struct list *folders, const char *name)
{
    char *path = NULL;

    for (size_t i = 0; !path && i < folders->count; i++)
        path = find_below(folders->items[i], name);
    return path;
}

static void make_folders(const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        mkdir(format("%.*s", (int)(slash - path), path), 0700);
}

/* clang looks for the name with slashes, gcc for a file whose name has back-slashes. */
static void write_shadow(const struct names *names, const char *name, const char *content)
{
    if (strchr(name, '\\')) {
        char *slashes = format("%s", name);

        for (char *c = slashes; *c; c++)
            if (*c == '\\')
                *c = '/';
        write_shadow(names, slashes, content);
    }
    char *path = format("%s/%s", names->shadow, name);
    FILE *file;

    make_folders(path);
    file = fopen(path, "w");
    if (file) {
        fputs(content, file);
        fclose(file);
    }
}

/* A .tmh is made by Microsoft's trace preprocessor; the calls it would define do nothing here. */
static void write_trace_header(const struct names *names, const char *name)
{
    struct text text = {0};
    static const char *const fixed[] = {"WPP_INIT_TRACING",  "WPP_CLEANUP",
                                        "WPP_SYSTEMCONTROL", "DoTraceMessage",
                                        "WPP_RECORDER_INIT", "DoTraceLevelMessage"};

    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed) + names->trace_calls.count; i++) {
        const char *call = i < names->trace_calls.count ? names->trace_calls.items[i]
                                                        : fixed[i - names->trace_calls.count];
        char *lines = format("#ifndef %s\n#define %s(...) ((void)0)\n#endif\n", call, call);

        text_add(&text, lines, strlen(lines));
    }
    write_shadow(names, name, text.bytes);
}

/* "// FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);" within a comment block that says "begin_wpp
 * config". */
static void note_trace_calls(struct names *names, const char *text)
{
    const char *block = text;

    while ((block = strstr(block, "begin_wpp config"))) {
        const char *end = strstr(block, "end_wpp");
        const char *line = block;

        while ((line = strstr(line, "FUNC ")) && (!end || line < end)) {
            line += strspn(line + 4, " \t") + 4;
            size_t length = 0;
            while (isalnum((unsigned char)line[length]) || line[length] == '_')
                length++;
            char *call = format("%.*s", (int)length, line);
            if (length && !contains(&names->trace_calls, call))
                list_add(&names->trace_calls, call);
        }
        block += 16;
    }
}

static void resolve_name(struct names *names, const char *folder, const char *spelled, bool quoted)
{
    char *name = format("%s", spelled);
    char *path = NULL;
    size_t length = strlen(name);

    for (char *c = name; *c; c++)
        if (*c == '\\')
            *c = '/';
    if (quoted)
        path = find_below(folder, name);
    if (!path)
        path = find_in(&names->user_folders, name);
    if (path) {
        char *absolute = realpath(path, NULL);
        size_t tail = strlen(path) - (strlen(path) < length ? strlen(path) : length);

        if (strcmp(path + tail, spelled) != 0 && absolute)
            write_shadow(names, spelled, format("#include \"%s\"\n", absolute));
        names_resolve(names, path);
        return;
    }
    for (size_t i = 0; i < names->system_folders.count; i++) {
        const char *system = names->system_folders.items[i];

        if ((path = find_below(system, name))) {
            if (strcmp(path + strlen(system) + 1, spelled) != 0)
                write_shadow(names, spelled, format("#include <%s>\n", path + strlen(system) + 1));
            return;
        }
    }
    if (length > 4 && strcasecmp(name + length - 4, ".tmh") == 0)
        write_trace_header(names, spelled);
}

void names_resolve(struct names *names, const char *path)
{
    struct text text = {0};
    char *folder = folder_of(path);

    if (contains(&names->seen, path) || !text_read(&text, path))
        return;
    list_add(&names->seen, path);
    note_trace_calls(names, text.bytes);
    for (char *line = text.bytes; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r \t");
        if (*line != '#')
            continue;
        line += 1 + strspn(line + 1, " \t");
        if (strncmp(line, "include", 7) != 0)
            continue;
        line += 7 + strspn(line + 7, " \t");
        if (*line != '"' && *line != '<')
            continue;
        size_t length = strcspn(line + 1, "\">\n");
        resolve_name(names, folder, format("%.*s", (int)length, line + 1), *line == '"');
    }
    free(text.bytes);
}
