/* What every test of room host includes. */
#pragma once

#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
__attribute__((unused)) static const bool sanitized = true;
#elif defined(__has_feature)
__attribute__((unused)) static const bool sanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
__attribute__((unused)) static const bool sanitized = false;
#endif
