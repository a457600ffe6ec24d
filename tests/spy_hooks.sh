#!/bin/sh
# w2k_spy's hooks end to end: with processes that work meanwhile, with keys, with a logger that is killed.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
client=$build/tests/spy_client

test_the_kernel_boots_with_the_drivers() {
    boot && expect 0 nt load w2k_spy && expect 0 nt load example
}

test_every_call_of_two_processes_is_logged_once_and_nothing_changes_for_them() {
    expect 0 "$here/spy_log.py" "$build" "${USERNT_ROUNDS:-300}" && contains lines
}

test_hooks_come_and_go_a_thousand_times_under_load() {
    workers=
    for name in one two; do
        mkfifo "$place/end.$name" "$place/begun.$name"
        "$client" work "$name" 0 <"$place/end.$name" >"$place/begun.$name" &
        workers="$workers $!"
    done
    exec 7>"$place/end.one" 8>"$place/end.two" 5<"$place/begun.one" 6<"$place/begun.two"
    read -r begun <&5 && read -r begun <&6 && [ "$begun" = begun ] || return 1
    expect 0 "$client" cycle "${USERNT_CYCLES:-1000}" && contains cycles
    result=$?
    exec 7>&- 8>&-
    cat <&5 >"$place/one" && cat <&6 >"$place/two"
    for worker in $workers; do wait "$worker" || result=1; done
    exec 5<&- 6<&-
    grep -q '^rounds [1-9]' "$place/one" && grep -q '^rounds [1-9]' "$place/two" && return $result
}

test_keys_work_on_a_terminal() {
    expect 0 "$here/spy_keys.py" "$build"
}

test_the_hooks_of_a_logger_that_is_killed_are_removed() {
    mkfifo "$place/log"
    w2k_hook --resume '*' >"$place/log" 5>&- &
    hook=$!
    exec 5<"$place/log"
    while read -r line <&5; do [ "$line" = -resumed ] && break; done
    expect 3 w2k_hook '*' && contains 'somebody else has hooked' || return 1
    kill -KILL $hook
    wait $hook
    exec 5<&-
    # the kernel hears of the death in its own time; whoever comes next then has the hooks
    until "$client" cycle 1 2>/dev/null; do :; done
}

test_a_process_that_dies_in_a_hooked_call_does_not_keep_the_driver() {
    mkfifo "$place/lines" "$place/blocked"
    w2k_hook --resume --no-filter '*' >"$place/lines" 6>&- &
    hook=$!
    exec 5<"$place/lines"
    while read -r line <&5; do [ "$line" = -resumed ] && break; done
    cat <&5 >/dev/null &
    exec 5<&-
    "$client" block >"$place/blocked" &
    blocked=$!
    read -r line <"$place/blocked" && [ "$line" = blocking ] || return 1
    kill -KILL $blocked && kill -INT $hook && wait $hook || return 1
    expect 0 nt unload w2k_spy
    until nt load w2k_spy 2>/dev/null; do :; done
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
