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

test_calls_by_way_of_a_guard_and_out_of_leaves_arrive() {
    expect 0 nt load guarded && expect 0 nt unload guarded || return 1
    [ "$(nt log | grep -c 'guarded: .*: good')" = 7 ] && ! nt log | grep 'guarded: .*WRONG'
}

is_listed() { nt modules | grep -q "$1"; }

test_what_a_driver_imports_from_is_loaded_with_it() {
    expect 0 nt load imports || return 1
    [ "$(nt log | grep -c 'imports: .*: good')" = 9 ] && ! nt log | grep 'WRONG' || return 1
    nt log | grep -q 'library: initialized for .*Services.library$' && is_listed library.sys && is_listed exports.sys || return 1
    expect 1 nt load library && expect 0 nt unload imports || return 1
    nt log | grep -q 'imports: unloaded: good' && nt log | grep -q 'library: unloaded' && ! is_listed library.sys && is_listed exports.sys
}

test_a_driver_that_others_import_from_stays_as_long() {
    expect 0 nt load library imports && expect 0 nt unload library && is_listed library.sys || return 1
    expect 0 nt unload imports && ! is_listed library.sys
}

test_an_import_that_nobody_provides_is_named() {
    mkdir "$place/alone" && cp "$USERNT_DRIVERS/imports.sys" "$place/alone/lonely.sys" && cp "$USERNT_DRIVERS/exports.sys" "$place/alone"
    expect 1 nt load "$place/alone/lonely.sys"
    case $output in *'lonely.sys: no driver provides library.sys!LibraryCount'*) ;; *) fail "$output" ;; esac
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
