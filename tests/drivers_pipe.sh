#!/bin/sh
# The pipe with its clients, by each of the three ways to their buffers.
. "$(dirname "$0")/lib.sh"
terminal=$(dirname "$0")/terminal.py

has_no_block() { [ "$(live_blocks_of Exp)" = 0 ]; }
nothing_left() { soon has_no_block || fail "$(live_blocks_of Exp) blocks left"; }

# pour LINES [options of both clients]: a reader and a writer; what was read is in $place/read
pour() {
    lines=$1
    shift
    usedriver3 --quiet "$@" stream >"$place/read" &
    reader=$!
    seq "$lines" | usedriver2 --quiet "$@" stream || return 1
    wait $reader
}

# Until the reader has written something to $place/read, which was not there before; a client that must live meanwhile.
until_read() {
    until [ -s "$place/read" ]; do kill -0 "$1" || return 1; done
}

# Until a client has opened a pipe.
somebody_is_there() {
    for _ in $(seq 500); do
        [ "$(live_blocks_of Exp)" != 0 ] && return 0
    done
    fail "nobody has opened a pipe"
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

test_a_long_line_goes_in_pieces_that_end_nothing() {
    xs=$(head -c 1023 /dev/zero | tr '\0' x)
    output=$(printf '%squit\n%s\nquit\n' "$xs" abc | usedriver2 long) && [ "$(echo "$output" | grep -o '[0-9]* bytes written' | tr '\n' ,)" = \
        '1024 bytes written,5 bytes written,4 bytes written,' ] || fail "$output" || return 1
    output=$(printf '%s\nabc\n' "$xs" | usedriver2 long) && [ "$(echo "$output" | grep -o '[0-9]* bytes written' | tr '\n' ,)" = \
        '1024 bytes written,4 bytes written,' ] || fail "$output"
}

test_the_reader_shows_every_text_of_a_read() {
    mkfifo "$place/keys"
    usedriver3 talk <"$place/keys" >"$place/read" &
    reader=$!
    exec 8>"$place/keys"
    somebody_is_there && printf 'alpha\nbeta\nq\n' | usedriver2 talk
    printf '\nq\n' >&8
    exec 8>&-
    rm "$place/keys"
    wait $reader
    output=$(cat "$place/read")
    contains '11 bytes read: "alpha" "beta"'
}

test_a_stream_has_the_hash_of_its_input() {
    seq 1 1000000 | usedriver2 --quiet T &
    writer=$!
    hash=$(usedriver3 --quiet T | sha256sum)
    wait $writer && [ "$hash" = "$(seq 1 1000000 | sha256sum)" ] && nothing_left
}

test_it_has_it_too_when_the_reader_comes_first() {
    usedriver3 --quiet T >"$place/read" &
    reader=$!
    somebody_is_there && seq 1 1000000 | usedriver2 --quiet T && wait $reader &&
        seq 1 1000000 | cmp - "$place/read" && nothing_left
}

test_and_when_the_writer_comes_first() {
    seq 1 1000000 | usedriver2 --quiet T &
    writer=$!
    somebody_is_there && usedriver3 --quiet T >"$place/read" && wait $writer &&
        seq 1 1000000 | cmp - "$place/read" && nothing_left
}

test_a_stream_is_any_bytes_by_every_method() {
    head -c 300000 /dev/urandom >"$place/data"
    for device in Example ExampleDirect ExampleNeither; do
        usedriver3 --quiet --device $device bytes >"$place/read" &
        reader=$!
        usedriver2 --quiet --device $device bytes <"$place/data" && wait $reader && cmp "$place/data" "$place/read" || return 1
    done
    nothing_left
}

test_a_stream_may_be_empty() {
    usedriver3 --quiet none >"$place/read" &
    reader=$!
    usedriver2 --quiet none </dev/null && wait $reader && [ ! -s "$place/read" ]
}

test_two_writers_end_the_stream_together() {
    rm -f "$place/read"
    usedriver3 --quiet both >"$place/read" &
    reader=$!
    mkfifo "$place/first" "$place/second"
    usedriver2 --quiet both <"$place/first" & first=$!
    usedriver2 --quiet both <"$place/second" & second=$!
    exec 7>"$place/first" 8>"$place/second"
    echo zero >&8
    until_read $second || return 1
    echo one >&7
    exec 7>&-
    wait $first && echo two >&8
    exec 8>&-
    wait $second && wait $reader && [ "$(cat "$place/read")" = "$(printf 'zero\none\ntwo')" ]
}

test_a_writer_ends_with_an_error_when_its_reader_is_killed() {
    rm -f "$place/read"
    yes | usedriver2 --quiet broken 2>"$place/error" &
    writer=$!
    usedriver3 --quiet broken >"$place/read" &
    reader=$!
    until_read $writer || return 1
    kill -KILL $reader
    wait $reader 2>/dev/null
    code=0
    wait $writer || code=$?
    output=$(cat "$place/error")
    [ $code = 1 ] && contains 'the reader has gone' && nothing_left
}

test_a_writer_that_is_done_says_what_was_not_read() {
    code=0
    output=$(echo text | usedriver2 --quiet --wait 0 alone 2>&1) || code=$?
    [ $code = 1 ] && contains 'nobody has read the last 5 bytes'
}

test_a_reader_ends_when_its_writer_is_killed() {
    rm -f "$place/read"
    yes | usedriver2 --quiet broken 2>/dev/null &
    writer=$!
    usedriver3 --quiet broken >"$place/read" &
    reader=$!
    until_read $reader || return 1
    kill -KILL $writer
    wait $writer 2>/dev/null
    wait $reader && [ "$(head -c 10000 "$place/read" | sort -u)" = y ] && nothing_left
}

# A transfer of more than a second, which its input makes long.
slowly() { for _ in 1 2 3 4 5 6 7 8; do echo text; sleep 0.3; done; }

test_progress_is_shown_on_a_terminal_only() {
    mkfifo "$place/slow"
    usedriver3 --quiet slow >/dev/null &
    slowly >"$place/slow" &
    "$terminal" sh -c "usedriver2 --quiet slow <'$place/slow' >/dev/null" >"$place/screen" || return 1
    output=$(tr '\r' '\n' <"$place/screen")
    contains 'MB/s' || return 1
    usedriver3 --quiet slow2 >/dev/null & # not the pipe that the first reader may still have
    slowly | usedriver2 --quiet slow2 2>"$place/error" >/dev/null && [ ! -s "$place/error" ]
}

test_a_writer_that_is_alone_on_its_terminal_shows_it_too() {
    rm -f "$place/slow"
    mkfifo "$place/slow"
    usedriver3 --quiet slow3 >/dev/null &
    slowly >"$place/slow" &
    "$terminal" sh -c "usedriver2 --quiet slow3 <'$place/slow'" >"$place/screen" || return 1
    output=$(tr '\r' '\n' <"$place/screen")
    contains 'MB/s'
}

test_a_reader_that_writes_to_its_terminal_shows_none() {
    rm -f "$place/slow"
    mkfifo "$place/slow"
    slowly >"$place/slow" &
    usedriver2 --quiet slow4 <"$place/slow" &
    "$terminal" usedriver3 --quiet slow4 >"$place/screen" || return 1
    output=$(tr -d '\r' <"$place/screen")
    [ "$output" = "$(yes text | head -n 8)" ]
}

test_no_progress_of_a_tiny_transfer() {
    usedriver3 --quiet tiny >/dev/null &
    "$terminal" sh -c 'echo text | usedriver2 --quiet tiny >/dev/null' >"$place/screen" && [ ! -s "$place/screen" ]
}

test_help_is_no_error() {
    for client in usedriver2 usedriver3 loader; do
        expect 0 $client --help && contains "usage: $client" && contains 'Exit codes:' || return 1
    done
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
    for round in 1 2 3 4 5; do # each has its own pipe: who comes to that of a killed client ends when that one has gone
        yes | usedriver2 --quiet "crash$round" 2>/dev/null &
        writer=$!
        usedriver3 --quiet "crash$round" >/dev/null &
        reader=$!
        until [ "$(live_blocks_of Exp)" -gt 3 ]; do kill -0 $writer && kill -0 $reader || return 1; done
        kill -KILL $writer $reader
        wait $writer $reader 2>/dev/null
    done
    nothing_left
}

test_missing_arguments_and_devices_are_errors() {
    expect 2 usedriver2 && contains 'name of a pipe is missing' && expect 2 usedriver3 && expect 2 usedriver3 a b &&
        expect 2 usedriver2 a --wait soon && expect 2 loader --loud &&
        expect 20 usedriver2 --device Nonesuch a && contains 'cannot open' && expect 1 usedriver3 --once empty &&
        expect 20 usedriver2 --only S-1-x a && contains 'wants' &&
        expect 2 usedriver2 --once a && contains "'--once' is not understood" && expect 2 usedriver3 --loud a && contains "'--loud' is not" &&
        expect 2 usedriver3 --quiet --once a && contains 'exclude each other'
}

test_output_that_goes_nowhere_is_an_error() {
    code=0
    output=$(echo q | usedriver3 away 2>&1 >/dev/full) || code=$?
    [ $code = 1 ] && contains 'cannot write standard output' || return 1
    code=0
    output=$(echo text | usedriver2 away 2>&1 >/dev/full) || code=$?
    [ $code = 1 ] && contains 'cannot write standard output' || return 1
    usedriver3 --quiet away >/dev/full 2>"$place/error" &
    reader=$!
    seq 100000 | usedriver2 --quiet away 2>/dev/null
    wait $reader
    [ $? = 1 ] && output=$(cat "$place/error") && contains 'cannot write standard output' && nothing_left
}

test_a_standard_stream_that_is_closed_is_not_the_kernel() {
    expect 1 timeout 20 usedriver2 --quiet closed <&- && contains 'cannot read standard input' || return 1
    code=0
    echo text | timeout 20 usedriver2 closed >&- 2>"$place/error" || code=$?
    [ $code = 1 ] && output=$(cat "$place/error") && contains 'cannot write standard output' || return 1
    code=0
    output=$(echo text | timeout 20 usedriver2 closed 2>&-) || code=$?
    [ $code = 0 ] && contains '5 bytes written'
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

test_a_driver_that_is_in_use_is_unloaded_when_it_is_not() {
    nt load example || return 1
    usedriver3 --quiet busy >/dev/null &
    reader=$!
    somebody_is_there && nt unload example
    expect 20 usedriver2 busy && kill -0 $reader || return 1
    kill -KILL $reader
    wait $reader 2>/dev/null
    for _ in $(seq 100); do
        nt modules | grep -q 'example\.' || break
        sleep 0.05
    done
    nothing_left && output=$(nt modules) && ! contains 'example.' >/dev/null
}

test_the_kernel_ends_clean() {
    nt unload example_direct example_neither && nothing_left && end_kernel
}

run_tests
