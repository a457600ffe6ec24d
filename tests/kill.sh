#!/bin/sh
# Clients killed at random moments leave nothing behind, and another client never notices.
# USERNT_KILLS: how often (default 200).
. "$(dirname "$0")/lib.sh"
kills=${USERNT_KILLS:-200}

test_a_kernel_with_its_drivers() {
    boot && nt load sharingmemory && nt load example && "$build/tests/workload" warm 3
}

test_killed_clients_leave_nothing_and_disturb_nobody() {
    "$build/tests/workload" witness >"$place/witness" 2>&1 &
    witness=$!
    for i in 1 2 3 4 5 6 7 8; do
        "$build/tests/workload" "warm$i" >/dev/null 2>&1 & victim=$!
        sleep 0.05
        kill -KILL $victim 2>/dev/null; wait $victim 2>/dev/null
    done
    kill -0 $witness || fail "the witness died: $(cat "$place/witness")" || return 1
    for i in $(seq "$kills"); do
        "$build/tests/workload" "victim$((i % 7))" >/dev/null 2>"$place/victim" & victim=$!
        sleep "0.0$(awk -v n="$i" 'BEGIN { srand(n); printf "%03d", rand() * 600 }')"
        kill -KILL $victim 2>/dev/null || { fail "a victim failed: $(cat "$place/victim")"; return 1; }
        wait $victim 2>/dev/null
    done
    kill -0 $witness || fail "the witness died: $(cat "$place/witness")" || return 1
    kill -KILL $witness
    wait $witness 2>/dev/null
    [ "$(cat "$place/witness")" = ready ] || fail "the witness noticed: $(cat "$place/witness")"
}

test_no_handle_or_process_is_left() { no_handle_is_left && nobody_is_left; }

test_pools_hold_what_they_held() {
    pool_figures >"$place/before"
    "$build/tests/workload" again 5 || return 1
    for i in 1 2 3 4 5 6 7 8 9 10; do
        "$build/tests/workload" "late$i" >/dev/null & victim=$!
        sleep 0.03
        kill -KILL $victim; wait $victim 2>/dev/null
    done
    no_pool_has_grown "$place/before"
}

test_the_drivers_unload_and_the_kernel_ends_clean() {
    nt unload sharingmemory && nt unload example && end_kernel
}

run_tests
