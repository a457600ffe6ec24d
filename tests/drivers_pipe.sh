#!/bin/sh
# The pipe with its clients, by each of the three ways to their buffers.
. "$(dirname "$0")/lib.sh"

nothing_left() {
    [ "$(live_blocks_of Exp)" = 0 ] || fail "$(live_blocks_of Exp) blocks left"
}

# pour LINES [options of both clients]: a reader and a writer; what was read is in $place/read
pour() {
    lines=$1
    shift
    usedriver3 --quiet "$@" stream >"$place/read" &
    reader=$!
    seq "$lines" | usedriver2 --quiet "$@" stream || return 1
    wait $reader
}

test_the_kernel_boots_with_three_variants() {
    boot && expect 0 nt load example example_direct example_neither
}

test_what_one_process_writes_another_reads() {
    pour 3 && [ "$(cat "$place/read")" = "$(seq 3)" ] && nothing_left
}

test_many_lines_arrive_whole_by_every_method() {
    for device in Example ExampleDirect ExampleNeither; do
        pour 5000 --device $device && seq 5000 | cmp - "$place/read" || return 1
    done
    nothing_left
}

test_letter_case_does_not_matter() {
    usedriver3 --quiet HELLO >"$place/read" &
    reader=$!
    echo text | usedriver2 --quiet hello && wait $reader && [ "$(cat "$place/read")" = text ]
}

test_the_writer_counts_the_nul_and_does_not_send_q() {
    output=$(printf 'one\nthree\nquit\nnever\n' | usedriver2 talk) && contains '4 bytes written' && contains '6 bytes written' &&
        [ "$(echo "$output" | grep -c 'bytes written')" = 2 ]
}

test_the_reader_shows_every_text_of_a_read() {
    mkfifo "$place/keys"
    usedriver3 talk <"$place/keys" >"$place/read" &
    reader=$!
    exec 8>"$place/keys"
    printf 'alpha\nbeta\n' | usedriver2 --quiet --wait 0 talk >/dev/null 2>&1
    printf '\nq\n' >&8
    exec 8>&-
    rm "$place/keys"
    wait $reader
    output=$(cat "$place/read")
    contains '11 bytes read: "alpha" "beta"'
}

test_an_empty_pipe_reads_as_nothing() {
    output=$(printf '\nq\n' | usedriver3 empty) && contains '0 bytes read: ""'
}

test_a_full_pipe_says_so() {
    output=$( (for _ in $(seq 3); do head -c 900 /dev/zero | tr '\0' x; echo; done; echo y) | usedriver2 full)
    contains '901 bytes written' && contains '197 bytes written' && contains 'the pipe is full'
}

test_pipes_of_different_names_are_apart() {
    usedriver3 --quiet --wait 1 here >"$place/read" &
    reader=$!
    echo text | usedriver2 --quiet --wait 0 there 2>/dev/null
    ! wait $reader && [ ! -s "$place/read" ] && nothing_left
}

test_clients_that_are_killed_leave_nothing() {
    for _ in 1 2 3 4 5; do
        yes | usedriver2 --quiet --wait 1 crash 2>/dev/null &
        writer=$!
        usedriver3 --quiet crash >/dev/null &
        reader=$!
        for _ in $(seq 200); do [ "$(live_blocks_of Exp)" -gt 3 ] && break; done
        kill -KILL $writer $reader
        wait $writer $reader 2>/dev/null
    done
    for _ in $(seq 200); do
        [ "$(live_blocks_of Exp)" = 0 ] && return 0
        sleep 0.05
    done
    nothing_left
}

test_missing_arguments_and_devices_are_errors() {
    expect 2 usedriver2 && contains 'name of a pipe is missing' && expect 2 usedriver3 && expect 2 usedriver3 a b &&
        expect 20 usedriver2 --device Nonesuch a && contains 'cannot open' && expect 1 usedriver3 --once empty
}

test_a_long_name_is_refused() {
    expect 20 usedriver2 "$(head -c 300 /dev/zero | tr '\0' n)" && contains 'cannot open'
}

test_the_loader_loads_waits_and_deletes() {
    nt unload example
    mkfifo "$place/enter"
    loader --quiet <"$place/enter" &
    loader=$!
    exec 8>"$place/enter"
    for _ in $(seq 200); do usedriver3 --once x 2>/dev/null; [ $? = 1 ] && break; sleep 0.05; done
    expect 0 nt sc query Example && contains running
    echo >&8
    exec 8>&-
    wait $loader && expect 1 nt sc query Example && expect 20 usedriver2 x
}

test_the_loader_names_the_step_that_fails() {
    expect 12 loader /nonesuch.so && contains 'cannot start the driver' && expect 1 nt sc query Example
}

test_the_kernel_ends_clean() {
    nt unload example_direct example_neither && nothing_left && end_kernel
}

run_tests
