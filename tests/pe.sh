#!/bin/sh
# Drivers that were built for Windows: what they may do beyond what the drivers' own tests show.
. "$(dirname "$0")/lib.sh"

test_the_kernel_boots() {
    boot
}

test_structured_exceptions_are_as_documented() {
    expect 0 nt load seh || return 1
    [ "$(nt log | grep -c 'seh: .*: good')" -ge 15 ] && ! nt log | grep 'seh: .*WRONG'
}

test_frames_are_left_as_documented() {
    expect 0 nt load unwind && expect 0 nt unload unwind || return 1
    [ "$(nt log | grep -c 'unwind: .*: good')" = 17 ] && ! nt log | grep 'unwind: .*WRONG'
}

test_privileged_instructions_are_as_documented() {
    expect 0 nt load privileged && expect 0 nt unload privileged || return 1
    [ "$(nt log | grep -c 'privileged: .*: good')" = 14 ] && ! nt log | grep 'privileged: .*WRONG'
}

refused_because() {
    expect 1 nt load "$place/$1.sys" || return 1
    case $output in *"$1.sys: "*"$2"*) ;; *) fail "no reason '$2': $output" ;; esac
}

test_a_damaged_image_is_refused_with_the_reason() {
    head -c 3000 "$USERNT_DRIVERS/seh.sys" >"$place/short.sys"
    head -c 40 "$USERNT_DRIVERS/seh.sys" >"$place/shorter.sys"
    : >"$place/empty.sys"
    refused_because short "a section's data lie outside the file" && refused_because shorter 'no DOS header' &&
        refused_because empty 'not an x86-64 ELF shared object'
}

test_a_native_driver_and_a_windows_driver_run_side_by_side() {
    expect 0 nt load "$build/drivers/example_direct.so" example &&
        expect 0 nt unload seh
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
