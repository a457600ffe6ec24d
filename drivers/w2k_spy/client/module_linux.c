/* A module of Linux: an ELF file of this machine. */
#define _GNU_SOURCE /* dlinfo */
#include "module.h"
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE ((uint64_t)4096)
#define HEADERS_MOST 64
#define SPAN_MOST ((uint64_t)1 << 32)

typedef struct _ELF_FILE {
    int File;
    uint64_t Bytes;
    unsigned Count;
    Elf64_Phdr Headers[HEADERS_MOST];
} ELF_FILE;

static int Read(const ELF_FILE *Elf, uint64_t At, void *To, size_t Bytes)
{
    return At <= Elf->Bytes && pread(Elf->File, To, Bytes, (off_t)At) == (ssize_t)Bytes;
}

static int ReadHeaders(ELF_FILE *Elf)
{
    static const unsigned char Magic[] = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB};
    struct stat Status;
    Elf64_Ehdr Head;

    if (fstat(Elf->File, &Status) < 0)
        return 0;
    Elf->Bytes = (uint64_t)Status.st_size;
    if (!Read(Elf, 0, &Head, sizeof(Head)) || Head.e_phnum > HEADERS_MOST ||
        Head.e_phentsize != sizeof(Elf64_Phdr))
        return 0;
    for (unsigned i = 0; i < sizeof(Magic); i++)
        if (Head.e_ident[i] != Magic[i])
            return 0;
    Elf->Count = Head.e_phnum;
    return Read(Elf, Head.e_phoff, Elf->Headers, Elf->Count * sizeof(Elf64_Phdr));
}

/* Up to the last segment's end; 0: this cannot be mapped. */
static uint64_t Span(const ELF_FILE *Elf)
{
    uint64_t End = 0;

    for (unsigned i = 0; i < Elf->Count; i++) {
        const Elf64_Phdr *Header = &Elf->Headers[i];

        if (Header->p_type != PT_LOAD)
            continue;
        if (Header->p_memsz > SPAN_MOST || Header->p_vaddr > SPAN_MOST ||
            Header->p_filesz > Header->p_memsz || Header->p_offset > Elf->Bytes ||
            Header->p_filesz > Elf->Bytes - Header->p_offset)
            return 0;
        if (Header->p_vaddr + Header->p_memsz > End)
            End = Header->p_vaddr + Header->p_memsz;
    }
    return (End + PAGE - 1) / PAGE * PAGE;
}

/* As it lies in the file: nothing is resolved, nothing runs. */
static void *Map(const ELF_FILE *Elf)
{
    uint64_t Bytes = Span(Elf);
    char *Base = Bytes
                     ? mmap(NULL, Bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                     : MAP_FAILED;

    if (Base == MAP_FAILED)
        return NULL;
    for (unsigned i = 0; i < Elf->Count; i++) {
        const Elf64_Phdr *Header = &Elf->Headers[i];

        if (Header->p_type == PT_LOAD &&
            !Read(Elf, Header->p_offset, Base + Header->p_vaddr, Header->p_filesz)) {
            munmap(Base, Bytes);
            return NULL;
        }
    }
    mprotect(Base, Bytes, PROT_READ);
    return Base;
}

static void *Look(const char *Path)
{
    ELF_FILE Elf = {.File = open(Path, O_RDONLY | O_CLOEXEC)};
    void *Base = NULL;

    if (Elf.File < 0)
        return NULL;
    if (ReadHeaders(&Elf))
        Base = Map(&Elf);
    close(Elf.File);
    return Base;
}

void *ModuleBase(const char *Path, int Execute)
{
    struct link_map *Map;
    void *Module;

    if (!Execute)
        return Look(Path);
    Module = dlopen(Path, RTLD_NOW);
    return Module && !dlinfo(Module, RTLD_DI_LINKMAP, &Map) ? (void *)Map->l_addr : NULL;
}
