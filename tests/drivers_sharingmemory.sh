#!/bin/sh
# SharingMemory with its client: the service's steps, the clock, and clients that end badly.
. "$(dirname "$0")/lib.sh"

time_line='^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$'

# until_true COMMAND...: polls, at most some seconds
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    fail "never: $*"
}

nothing_left() {
    [ "$(live_blocks_of Shar)" = 0 ] || fail "$(live_blocks_of Shar) blocks left"
}

not_registered() {
    ! nt sc query sharingmemory >/dev/null 2>&1
}

# A client in the background that shows the clock; ready when the driver has given it its page. $client
start_client() {
    rm -f "$place/clock"
    "$@" >"$place/clock" 2>"$place/clock.err" &
    client=$!
    until_true test -s "$place/clock"
}

test_the_kernel_boots() {
    boot
}

test_the_client_does_it_all_and_leaves_nothing() {
    expect 0 sharingmemory --count 2 && [ "$(echo "$output" | grep -c "$time_line")" = 2 ] && nothing_left && not_registered
}

test_two_lines_are_two_seconds() {
    expect 0 sharingmemory --count 3 && [ "$(echo "$output" | sort -u | wc -l)" = 3 ]
}

test_the_time_is_that_of_the_system() {
    expect 0 sharingmemory --compare && contains 'system time - shared time'
}

test_a_driver_that_runs_is_used_and_left_running() {
    expect 0 nt load sharingmemory && expect 0 sharingmemory --count 1 && expect 0 nt sc query sharingmemory && contains running
}

test_without_a_service_only_the_device_is_used() {
    expect 0 sharingmemory --no-service --count 1 && expect 0 nt sc query sharingmemory && contains running
}

test_a_second_client_is_refused_while_one_runs() {
    start_client sharingmemory --no-service --count 1000
    expect 20 sharingmemory --no-service --count 1 && contains 'cannot open the device' && contains 'error 5'
    kill -INT $client && wait $client
}

test_a_killed_client_leaves_nothing() {
    for _ in 1 2 3 4 5; do
        until_true sharingmemory --no-service --compare
        start_client sharingmemory --no-service --count 1000
        kill -KILL $client
        wait $client 2>/dev/null
        until_true nothing_left || return 1
    done
    expect 0 sharingmemory --no-service --count 1
}

test_the_driver_goes_when_its_last_client_has_gone() {
    start_client sharingmemory --no-service --count 1000
    nt unload sharingmemory
    kill -INT $client && wait $client
    until_true not_registered && expect 20 sharingmemory --no-service --count 1
}

test_an_exception_closes_what_is_open() {
    expect 23 sharingmemory --crash && nothing_left && not_registered
}

test_an_interrupt_tears_down_in_order() {
    start_client sharingmemory --count 1000
    kill -INT $client
    wait $client && nothing_left && not_registered
}

test_each_failing_step_has_its_message_and_code() {
    expect 12 sharingmemory --driver /nonesuch.so --count 1 && contains 'cannot start the driver' && not_registered
    expect 20 sharingmemory --no-service --count 1 && contains 'cannot open the device'
    expect 2 sharingmemory --count 0 && expect 2 sharingmemory --nonsense && contains usage
}

test_the_kernel_ends_clean() {
    end_kernel
}

test_without_a_kernel_there_is_no_service_manager() {
    expect 10 sharingmemory --count 1 && contains 'service manager'
}

run_tests
