#!/bin/sh
# The library of w2k_call, family by family (spy_calls.c).
. "$(dirname "$0")/lib.sh"
calls=$build/tests/spy_calls

test_without_the_driver_the_device_cannot_be_opened() {
    boot && expect 0 "$calls" absent
}

test_calls_are_off_until_the_registry_allows_them() {
    expect 0 w2k_load w2k_spy && expect 0 "$calls" locked && expect 0 "$calls" allow && expect 0 "$calls" locked &&
        expect 0 nt sc stop w2k_spy && expect 0 nt sc start w2k_spy
}

test_modules() { expect 0 "$calls" modules; }
test_control_requests() { expect 0 "$calls" control; }
test_calls() { expect 0 "$calls" calls; }
test_copies() { expect 0 "$calls" copies; }
test_threads_share_the_device() { expect 0 "$calls" threads; }

test_the_program_calls_too() {
    expect 0 w2k_call call RtlUlongByteSwap 0x01020304 && contains 0x0000000004030201 && expect 0 w2k_call call --fast RtlUlonglongByteSwap 1 &&
        contains 0x0100000000000000 && expect 0 w2k_call copy 2 KeSetEvent && contains 0xBB49
}

# What lies in the kernel and follows the other calling convention cannot be called by w2k_spy.sys.
test_symbols_of_a_native_driver_come_from_nm() {
    [ -z "${NT_TEST_DRIVERS:-}" ] || return 0
    nm "$build/tests/exports.so" >"$place/nm" && expect 0 nt load "$build/tests/exports.so" && expect 0 "$calls" files exports.sys "$place/none" &&
        expect 0 "$calls" symbols exports.sys "$place/nm" && expect 0 nt unload exports
}

test_symbols_of_an_image_come_from_its_linkers_map() {
    [ -e "$build/drivers/windows/x64/exports.sys" ] && [ -z "${NT_NO_IMAGES:-}" ] || return 0
    expect 0 nt load "$build/drivers/windows/x64/exports.sys" && rm -f "$place/none" && expect 0 "$calls" files exports.sys "$place/none" &&
        expect 0 "$calls" symbols exports.sys "$build/drivers/windows/x64/exports.map"
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
