#!/bin/sh
# Clients that are unlucky, broken or hostile harm neither the kernel process nor their neighbours.
. "$(dirname "$0")/lib.sh"
odd() { timeout 60 "$build/tests/odd" "$@"; }
ordinary() { setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$PATH" "$@"; }

# start_sleeper [WHAT]: a client that waits for ever; $sleeper its process, $secret where its text is
start_sleeper() {
    rm -f "$place/sleeper"
    "$build/tests/odd" "${1:-sleep}" >"$place/sleeper" &
    sleeper=$!
    while ! [ -s "$place/sleeper" ]; do kill -0 $sleeper || return 1; sleep 0.02; done
    read -r _ secret <"$place/sleeper"
}

test_a_kernel_with_its_drivers() { boot --patience 1 && nt load example sharingmemory; }
test_versions() { expect 0 nt --version && contains 'nt 0.' && expect 0 nt-kernel --version && contains 'nt-kernel 0.'; }
test_the_first_thread_may_call_after_another_has_ended() { odd late; }
test_processor_time_is_counted() { odd times; }

test_a_process_whose_threads_have_all_ended_ends() { expect 7 odd leave; }

# Each breaks the protocol in its way; afterwards the kernel serves the next client as before. USERNT_SEEDS: which (default: 1).
test_clients_that_break_the_protocol_harm_nobody() {
    for what in junk junk2 greetings threads connections calls lies ends forks exec; do
        for seed in ${USERNT_SEEDS:-1}; do
            timeout 60 "$build/tests/hostile" $what "$seed" 1
            kill -0 "$kernel" && timeout 30 "$build/tests/odd" late || fail "after $what $seed" || return 1
        done
    done
}

test_they_leave_nothing() { nobody_is_left && no_handle_is_left; }

test_a_client_that_is_stopped_is_given_up() {
    start_sleeper && expect 0 odd peek $sleeper "$secret" && contains words
    kill -STOP $sleeper
    expect 0 odd peek $sleeper "$secret" && contains c000010a && expect 0 nt log && contains 'has not answered for 1 seconds' &&
        nobody_is_left
    code=$?
    kill -CONT $sleeper
    wait $sleeper && return $code
}

test_clients_that_shred_their_slots_leave_mappings_for_others() {
    shredders=
    for _ in $(seq 3); do start_sleeper shred || return 1; shredders="$shredders $sleeper"; done
    timeout 60 "$build/tests/many" beside 8 && odd late
    code=$?
    # shellcheck disable=SC2086
    kill -KILL $shredders
    # shellcheck disable=SC2086
    wait $shredders 2>/dev/null
    return $code
}

test_a_kernel_with_a_stopped_client_ends_clean() {
    start_sleeper
    kill -STOP $sleeper
    nt unload example sharingmemory && end_kernel
    code=$?
    kill -CONT $sleeper
    wait $sleeper && return $code
}

test_a_folder_that_cannot_keep_the_registry_is_named() {
    : >"$place/file"
    expect 1 nt-kernel --state "$place/file/state" && contains "cannot keep the registry in $place/file/state: Not a directory"
    expect 1 nt-kernel --state /proc/nonesuch && contains 'cannot keep the registry'
}

test_too_few_files_are_refused() { (ulimit -n 12; expect 1 nt-kernel && contains 'only 12 files may be open'); }
test_the_soft_limit_of_files_is_raised() { (ulimit -Sn 12; boot && nt status >/dev/null && end_kernel); }

# With few files left, newcomers are told; whoever is in goes on; when one leaves, another finds room. The kernel does not spin meanwhile.
test_when_files_are_used_up_newcomers_are_told() {
    mkfifo "$place/ready"
    (ulimit -n 40; exec nt-kernel --drivers "$USERNT_DRIVERS" --ready-file 9) 9>"$place/ready" 2>"$place/kernel.err" &
    kernel=$!
    read -r _ <"$place/ready"
    rm "$place/ready"
    sleepers=
    for _ in $(seq 25); do
        rm -f "$place/sleeper" "$place/sleeper.err"
        "$build/tests/odd" sleep >"$place/sleeper" 2>"$place/sleeper.err" &
        newest=$!
        while ! [ -s "$place/sleeper" ] && ! [ -s "$place/sleeper.err" ]; do sleep 0.01; done
        [ -s "$place/sleeper" ] || break
        sleepers="$sleepers $newest"
    done
    wait "$newest"
    output=$(cat "$place/sleeper.err")
    contains 'there is no room for another' || return 1
    before=$(awk '{ print $14 + $15 }' /proc/$kernel/stat)
    sleep 1
    after=$(awk '{ print $14 + $15 }' /proc/$kernel/stat)
    [ $((after - before)) -lt 50 ] || fail "the kernel spins: $((after - before))" || return 1
    # shellcheck disable=SC2086
    kill -KILL $sleepers && wait $sleepers 2>/dev/null
    for _ in $(seq 100); do nt status >/dev/null 2>&1 && break; sleep 0.05; done
    end_kernel
}

test_a_user_does_not_take_all_places() {
    if [ "$(id -u)" != 0 ] || ! ordinary true 2>/dev/null || ! ordinary test -x "$bin/nt"; then return 0; fi
    boot --processes-per-user 2
    mkfifo "$place/first" "$place/second"
    for name in first second; do ordinary "$build/tests/odd" sleep >"$place/$name" & eval "$name=$!"; read -r _ <"$place/$name"; done
    expect 3 ordinary nt status && contains 'there is no room for another' && expect 0 nt status
    # shellcheck disable=SC2154
    kill -KILL $first && wait $first 2>/dev/null
    for _ in $(seq 100); do ordinary nt status >/dev/null 2>&1 && break; sleep 0.05; done
    expect 0 ordinary nt status
    # shellcheck disable=SC2154
    kill -KILL $second && wait $second 2>/dev/null
    end_kernel
}

run_tests
