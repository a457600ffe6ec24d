#!/bin/sh
# The Win32 libraries, by programs that use them against a real kernel.
. "$(dirname "$0")/lib.sh"

test_a_kernel_with_the_pipe_driver() { boot && nt load example; }
test_objects() { timeout 60 "$build/win32/test-objects"; }
test_overlapped_requests() { cd "$place" && timeout 60 "$build/win32/test-io"; }
test_io_rings() { timeout 60 "$build/win32/test-ioring"; }
test_two_processes() { timeout 60 "$build/win32/test-process"; }
test_locks_text_modules_and_surroundings() { timeout 60 "$build/win32/test-local"; }
test_the_registry_tokens_and_services() { timeout 60 "$build/win32/test-advapi"; }
test_no_handle_is_left() { no_handle_is_left; }
test_the_kernel_ends_clean() { nt unload example && end_kernel; }

run_tests
