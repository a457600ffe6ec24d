/*
 * nt-cc [--client] [any option of gcc or clang] file.c ...
 *
 * Without -c, -S or -E it links: a driver (a shared object; what it imports is bound when it is
 * loaded) or, with --client, a program with libkernel32, libadvapi32 and libntdll. --program links
 * driver code into a program (for a test of it).
 * --keep leaves the temporary files; --flags prints the flags; NT_CC names the compiler (gcc).
 */
#include "cc.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* NT_CC_SDK, NT_CC_LIBRARIES (a colon-separated list) and NT_CC_MINGW come from the build: the
 * build tree's places. */

void list_add(struct list *list, const char *item)
{
    list->items = realloc(list->items, (list->count + 2) * sizeof(*list->items));
    list->items[list->count++] = (char *)item;
    list->items[list->count] = NULL;
}

void list_add_all(struct list *list, const struct list *items)
{
    for (size_t i = 0; i < items->count; i++)
        list_add(list, items->items[i]);
}

/* Room grows by doubling. */
void text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->length + length + 1 > text->room) {
        text->room = 2 * (text->length + length + 1);
        text->bytes = realloc(text->bytes, text->room);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

void text_insert(struct text *text, size_t at, const char *bytes)
{
    size_t length = strlen(bytes);
    size_t tail = text->length - at;

    text_add(text, bytes, length);
    memmove(text->bytes + at + length, text->bytes + at, tail);
    memcpy(text->bytes + at, bytes, length);
}

bool text_read(struct text *text, const char *path)
{
    FILE *file = fopen(path, "r");
    char buffer[65536];

    if (!file)
        return false;
    text_add(text, "", 0);
    for (size_t got; (got = fread(buffer, 1, sizeof(buffer), file)) > 0;)
        text_add(text, buffer, got);
    fclose(file);
    return true;
}

char *format(const char *format, ...)
{
    char *result;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0)
        abort();
    va_end(arguments);
    return result;
}

static struct {
    bool client, program, keep, verbose;
    char stop; /* 'c', 'S', 'E'; 0: link */
    const char *compiler, *sdk, *mingw, *libraries, *output;
    char *folder; /* temporary */
    struct list sources, objects, options;
    struct list dependencies; /* -MD and its companions: for the preprocessor only */
    struct list flags;        /* sdk/flags */
    struct list user_folders;
} nt;

static _Noreturn void fail(const char *what, const char *name)
{
    fprintf(stderr, "nt-cc: %s%s%s\n", what, name ? ": " : "", name ? name : "");
    exit(2);
}

/* Runs a command; its standard output goes to a file if one is named. */
static int run(const struct list *command, const char *output)
{
    int status;
    pid_t child;

    if (nt.verbose)
        for (size_t i = 0; i < command->count; i++)
            fprintf(stderr, "%s%s", command->items[i], i + 1 < command->count ? " " : "\n");
    child = fork();
    if (child == 0) {
        if (output)
            dup2(open(output, O_CREAT | O_WRONLY | O_TRUNC, 0600), 1);
        execvp(command->items[0], command->items);
        fail("cannot run", command->items[0]);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return 1;
    return WEXITSTATUS(status);
}

/* NT_CC may hold several words ("ccache clang-19"). */
static struct list compiler(void)
{
    struct list command = {0};
    char *words = strdup(nt.compiler);

    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        list_add(&command, word);
    return command;
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (nt.folder && !nt.keep)
        nftw(nt.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static char *substitute(const char *line, const char *mark, const char *value)
{
    const char *found = strstr(line, mark);

    return found ? format("%.*s%s%s", (int)(found - line), line, value, found + strlen(mark))
                 : strdup(line);
}

static void read_flags(void)
{
    struct text text = {0};
    char *path = format("%s/flags", nt.sdk);

    if (!text_read(&text, path))
        fail("cannot read", path);
    for (char *word = strtok(text.bytes, " \n"); word; word = strtok(NULL, " \n"))
        list_add(&nt.flags, substitute(substitute(word, "@SDK@", nt.sdk), "@MINGW@", nt.mingw));
}

/* Beside an installed nt-cc there is ../share/usernt; otherwise this is the build tree. */
static void find_places(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *prefix = NULL, *installed_libraries;

    self[length > 0 ? length : 0] = 0;
    for (int i = 0; i < 2 && strrchr(self, '/'); i++)
        *strrchr(self, '/') = 0;
    prefix = format("%s/share/usernt", self);
    installed_libraries = format("%s/%s", self, NT_CC_INSTALLED_LIBRARIES);
    bool installed = access(format("%s/flags", prefix), R_OK) == 0;
    nt.sdk = getenv("NT_SDK") ? getenv("NT_SDK") : installed ? prefix : NT_CC_SDK;
    nt.libraries = getenv("NT_LIBRARIES") ? getenv("NT_LIBRARIES")
                   : installed            ? installed_libraries
                                          : NT_CC_LIBRARIES;
    nt.mingw = getenv("NT_MINGW") ? getenv("NT_MINGW") : NT_CC_MINGW;
    nt.compiler = getenv("NT_CC") ? getenv("NT_CC") : "gcc";
}

static bool takes_value(const char *option)
{
    static const char *const options[] = {
        "-D", "-U", "-I",       "-include", "-isystem", "-idirafter", "-iquote", "-imacros", "-x",
        "-L", "-l", "-Xlinker", "-T",       "-u",       "-z",         "--param", "-target"};

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (strcmp(option, options[i]) == 0)
            return true;
    return false;
}

static bool ends_with(const char *name, const char *end)
{
    return strlen(name) > strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static void read_option(char **arguments, int *i)
{
    const char *option = arguments[*i];

    if (strcmp(option, "--client") == 0)
        nt.client = true;
    else if (strcmp(option, "--program") == 0)
        nt.program = true;
    else if (strcmp(option, "--keep") == 0)
        nt.keep = true;
    else if (strcmp(option, "-v") == 0)
        nt.verbose = true;
    else if (strcmp(option, "-c") == 0 || strcmp(option, "-S") == 0 || strcmp(option, "-E") == 0)
        nt.stop = option[1];
    else if (strcmp(option, "-o") == 0 && arguments[*i + 1])
        nt.output = arguments[++*i];
    else if (strncmp(option, "-l", 2) == 0 && option[2])
        list_add(&nt.objects, option); /* a library comes after what asks for it */
    else if (strncmp(option, "-M", 2) == 0) {
        list_add(&nt.dependencies, option);
        if (strchr("FTQ", option[2]) && option[2] && !option[3] && arguments[*i + 1])
            list_add(&nt.dependencies, arguments[++*i]);
    } else {
        list_add(&nt.options, option);
        if (strncmp(option, "-I", 2) == 0)
            list_add(&nt.user_folders, option[2]           ? option + 2
                                       : arguments[*i + 1] ? arguments[*i + 1]
                                                           : ".");
        if (takes_value(option) && arguments[*i + 1])
            list_add(&nt.options, arguments[++*i]);
    }
}

static void read_arguments(char **arguments)
{
    for (int i = 1; arguments[i]; i++) {
        if (arguments[i][0] == '-' && arguments[i][1])
            read_option(arguments, &i);
        else if (ends_with(arguments[i], ".c"))
            list_add(&nt.sources, arguments[i]);
        else
            list_add(&nt.objects, arguments[i]);
    }
}

/* Options that only the preprocessor may see. */
static bool for_preprocessor(const char *option)
{
    static const char *const options[] = {"-D",       "-U",         "-I",      "-include",
                                          "-isystem", "-idirafter", "-iquote", "-imacros"};

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (strncmp(option, options[i], strlen(options[i])) == 0)
            return true;
    return false;
}

static void add_compile_options(struct list *command, const struct list *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *option = options->items[i];

        if (!for_preprocessor(option))
            list_add(command, option);
        else if (takes_value(option))
            i++;
    }
}

static void add_preprocess_options(struct list *command, const char *shadow)
{
    list_add_all(command, &nt.flags);
    list_add(command, nt.client ? "-DUSERNT_CLIENT=1" : "-DUSERNT_DRIVER=1");
    list_add(command, "-DNT_SEH_BLOCKS=1");
    list_add(command, "-U_FORTIFY_SOURCE");
    list_add(command, "-std=gnu17");
    list_add_all(command, &nt.options);
    list_add(command, format("-I%s", shadow));
}

static bool is_clang(void)
{
    return strstr(nt.compiler, "clang") != NULL;
}

static void resolve_names(const char *source, const char *shadow)
{
    struct names names = {.shadow = shadow, .user_folders = nt.user_folders};

    list_add(&names.system_folders, format("%s/include", nt.sdk));
    list_add(&names.system_folders, format("%s/ddk", nt.mingw));
    list_add(&names.system_folders, nt.mingw);
    names_resolve(&names, source);
}

static void write_text(const struct text *text, const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file || fwrite(text->bytes, 1, text->length, file) != text->length || fclose(file) != 0)
        fail("cannot write", path);
}

/* Preprocesses and rewrites a source into a file; returns its path. */
static const char *rewritten(const char *source, size_t number)
{
    struct list command = compiler();
    struct text text = {0};
    char *shadow = format("%s/%zu/names/1/2/3/4/5", nt.folder,
                          number); /* deep: "../" in a name stays inside */
    char *preprocessed = format("%s/%zu.i", nt.folder, number);
    char *path = format("%s/%zu.nt.i", nt.folder, number);
    int status;

    if (system(format("mkdir -p %s", shadow)) != 0)
        fail("cannot create", shadow);
    resolve_names(source, shadow);
    list_add(&command, "-E");
    add_preprocess_options(&command, shadow);
    list_add_all(&command, &nt.dependencies);
    list_add(&command, source);
    status = run(&command, preprocessed);
    if (status != 0)
        exit(status);
    if (!text_read(&text, preprocessed))
        fail("cannot read", preprocessed);
    text = source_rewrite(text.bytes, is_clang());
    write_text(&text, path);
    return path;
}

static const char *object_name(const char *source)
{
    const char *name = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;

    return format("%.*s.%s", (int)strlen(name) - 2, name, nt.stop == 'S' ? "s" : "o");
}

/* After the user's own: a later -Wextra would bring them back. */
static void add_quiet_options(struct list *command)
{
    for (size_t i = 0; i < nt.flags.count; i++)
        if (strncmp(nt.flags.items[i], "-Wno-", 5) == 0)
            list_add(command, nt.flags.items[i]);
    list_add(command, "-Wno-format");
    if (is_clang()) /* it no longer sees that an expression comes from a system header's macro */
        list_add(command, "-Wno-unused-value");
}

static const char *compiled(const char *source, size_t number)
{
    struct list command = compiler();
    const char *path = rewritten(source, number);
    const char *object = nt.stop ? (nt.output ? nt.output : object_name(source))
                                 : format("%s/%zu.o", nt.folder, number);
    int status;

    if (nt.stop == 'E') {
        struct text text = {0};

        text_read(&text, path);
        write_text(&text, nt.output ? nt.output : "/dev/stdout");
        return NULL;
    }
    list_add(&command, nt.stop == 'S' ? "-S" : "-c");
    add_compile_options(&command, &nt.flags);
    list_add(&command, "-fPIC");
    list_add(&command, "-std=gnu17");
    if (!nt.client) /* as MSVC has /GS; the executive makes a bug check of it */
        list_add(&command, "-fstack-protector-strong");
    add_compile_options(&command, &nt.options);
    for (const char *const *name =
             (const char *const[]){"sprintf", "vsprintf", "snprintf", "vsnprintf", NULL};
         !nt.client && *name; name++)
        list_add(&command, format("-fno-builtin-%s", *name));
    add_quiet_options(&command);
    list_add(&command, "-x");
    list_add(&command, "cpp-output");
    list_add(&command, path);
    list_add(&command, "-o");
    list_add(&command, object);
    status = run(&command, NULL);
    if (status != 0)
        exit(status);
    return object;
}

static void add_libraries(struct list *command)
{
    char *folders = strdup(nt.libraries);

    for (char *folder = strtok(folders, ":"); folder; folder = strtok(NULL, ":")) {
        list_add(command, format("-L%s", folder));
        list_add(command, format("-Wl,-rpath,%s", folder));
    }
    if (nt.client) {
        list_add(command, "-lkernel32");
        list_add(command, "-ladvapi32");
        list_add(command, "-lntdll");
    }
    list_add(command, "-lntseh");
}

static int linked(const struct list *objects)
{
    struct list command = compiler();

    if (!nt.client && !nt.program) {
        list_add(&command, "-shared");
        list_add(&command, "-Wl,-Bsymbolic");
    }
    add_compile_options(&command, &nt.options);
    list_add_all(&command, objects);
    list_add_all(&command, &nt.objects);
    add_libraries(&command);
    list_add(&command, "-o");
    list_add(&command, nt.output ? nt.output : nt.client ? "a.out" : "driver.so");
    return run(&command, NULL);
}

int main(int count, char **arguments)
{
    struct list objects = {0};

    (void)count;
    find_places();
    if (arguments[1] && strcmp(arguments[1], "--flags") == 0) {
        read_flags();
        for (size_t i = 0; i < nt.flags.count; i++)
            printf("%s%c", nt.flags.items[i], i + 1 < nt.flags.count ? ' ' : '\n');
        return 0;
    }
    read_arguments(arguments);
    if (nt.sources.count == 0 && nt.objects.count == 0) { /* --version and the like */
        struct list command = compiler();

        list_add_all(&command, &nt.options);
        return run(&command, NULL);
    }
    read_flags();
    nt.folder = mkdtemp(format("%s/nt-cc-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp"));
    if (!nt.folder)
        fail("no temporary folder", NULL);
    atexit(remove_folder);
    for (size_t i = 0; i < nt.sources.count; i++)
        list_add(&objects, compiled(nt.sources.items[i], i));
    return nt.stop ? 0 : linked(&objects);
}
