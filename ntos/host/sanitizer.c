/* What the sanitizers must be told. Nothing in a plain build. */
#include "host.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HOST_ADDRESS_SANITIZER 1
#endif

#ifdef HOST_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>

void host_poison(const void *at, size_t bytes)
{
    __asan_poison_memory_region(at, bytes);
}

void host_unpoison(const void *at, size_t bytes)
{
    __asan_unpoison_memory_region(at, bytes);
}
#else
void host_poison(const void *at, size_t bytes)
{
    (void)at;
    (void)bytes;
}

void host_unpoison(const void *at, size_t bytes)
{
    (void)at;
    (void)bytes;
}
#endif

#ifdef HOST_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

/* Exported by ThreadSanitizer, in none of its headers. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

void host_new_memory_begin(void)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

void host_new_memory_end(void)
{
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

void host_tell(void *mark)
{
    __tsan_release(mark);
}

void host_told(void *mark)
{
    __tsan_acquire(mark);
}
#endif
