#!/bin/sh
# Many clients with many threads at once. USERNT_CLIENTS: how many clients (default 100).
. "$(dirname "$0")/lib.sh"
clients=${USERNT_CLIENTS:-100}

test_a_kernel_with_the_pipe_driver() { boot && nt load example; }

test_clients_with_eight_threads_each() {
    started=
    for i in $(seq "$clients"); do
        timeout 100 "$build/tests/many" "c$i" 8 &
        started="$started $!"
    done
    for client in $started; do wait "$client" || fail "a client failed" || return 1; done
}

test_nothing_is_left() { no_handle_is_left; }

test_the_kernel_ends_clean() { nt unload example && end_kernel; }

run_tests
