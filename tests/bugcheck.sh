#!/bin/sh
# A driver's error ends the kernel with a report; its clients get an error.
. "$(dirname "$0")/lib.sh"

# errs CODE REPORT FUNCTION: the control code, what the report must say, the driver's function in it. A bystander that waits in the kernel
# must come back with an error too.
errs() {
    [ -z "$kernel" ] || kill -KILL "$kernel"
    boot && nt load "$build/tests/faults.so" && nt load example || return 1
    rm -f "$place/bystander"
    "$build/tests/bystander" >"$place/bystander" 2>&1 &
    bystander=$!
    until [ -s "$place/bystander" ]; do kill -0 $bystander || return 1; sleep 0.02; done
    code=0
    output=$(timeout 30 nt ioctl Faults "$1" 2>&1) || code=$?
    [ $code = 3 ] && contains 'the kernel has ended' || fail "the client ended with $code: $output" || return 1
    kernel_ends
    output=$(cat "$place/kernel.err")
    [ "$kernel_code" = 250 ] || fail "the kernel ended with $kernel_code: $output" || return 1
    code=0
    wait $bystander || code=$?
    [ $code = 0 ] || fail "the bystander ended with $code: $(cat "$place/bystander")" || return 1
    contains "$2" && contains faults && contains "$3"
}

test_null_at_passive_level() { errs 0x222004 0x0000003B ReadNull; }
test_system_memory_that_is_not_there() { errs 0x222008 0x00000050 ReadUnmapped; }
test_completed_twice() { errs 0x22200c 0x00000044 CompleteTwice; }
test_null_at_dispatch_level() { errs 0x222010 0x000000D1 ReadNullRaised; }
test_an_overrun_array_on_the_stack() { errs 0x222014 0x000000F7 Overrun; }
test_a_return_over_an_overrun_stack() { errs 0x222018 0x0000003B ReturnNowhere; }
test_an_overrun_try_statement() { errs 0x22201c 0x000000F7 OverrunFrame; }
test_a_stack_overrun_to_its_end() { errs 0x222020 0x0000003B OverrunAll; }
test_freed_memory_written_to() { errs 0x222040 0x000000C6 WriteFreed && contains "written to: byte 12 to 15" && contains "tag 'Fult'"; }
test_a_timer_in_freed_memory() { errs 0x222044 0x000000C7 FreeActive; }
test_a_resource_in_freed_memory() { errs 0x222048 0x000000C4 FreeActive && contains 0x00000000000000d2; }
test_a_lookaside_list_in_freed_memory() { errs 0x22204c 0x000000C4 FreeActive && contains 0x00000000000000cc; }
test_an_irp_freed_as_pool() { errs 0x222050 0x000000C4 "IoFreeIrp" && contains 0x0000000000000105; }
test_a_queued_dpc_in_freed_memory() { errs 0x222054 0x000000C7 FreeActive; }
test_a_dpc_that_runs_for_long() {
    export USERNT_DPC_WATCHDOG=1
    errs 0x222058 0x00000133 OnDpc
    code=$?
    unset USERNT_DPC_WATCHDOG
    return $code
}

# A kernel in the background says nothing to anybody: its clients are told where it said it.
test_a_report_of_a_kernel_in_the_background_is_named() {
    [ -z "$kernel" ] || kill -KILL "$kernel"
    kernel=
    expect 0 nt boot && expect 0 nt load "$build/tests/faults.so" && expect 3 nt ioctl Faults 0x222004 &&
        contains 'the kernel has ended' && contains "$USERNT_ADDRESS.log" && grep -q 'STOP 0x0000003B' "$USERNT_ADDRESS.log" || return 1
    expect 0 nt boot && expect 0 nt shutdown && ! [ -s "$USERNT_ADDRESS.log" ]
}

run_tests
