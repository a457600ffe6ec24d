#!/bin/sh
# What `meson install` makes is complete, and works wherever the prefix comes to lie.
. "$(dirname "$0")/lib.sh"
command -v meson >/dev/null || { echo "1..0 # SKIP needs meson"; exit 0; }

prefix=$place/root$(meson introspect "$build" --buildoptions | python3 -c '
import json, sys
print(next(option["value"] for option in json.load(sys.stdin) if option["name"] == "prefix"))')
unset USERNT_DRIVERS

# Only what the prefix has: no build folder in PATH.
installed() { (PATH=$prefix/bin:/usr/bin:/bin && cd "$place" && timeout 20 "$@"); }

test_everything_is_installed() {
    meson install -C "$build" --no-rebuild --quiet --destdir "$place/root" || return 1
    for file in bin/nt bin/nt-kernel bin/nt-cc bin/nt-new bin/sharingmemory bin/usedriver2 bin/usedriver3 bin/loader bin/systemmodules \
        bin/w2k_call bin/w2k_hook bin/w2k_load bin/w2k_mem share/man/man1/nt.1 share/bash-completion/completions/nt \
        share/usernt/flags share/usernt/template/driver.c; do
        [ -e "$prefix/$file" ] || fail "not installed: $file" || return 1
    done
    for driver in sharingmemory example example_direct example_neither systemmodules w2k_spy; do
        [ -e "$prefix/lib/usernt/drivers/$driver.so" ] || fail "not installed: $driver.so" || return 1
    done
    for library in ntoskrnl ntseh ntdll kernel32 advapi32; do
        [ -n "$(find "$prefix" -name "lib$library.so")" ] || fail "not installed: lib$library.so" || return 1
    done
}

test_no_program_needs_the_build_folder() {
    for file in "$prefix"/bin/* $(find "$prefix" -name '*.so'); do
        ! ldd "$file" 2>/dev/null | grep -e 'not found' -e "$build" || fail "$file" || return 1
    done
}

test_an_installed_kernel_loads_a_driver_by_name() {
    expect 0 installed nt boot && expect 0 installed nt load example && expect 0 installed nt status && contains processes &&
        expect 0 installed nt unload example && expect 0 installed nt shutdown && expect 3 installed nt status
}

test_an_installed_client_installs_its_driver() {
    expect 0 installed nt boot && expect 0 installed loader --quiet </dev/null && expect 0 installed nt shutdown
}

test_a_new_driver_builds_with_what_is_installed() {
    command -v gcc >/dev/null && ! grep -q -- '-fsanitize=' "$build/build.ninja" || return 0
    installed nt new Wonder && installed make -C Wonder NT="$prefix/bin/nt" && ! ldd "$place/Wonder/template-client" 2>/dev/null | grep "$build" &&
        installed nt boot && expect 0 installed nt load "$place/Wonder/wonder.so" && installed nt shutdown
}

run_tests
