#!/bin/sh
# The kernel process: booting, ending, being found, being absent.
. "$(dirname "$0")/lib.sh"

test_a_client_without_a_kernel_is_told_so() {
    expect 3 nt status && contains 'no kernel answers at' && contains 'nt boot'
}

test_the_kernel_boots_and_tells_its_status() {
    boot && expect 0 nt status && contains 'processors'
}

test_a_second_kernel_at_the_same_address_says_so() {
    expect 1 nt-kernel && contains 'already answers'
}

test_status_is_also_json() {
    expect 0 nt status --json && echo "$output" | python3 -m json.tool >/dev/null
}

test_the_module_list_begins_with_the_kernel() {
    expect 0 nt modules && [ "$(echo "$output" | sed -n 2p | grep -c ntoskrnl.exe)" = 1 ]
}

test_the_namespace_has_its_directories() {
    expect 0 nt obj '\' && contains Device && contains Driver && contains BaseNamedObjects
}

test_exports_are_listed_one_a_line() {
    expect 0 nt exports && [ "$(echo "$output" | grep -c '^IofCompleteRequest$')" = 1 ]
}

test_a_driver_is_loaded_listed_and_unloaded() {
    expect 0 nt load example && expect 0 nt modules && contains example.sys && expect 0 nt sc query example && contains running &&
        expect 0 nt sc query example --json && contains '"state": "running"' && expect 2 nt sc start example --json &&
        expect 0 nt unload example && expect 0 nt modules && case $output in *example.sys*) fail 'still there' ;; esac
}

test_a_driver_that_is_not_there_is_named() {
    expect 1 nt load nonesuch && contains nonesuch
}

test_loading_twice_says_already_running() {
    nt load example && expect 1 nt load example && contains 1056 && nt unload example
}

test_a_hundred_clients_at_once() {
    clients=
    for i in $(seq 100); do
        nt status >/dev/null &
        clients="$clients $!"
    done
    for client in $clients; do wait "$client" || return 1; done
}

test_the_kernel_ends_clean() {
    end_kernel && expect 3 nt status
}

test_a_kernel_that_was_killed_leaves_its_address_free() {
    boot && kill -KILL $kernel && wait $kernel 2>/dev/null
    boot && end_kernel
}

test_a_kernel_without_standard_streams_keeps_them_free() {
    nt-kernel --drivers "$USERNT_DRIVERS" <&- >&- 2>&- & kernel=$!
    until nt status >/dev/null 2>&1; do kill -0 $kernel || return 1; done
    for stream in 0 1 2; do
        [ "$(readlink "/proc/$kernel/fd/$stream")" = /dev/null ] || { fail "stream $stream is taken"; return 1; }
    done
    expect 0 nt load example && end_kernel
}

test_a_script_may_keep_what_boot_prints() {
    expect 0 timeout 20 sh -c 'said=$(nt boot); nt shutdown' && expect 3 nt status
}

test_a_script_may_keep_its_errors_too() {
    expect 0 timeout 20 sh -c 'said=$(nt boot --echo 2>&1) && [ -z "$said" ] && nt load example; nt shutdown' && [ -f "$USERNT_ADDRESS.log" ]
}

test_help_tells_of_one_verb() {
    expect 0 nt help pool && contains 'usage: nt pool [--json]' && expect 2 nt help nonesuch && contains "no verb 'nonesuch'"
}

test_a_device_by_its_native_name_gets_a_hint() {
    boot && nt load example && expect 1 nt ioctl '\Device\X' 0x222000 && contains '\\.\GLOBALROOT\Device\X' && end_kernel
}

test_no_folder_is_made_for_an_address() {
    expect 1 nt boot --address "$place/none/such/kernel.socket" && contains 'No such file or directory' && ! [ -e "$place/none" ] &&
        expect 1 env USERNT_ADDRESS="$place/none/such/kernel.socket" nt boot && ! [ -e "$place/none" ]
}

test_a_bus_is_described_as_lspci_does() {
    printf '00:02.0 Ethernet controller\n\tRegion 0: Memory at fe800000 [size=8K]\n00: 86 80 d3 10\n' >"$place/bus"
    boot --bus "$place/bus" && end_kernel && echo junk >>"$place/bus" && expect 1 nt-kernel --bus "$place/bus" && contains "$place/bus:4: not as" &&
        expect 1 nt-kernel --bus "$place/none" && contains 'cannot read'
}

test_what_drivers_answer_is_written_to_a_file() {
    boot --trace "$place/trace" && nt load example && echo text | usedriver2 hello >"$place/hello" && expect 1 nt ioctl Example 0x0022E008 && end_kernel &&
        output=$(cat "$place/trace") && contains 'example: IRP_MJ_CREATE "\hello" -> STATUS_SUCCESS 0 (process ' &&
        contains 'example: IRP_MJ_WRITE 5 -> STATUS_SUCCESS 5 (process ' &&
        contains 'example: IRP_MJ_DEVICE_CONTROL 0x0022e008, in 0, out 4096 -> STATUS_UNSUCCESSFUL 0 (process '
}

test_a_trace_that_cannot_be_written_is_told_of() {
    expect 1 nt-kernel --trace "$place/none/trace" && contains "cannot write $place/none/trace: No such file" &&
        expect 1 nt-kernel --trace "$place/$(head -c 600 /dev/zero | tr '\0' n)" && contains 'File name too long' || return 1
    boot --trace /dev/full && nt load example && expect 1 usedriver3 --once x && nt shutdown && kernel_ends && [ "$kernel_code" = 1 ] &&
        output=$(cat "$place/kernel.err") && contains 'the trace /dev/full ends here: No space left on device'
}

test_the_share_of_what_drivers_import_is_told() {
    expect 0 nt exports --coverage && contains '% of their' && expect 0 nt exports --coverage --json &&
        echo "$output" | python3 -c 'import json,sys; d=json.load(sys.stdin); sys.exit(d["imports_covered"] < 0.8 * d["imports"])'
}

test_a_bad_option_is_a_usage_error() {
    expect 2 nt-kernel --memory none && contains 'not a number' && expect 2 nt boot --nonsense
}

run_tests
