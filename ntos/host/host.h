/*
 * host: the only room that knows Linux.
 *
 * Plain C, no NT types. Errors are negative errno values. Nothing here waits for another thread
 * except host_futex_wait, host_spin_lock's slow path and host_thread_join.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOST_PAGE_SIZE 4096u

/* memory.c: memory files and mappings. prot is a set of HOST_READ and HOST_WRITE; 0 is no access.
 * HOST_COPY: what is written stays in the mapping. */
enum { HOST_READ = 1, HOST_WRITE = 2, HOST_EXECUTE = 4, HOST_COPY = 8 };

int host_memory_file(const char *name, uint64_t bytes); /* sealed against resizing; fd */
int host_memory_file_read_only(int fd);   /* a second descriptor that cannot be mapped writable */
int host_reserve(void *at, size_t bytes); /* exactly there, or -EEXIST */
int host_map(void *at, size_t bytes, int fd, uint64_t offset, int prot); /* over a reservation */
int host_decommit(void *at, size_t bytes); /* back to reserved, no access */
int host_unmap(void *at, size_t bytes);    /* reservation and all */
int host_protect(void *at, size_t bytes, int prot);
/* Bytes of a page that may be read, whatever a sanitizer thinks of them. */
int host_write_at(int fd, const void *from, size_t bytes, uint64_t offset);
int host_punch(int fd, uint64_t offset,
               uint64_t bytes);   /* give the pages back; they read as zero */
void *host_private(size_t bytes); /* zeroed private memory, or NULL */
void host_private_free(void *at, size_t bytes);
size_t host_resident_bytes(void); /* of this process */
bool host_read_memory(void *to, const void *from,
                      size_t bytes); /* false if any byte cannot be read; never faults */

/* sanitizer.c: what the sanitizers must know; nothing in a plain build. */
void host_poison(const void *at, size_t bytes);
void host_unpoison(const void *at, size_t bytes);
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HOST_THREAD_SANITIZER 1
#endif
#endif
#ifdef HOST_THREAD_SANITIZER
void host_new_memory_begin(void); /* what is mapped from here on has no past: putting it there is */
void host_new_memory_end(void);   /* no write that races with those who use the addresses */
void host_tell(void *mark); /* before a message to another process, and after one from it: they are
                               ordered, by a way that leads through that process */
void host_told(void *mark);
#else
#define host_new_memory_begin()
#define host_new_memory_end()
#define host_tell(mark)
#define host_told(mark)
#endif

/* thread.c: joinable threads. */
typedef struct host_thread host_thread;
int host_thread_start(host_thread **out, const char *name, void (*entry)(void *), void *argument);
int host_thread_start_detached(const char *name, void (*entry)(void *), void *argument);
void host_thread_join(host_thread *thread); /* frees it */
_Noreturn void host_thread_exit(void);
uint32_t host_thread_id(void); /* Linux tid of the caller */
uint32_t host_process_id(void);
uint32_t host_user_id(void);
uint32_t host_parent_of(uint32_t process);       /* Linux pid; 0: no such process */
void host_program_name(char *name, size_t size); /* of this process, without folders */
unsigned host_cpu_count(void);
void host_yield(void);
unsigned host_current_cpu(void);
void host_leave_cpu(unsigned cpu); /* the thread goes on on another one, if it may and there is one;
                                      it may come back */
void host_enter_cpu(unsigned cpu); /* and on that one, if it may; it need not stay */
void host_at_thread_exit(
    void (*routine)(void *),
    void *argument); /* once a thread; the calling one, any thread of the process */
void host_at_fork_child(void (*routine)(void));  /* in the child of a fork */
void host_stack_bounds(void **low, void **high); /* of the calling thread */
void host_set_gs_base(void *base);

/* futex.c: deadline is host_now() time, HOST_FOREVER for none. */
#define HOST_FOREVER UINT64_MAX
int host_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline,
                    bool shared); /* 0, -EAGAIN, -ETIMEDOUT, -EINTR */
void host_futex_wake(uint32_t *word, int count, bool shared);

/* A small lock for host's and vf's own state and for code below ke. Never held across a callout. */
typedef struct {
    uint32_t word;
} host_lock;
void host_lock_acquire(host_lock *lock);
void host_lock_release(host_lock *lock);
static inline void host_pause(void)
{
    __builtin_ia32_pause();
}

/* This processor will write to the cache line: it may begin to fetch it from another one. */
static inline void host_will_write(const void *address)
{
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
}

/* clock.c: nanoseconds. */
uint64_t host_now(void);                /* monotonic */
uint64_t host_wall_clock(void);         /* since 1970, UTC */
int32_t host_utc_offset(uint64_t wall); /* seconds east of UTC, at that time */
/* Processor time used so far; 0: not known. A thread of this process; a process; a thread of it. */
uint64_t host_thread_time(uint32_t thread);
uint64_t host_process_time(uint32_t process);
uint64_t host_time_of_thread(uint32_t process, uint32_t thread);

/* fault.c: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP of this process. The handler runs on an
 * alternate stack (host_fault_stack_enter, once a thread) and either returns true (repeat the
 * instruction), or does not return (jumps), or returns false: whoever handled the signal before
 * gets it; nobody: the process ends by the signal. A jump need not restore the signal mask. */
struct host_fault {
    int kind;      /* HOST_FAULT_* */
    void *address; /* for memory faults */
    void *instruction;
    bool write, execute;
    bool protection; /* general protection: address is all ones, write and execute are unknown */
    bool step;       /* a breakpoint: the one instruction of host_fault_single_step is done */
    void *context;   /* ucontext_t, for host_backtrace_from */
    void *stack_low,
        *stack_high; /* of the thread's ordinary stack; NULL without host_fault_stack_enter */
};
struct host_registers {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rip,
        eflags;
};
enum {
    HOST_FAULT_MEMORY,
    HOST_FAULT_BUS,
    HOST_FAULT_ILLEGAL,
    HOST_FAULT_DIVIDE,
    HOST_FAULT_BREAKPOINT
};
typedef bool host_fault_handler(const struct host_fault *fault);
void host_fault_install(host_fault_handler *handler); /* NULL restores what was there before */
void host_fault_registers(const struct host_fault *fault, struct host_registers *registers);
void host_fault_step_over(const struct host_fault *fault,
                          unsigned bytes); /* go on after an instruction of that length */
/* A register, by the processor's number. */
uint64_t host_fault_register(const struct host_fault *fault, unsigned number);
void host_fault_set_register(const struct host_fault *fault, unsigned number, uint64_t value);
/* When the handler returns true, the thread executes one instruction and faults again (step). */
void host_fault_single_step(const struct host_fault *fault, bool on);
void host_fault_continue_at(
    const struct host_fault *fault,
    const void *instruction); /* the thread goes on there when the handler returns true */
/* Runs a routine that holds nothing and may meet bad memory; false if it faulted on the way. Only
 * while a handler is installed. */
bool host_try(void (*routine)(void *argument), void *argument);
struct host_cpu; /* unwind.c */
/* The thread goes on in call, on the stack of the fault, when the handler returns true; when call
 * returns, at what the registers then say. */
void host_fault_divert(const struct host_fault *fault, void (*call)(struct host_cpu *cpu));
void host_fault_stack_enter(void); /* nests; host_thread_start does it for its threads */
void host_fault_stack_leave(void);

/* unwind.c: walking a stack by the compiler's tables. The registers are laid out as Windows'
 * CONTEXT of x64. */
struct host_cpu {
    uint64_t homes[6];
    uint32_t flags, mxcsr;
    uint16_t segments[6];
    uint32_t eflags;
    uint64_t debug[6];
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rip;
    uint64_t vector_state[20];
    uint64_t xmm[16][2];
    uint64_t vector_rest[12], vector_registers[26][2], vector_control, debug_control[5];
} __attribute__((aligned(16)));
struct host_frame {
    void *instruction; /* where it goes on */
    uint64_t stack;    /* its stack pointer there */
    void *context;
};
typedef bool host_frame_visitor(void *context, const struct host_frame *frame); /* false: enough */
/* From the caller of this on, or from the place that the registers tell (which comes first then).
 * True: it was enough. */
bool host_walk(const struct host_cpu *from, host_frame_visitor *visit, void *context);
void host_frame_registers(const struct host_frame *frame,
                          struct host_cpu *cpu); /* those that a call preserves, rip and rsp */
/* Where its function begins; NULL: not known. */
const void *host_frame_function(const struct host_frame *frame);
/* The registers of the moment that was diverted, if that frame is the diversion's; else NULL. */
const struct host_cpu *host_frame_diverted(const struct host_frame *frame);
_Noreturn void host_resume(const struct host_cpu *cpu); /* goes on there, with all registers */

/* copy.c: copies that may fault; 0: either side is not there. The process's fault handler asks
 * host_copy_claim first, and returns true if that does. */
int host_copy(void *to, const void *from, size_t bytes);
int host_touch(void *at); /* writes the byte that is there */
bool host_copy_claim(const struct host_fault *fault);

/* symbol.c: stacks and names (libdw). A frame is the address of the call, not of what follows it.
 * Not for clients. */
size_t host_backtrace(void **frames, size_t count, unsigned skip);
size_t host_backtrace_from(void *context, void **frames, size_t count);
void host_symbolise(const void *address, char *text,
                    size_t size); /* "Function+0x12 (file.c:34) [module]" */
void host_symbols_forget(void);   /* frees what was read for names */

/* socket.c: sequenced-packet unix sockets with descriptors and credentials. */
int host_listen(const char *path,
                unsigned mode); /* -EADDRINUSE, after a second, if a live server is there; a dead
                                   one's socket is replaced, and that of one which ends meanwhile */
int host_accept(int listener);
int host_connect(const char *path);
int host_send(int socket, const void *data, size_t bytes, int fd);   /* fd -1: none; whole packet */
int host_send_now(int socket, const void *data, size_t bytes);       /* -EAGAIN rather than wait */
ssize_t host_receive(int socket, void *data, size_t bytes, int *fd); /* 0: the peer is gone */
/* How long a receive and a send may wait, in milliseconds (0: for ever); then -EAGAIN. */
void host_set_patience(int socket, unsigned receive_ms, unsigned send_ms);
int host_peer(int socket, uint32_t *pid, uint32_t *uid);
int host_poll(int *sockets, bool *ready, size_t count, int timeout_ms);
void host_hang_up(int socket); /* ends both directions; a receive in progress returns 0 */
void host_close(int fd);
int host_event_file(void); /* an eventfd, for waking host_poll */
void host_event_signal(int fd);
void host_event_drain(int fd);

/* elf.c: native drivers. Not for clients. */
typedef struct host_image host_image;
struct host_image_info {
    void *base;
    size_t bytes;
    const char *path;
};
int host_image_missing(
    const char *path, void (*report)(void *context, const char *name),
    void *context); /* count of unresolvable imports; -errno: not an ELF shared object */
int host_image_load(const char *path, host_image **out, char *error,
                    size_t size); /* -EEXIST: still loaded */
void host_image_unload(host_image *image);
void *host_image_symbol(host_image *image, const char *name);
void host_image_info(host_image *image, struct host_image_info *info);
void host_image_self(struct host_image_info *info); /* the executive's own */
bool host_image_of(const void *address, struct host_image_info *info);
void *host_symbol(const char *name); /* of the process: the executive's exports */
void host_each_export(void (*each)(void *context, const char *name, void *address),
                      void *context); /* of the executive's library */

/* random.c, file.c */
void host_random(void *bytes, size_t count);
char *host_read_file(const char *path,
                     size_t *bytes); /* malloc'd, zero-terminated; NULL and errno */
int host_write_file(const char *path, const void *data,
                    size_t bytes);          /* atomically: temporary file, then rename */
int host_make_directory(const char *path);  /* with parents */
int host_check_directory(const char *path); /* makes it; 0 if files can be made in it */
bool host_file_exists(const char *path);
void host_remove_file(const char *path);
void host_write_error(const char *text); /* to standard error, async-signal-safe */
unsigned host_file_limit(void);          /* how many may be open */
unsigned host_mapping_limit(void);       /* how many mappings Linux allows a process */
unsigned host_raise_file_limit(void);    /* to what Linux allows; how many files may be open then */
_Noreturn void host_exit(int code);      /* at once, no destructors */
void host_exit_within(unsigned seconds, int code); /* whatever happens to the caller meanwhile */
bool host_is_traced(void);                         /* by a debugger */

#endif
