#!/bin/sh
# Clients that are unlucky, broken or hostile harm neither the kernel process nor their neighbours.
. "$(dirname "$0")/lib.sh"
odd() { timeout 60 "$build/tests/odd" "$@"; }

test_a_kernel_with_its_drivers() { boot && nt load example sharingmemory; }
test_the_first_thread_may_call_after_another_has_ended() { odd late; }
test_processor_time_is_counted() { odd times; }
test_no_handle_is_left() { [ "$(handle_count)" = 0 ] || fail "$(nt handles)"; }
test_the_kernel_ends_clean() { nt unload example sharingmemory && end_kernel; }

run_tests
