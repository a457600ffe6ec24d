/*
 * ELF images: native drivers, and the executive's own exports.
 *
 * A file is read into memory and checked before the dynamic linker sees it: a truncated or foreign
 * file is an error of the caller, never a crash. Names that nothing in the process provides are
 * reported one by one, which the dynamic linker does not do.
 */
#include "host.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host_image {
    void *handle;
};

/* ---- checking a file ---- */

static bool range_inside(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return offset <= limit && bytes <= limit - offset;
}

static bool is_shared_object(const char *file, size_t bytes)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;

    return bytes >= sizeof(*header) && !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           header->e_type == ET_DYN && header->e_machine == EM_X86_64 &&
           header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum > 0 &&
           range_inside(header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr), bytes);
}

/* Every segment lies in the file, and one of them is dynamic. */
static bool segments_are_sound(const char *file, size_t bytes)
{
    Elf64_Ehdr header;
    bool dynamic = false;

    memcpy(&header, file, sizeof(header));
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;

        memcpy(&segment, file + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
            continue;
        if (!range_inside(segment.p_offset, segment.p_filesz, bytes) ||
            !range_inside(segment.p_vaddr, segment.p_memsz, (uint64_t)1 << 40))
            return false;
        dynamic = dynamic || segment.p_type == PT_DYNAMIC;
    }
    return dynamic;
}

static int read_image(const char *path, char **file, size_t *bytes)
{
    *file = host_read_file(path, bytes);
    if (!*file)
        return -errno;
    if (is_shared_object(*file, *bytes) && segments_are_sound(*file, *bytes))
        return 0;
    free(*file);
    return -ENOEXEC;
}

/* ---- imports that nothing provides ---- */

#define LIBRARIES_MAX 64

struct provider {
    void *libraries[LIBRARIES_MAX];
    unsigned count;
};

struct report {
    void (*each)(void *context, const char *name);
    void *context;
    int missing;
};

static void report_missing(struct report *report, const char *name)
{
    report->missing++;
    if (report->each)
        report->each(report->context, name);
}

static void open_library(const char *name, struct provider *provider, struct report *report)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);

    if (!library)
        report_missing(report, name);
    else if (provider->count == LIBRARIES_MAX)
        dlclose(library);
    else
        provider->libraries[provider->count++] = library;
}

static bool is_provided(const char *name, const struct provider *provider)
{
    if (host_symbol(name))
        return true;
    for (unsigned i = 0; i < provider->count; i++)
        if (dlsym(provider->libraries[i], name))
            return true;
    return false;
}

static void each_needed(Elf *elf, Elf_Data *data, size_t strings, struct provider *provider,
                        struct report *report)
{
    GElf_Dyn entry;

    for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
        const char *name =
            entry.d_tag == DT_NEEDED ? elf_strptr(elf, strings, entry.d_un.d_val) : NULL;

        if (name)
            open_library(name, provider, report);
    }
}

static void each_undefined(Elf *elf, Elf_Data *data, size_t strings, struct provider *provider,
                           struct report *report)
{
    GElf_Sym symbol;

    for (int i = 1; gelf_getsym(data, i, &symbol); i++) {
        const char *name;

        if (symbol.st_shndx != SHN_UNDEF || GELF_ST_BIND(symbol.st_info) != STB_GLOBAL)
            continue;
        name = elf_strptr(elf, strings, symbol.st_name);
        if (name && *name && !is_provided(name, provider))
            report_missing(report, name);
    }
}

typedef void each_entry(Elf *elf, Elf_Data *data, size_t strings, struct provider *provider,
                        struct report *report);

static bool walk_section(Elf *elf, unsigned type, each_entry *each, struct provider *provider,
                         struct report *report)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        Elf_Data *data;

        if (!gelf_getshdr(section, &header) || header.sh_type != type)
            continue;
        data = elf_getdata(section, NULL);
        if (!data)
            return false;
        each(elf, data, header.sh_link, provider, report);
        return true;
    }
    return false;
}

int host_image_missing(const char *path, void (*each)(void *context, const char *name),
                       void *context)
{
    struct provider provider = {.count = 0};
    struct report report = {each, context, 0};
    size_t bytes;
    char *file;
    Elf *elf;
    int error = read_image(path, &file, &bytes);

    if (error)
        return error;
    elf_version(EV_CURRENT);
    elf = elf_memory(file, bytes);
    if (!elf || !walk_section(elf, SHT_DYNAMIC, each_needed, &provider, &report) ||
        !walk_section(elf, SHT_DYNSYM, each_undefined, &provider, &report))
        report.missing = -ENOEXEC;
    while (provider.count)
        dlclose(provider.libraries[--provider.count]);
    elf_end(elf);
    free(file);
    return report.missing;
}

/* ---- loading ---- */

int host_image_load(const char *path, host_image **out, char *text, size_t size)
{
    host_image *image;
    size_t bytes;
    char *file;
    int error = read_image(path, &file, &bytes);

    if (error) {
        snprintf(text, size, "%s: %s", path,
                 error == -ENOEXEC ? "not an x86-64 ELF shared object, or damaged"
                                   : strerror(-error));
        return error;
    }
    free(file);
    image = calloc(1, sizeof(*image));
    if (!image)
        return -ENOMEM;
    image->handle = dlopen(path, RTLD_NOLOAD | RTLD_NOW | RTLD_LOCAL);
    if (image->handle) { /* it would share the globals of the first */
        dlclose(image->handle);
        snprintf(text, size, "%s: already loaded", path);
        error = -EEXIST;
    } else if (!(image->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
        snprintf(text, size, "%s", dlerror());
        error = -ENOEXEC;
    }
    if (error) {
        free(image);
        return error;
    }
    *out = image;
    return 0;
}

void host_image_unload(host_image *image)
{
    dlclose(image->handle);
    free(image);
    host_symbols_forget(); /* another image may come to lie at these addresses */
}

void *host_image_symbol(host_image *image, const char *name)
{
    return dlsym(image->handle, name);
}

/* ---- what lies where ---- */

struct lookup {
    uintptr_t address;
    struct host_image_info *info;
    bool found;
};

static void bounds_of(const struct dl_phdr_info *object, uintptr_t *low, uintptr_t *high)
{
    *low = UINTPTR_MAX;
    *high = 0;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const Elf64_Phdr *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + (segment->p_vaddr & ~(uint64_t)(HOST_PAGE_SIZE - 1));
        uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;

        if (segment->p_type != PT_LOAD)
            continue;
        *low = start < *low ? start : *low;
        *high = end > *high ? end : *high;
    }
}

static int match_object(struct dl_phdr_info *object, size_t size, void *parameter)
{
    struct lookup *lookup = parameter;
    uintptr_t low, high;

    (void)size;
    bounds_of(object, &low, &high);
    if (lookup->address < low || lookup->address >= high)
        return 0;
    high = (high + HOST_PAGE_SIZE - 1) & ~(uintptr_t)(HOST_PAGE_SIZE - 1);
    *lookup->info = (struct host_image_info){(void *)low, high - low, object->dlpi_name};
    return lookup->found = true;
}

bool host_image_of(const void *address, struct host_image_info *info)
{
    struct lookup lookup = {(uintptr_t)address, info, false};

    dl_iterate_phdr(match_object, &lookup);
    return lookup.found;
}

void host_image_info(host_image *image, struct host_image_info *info)
{
    struct link_map *map = NULL;

    dlinfo(image->handle, RTLD_DI_LINKMAP, &map);
    host_image_of(map->l_ld, info);
    info->path = map->l_name;
}

void host_image_self(struct host_image_info *info)
{
    host_image_of((const void *)host_image_self, info);
}

/* ---- the executive's exports ---- */

struct exports {
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *gnu_hash;
};

static struct link_map *own_map(void)
{
    struct link_map *map = NULL;
    Dl_info info;

    dladdr1((const void *)own_map, &info, (void **)&map, RTLD_DL_LINKMAP);
    return map;
}

static void find_tables(const struct link_map *map, struct exports *exports)
{
    for (const Elf64_Dyn *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            exports->symbols = (const Elf64_Sym *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_STRTAB)
            exports->strings = (const char *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_GNU_HASH)
            exports->gnu_hash = (const uint32_t *)entry->d_un.d_ptr;
    }
}

/* GNU's hash table holds all defined symbols, the first `offset` symbols being imports; a chain
 * ends with an odd value. So the longest chain's end is the end of the symbol table. */
static uint32_t symbol_end(const uint32_t *hash)
{
    uint32_t buckets = hash[0], offset = hash[1], bloom_words = hash[2], last = 0;
    const uint32_t *bucket = hash + 4 + bloom_words * 2, *chain = bucket + buckets;

    for (uint32_t i = 0; i < buckets; i++)
        last = bucket[i] > last ? bucket[i] : last;
    if (last < offset)
        return offset;
    while (!(chain[last - offset] & 1))
        last++;
    return last + 1;
}

void host_each_export(void (*each)(void *context, const char *name, void *address), void *context)
{
    const struct link_map *map = own_map();
    struct exports exports = {0};
    uint32_t end;

    find_tables(map, &exports);
    end = symbol_end(exports.gnu_hash);
    for (uint32_t i = exports.gnu_hash[1]; i < end; i++) {
        const Elf64_Sym *symbol = &exports.symbols[i];
        unsigned type = ELF64_ST_TYPE(symbol->st_info);

        if (symbol->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT))
            each(context, exports.strings + symbol->st_name,
                 (void *)(map->l_addr + symbol->st_value));
    }
}

void *host_symbol(const char *name)
{
    const struct link_map *map = own_map();
    void *own = *map->l_name ? dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY) : NULL;
    void *address = own ? dlsym(own, name) : NULL;

    if (own)
        dlclose(own);
    return address ? address : dlsym(RTLD_DEFAULT, name);
}
