#!/bin/sh
# What a driver leaves behind when it is unloaded ends the kernel with a report that names it.
. "$(dirname "$0")/lib.sh"
export ASAN_OPTIONS=${ASAN_OPTIONS:-handle_segv=0:handle_sigbus=0:detect_leaks=0}

# leaves CODE REPORT...: the control code that says what; what the report must say.
leaves() {
    [ -z "$kernel" ] || kill -KILL "$kernel"
    boot && nt load "$build/tests/leaves.so" || return 1
    output=$(nt ioctl Leaves "$1" 2>&1) || fail "the control request failed: $output" || return 1
    shift
    ! output=$(timeout 30 nt unload leaves 2>&1) || nt shutdown >/dev/null 2>&1 || kill -KILL "$kernel"
    kernel_ends
    output=$(cat "$place/kernel.err")
    [ "$kernel_code" = 250 ] || fail "the kernel ended with $kernel_code: $output" || return 1
    for text; do contains "$text" || return 1; done
}

test_nothing() {
    boot && nt load "$build/tests/leaves.so" && nt unload leaves && nt load "$build/tests/leaves.so" || return 1
    nt unload leaves && nt shutdown
    kernel_ends
    [ "$kernel_code" = 0 ] || fail "the kernel ended with $kernel_code" || return 1
    kernel=
}
test_pool() {
    leaves 0x222004 0x000000C4 0x0000000000000062 "has not freed 3 blocks of pool" "40 bytes, tag 'Leav', allocated at LeavePool" \
        "paged pool" "40000 bytes, tag 'Leav'"
}
test_a_memory_descriptor_list() { leaves 0x222008 0x000000C4 0x0000000000000062 "tag 'Mdl '" "allocated at Unload"; }
test_an_allocated_string() { leaves 0x22200c 0x000000C4 0x0000000000000062 "allocated at"; }
test_a_timer() { leaves 0x222010 0x000000C7 "timer or DPC in its data"; }
test_a_timer_that_calls_it() { leaves 0x222014 0x000000C7 0x0000000000000002 "OnDpc"; }
test_a_lookaside_list() { leaves 0x222018 0x000000C4 0x00000000000000cc "look-aside list"; }
test_a_resource() { leaves 0x22201c 0x000000C4 0x00000000000000d2 "ExDeleteResourceLite"; }
test_a_system_thread() { leaves 0x222020 0x000000CE "system thread"; }
test_a_notify_routine() { leaves 0x222024 0x000000CE "notify routine"; }
test_a_bug_check_callback() { leaves 0x222028 0x000000CE "bug check callback"; }
test_a_registry_callback() { leaves 0x22202c 0x000000CE "registry callback"; }
test_an_object_callback() { leaves 0x222030 0x000000CE "ObRegisterCallbacks"; }
test_a_callback_of_a_callback_object() { leaves 0x222034 0x000000C4 0x0000000000000062 "allocated at LeaveExCallback"; }
test_a_device() { leaves 0x222038 0x000000CE "IoDeleteDevice is missing"; }
test_an_irp() { leaves 0x22203c 0x000000C4 0x0000000000000062 "tag 'Irp '"; }
test_a_work_item() { leaves 0x222040 0x000000C4 0x0000000000000062 "allocated at Unload"; }

run_tests
