/*
 * Stacks and names.
 *
 * The unwinder follows call frame information, also across a signal frame; on a damaged stack it
 * may fault. Code without any (a PE image, a jump through a wild pointer) is followed by frame
 * pointers instead, each read with a system call that reports a bad address.
 *
 * Names come from libdw, opened when the first name is asked for. libdw allocates memory: a caller
 * that reports a crash first writes what needs no name.
 */
#include "host.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static struct {
    host_lock lock;
    uint32_t owner; /* the thread that holds the lock: it may crash in here and come again */
    Dwfl *dwfl;
} state;

struct walk {
    void **frames;
    size_t count, room;
    unsigned skip;
    void *from; /* ignore frames before this one, if set */
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *parameter)
{
    struct walk *walk = parameter;
    int before = 0;
    uintptr_t at = _Unwind_GetIPInfo(context, &before);

    if (!at || walk->count == walk->room)
        return _URC_END_OF_STACK;
    if (walk->from && at != (uintptr_t)walk->from)
        return _URC_NO_REASON;
    walk->from = NULL;
    if (walk->skip) {
        walk->skip--;
        return _URC_NO_REASON;
    }
    /* A return address belongs to the line after the call; the call itself is wanted. */
    walk->frames[walk->count++] = (void *)(before ? at : at - 1);
    return _URC_NO_REASON;
}

static void walk_stack(void *walk)
{
    _Unwind_Backtrace(take_frame, walk);
}

/* On a stack that a driver has overwritten the unwinder reads wherever the garbage leads. What it
 * found before that is kept. */
__attribute__((__noinline__)) size_t host_backtrace(void **frames, size_t count, unsigned skip)
{
    struct walk walk = {
        .frames = frames, .room = count, .skip = skip, .from = __builtin_return_address(0)};

    host_try(walk_stack, &walk);
    return walk.count;
}

static bool in_code(uintptr_t address)
{
    Dl_info info;

    return address && dladdr((void *)address, &info);
}

static size_t follow_frame_pointers(const greg_t *registers, void **frames, size_t count)
{
    uintptr_t frame = (uintptr_t)registers[REG_RBP], pair[2], top;
    size_t used = 0;

    frames[used++] = (void *)registers[REG_RIP];
    /* After a call through a wild pointer the caller's address is on top of the stack. */
    if (used < count && !in_code((uintptr_t)registers[REG_RIP]) &&
        host_read_memory(&top, (void *)registers[REG_RSP], sizeof(top)) && in_code(top))
        frames[used++] = (void *)(top - 1);
    while (used < count && frame && host_read_memory(pair, (void *)frame, sizeof(pair))) {
        if (!pair[1] || pair[0] <= frame)
            break;
        frames[used++] = (void *)(pair[1] - 1);
        frame = pair[0];
    }
    return used;
}

size_t host_backtrace_from(void *context, void **frames, size_t count)
{
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct walk walk = {.frames = frames, .room = count, .from = (void *)registers[REG_RIP]};

    if (!count)
        return 0;
    if (in_code((uintptr_t)registers[REG_RIP]))
        host_try(walk_stack, &walk);
    return walk.count > 1 ? walk.count : follow_frame_pointers(registers, frames, count);
}

/* Only from this machine's own debug files: no server is asked. */
static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_build_id_find_debuginfo,
};

/* Images come and go: a lookup that fails has the list of mappings read again. */
static Dwfl_Module *find_module(Dwarf_Addr address)
{
    Dwfl_Module *module = state.dwfl ? dwfl_addrmodule(state.dwfl, address) : NULL;

    if (module)
        return module;
    if (state.dwfl)
        dwfl_report_begin(state.dwfl);
    else
        state.dwfl = dwfl_begin(&callbacks);
    if (!state.dwfl || dwfl_linux_proc_report(state.dwfl, getpid()))
        return NULL;
    dwfl_report_end(state.dwfl, NULL, NULL);
    return dwfl_addrmodule(state.dwfl, address);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* clang writes no table of address ranges (.debug_aranges): then each unit is asked. */
static const char *find_line(Dwfl_Module *module, Dwarf_Addr address, int *number)
{
    Dwfl_Line *line = dwfl_module_getsrc(module, address);
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;

    if (line)
        return dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL);
    while ((unit = dwfl_module_nextcu(module, unit, &bias))) {
        Dwarf_Line *found = NULL;

        if (dwarf_haspc(unit, address - bias) == 1)
            found = dwarf_getsrc_die(unit, address - bias);
        if (found && !dwarf_lineno(found, number))
            return dwarf_linesrc(found, NULL, NULL);
    }
    return NULL;
}

static void describe(Dwfl_Module *module, Dwarf_Addr address, char *text, size_t size)
{
    const char *path = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    GElf_Off offset = 0;
    GElf_Sym symbol;
    const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    int number = 0, used;
    const char *file = find_line(module, address, &number);

    if (name)
        used = snprintf(text, size, "%s+0x%llx", name, (unsigned long long)offset);
    else
        used = snprintf(text, size, "0x%llx", (unsigned long long)address);
    if (file && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, " (%s:%d)", last_part(file), number);
    if (path && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " [%s]", last_part(path));
}

void host_symbolise(const void *address, char *text, size_t size)
{
    uint32_t self = host_thread_id();
    Dwfl_Module *module;

    snprintf(text, size, "0x%llx", (unsigned long long)(uintptr_t)address);
    if (__atomic_load_n(&state.owner, __ATOMIC_RELAXED) == self)
        return;
    host_lock_acquire(&state.lock);
    __atomic_store_n(&state.owner, self, __ATOMIC_RELAXED);
    module = find_module((Dwarf_Addr)(uintptr_t)address);
    if (module)
        describe(module, (Dwarf_Addr)(uintptr_t)address, text, size);
    __atomic_store_n(&state.owner, 0, __ATOMIC_RELAXED);
    host_lock_release(&state.lock);
}

void host_symbols_forget(void)
{
    host_lock_acquire(&state.lock);
    if (state.dwfl)
        dwfl_end(state.dwfl);
    state.dwfl = NULL;
    host_lock_release(&state.lock);
}
