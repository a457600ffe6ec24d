#!/bin/sh
# The conformance driver on UserNT: as a native driver and as a .sys it must see the same.
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "$0")/.." && pwd)

test_the_kernel_boots() {
    boot
}

test_the_native_driver_sees_what_is_documented() {
    expect 0 nt load "$build/tests/conformance.so" && expect 0 "$build/tests/conformance-client" || return 1
    echo "$output" >"$place/native"
    [ "$(wc -l <"$place/native")" -gt 170 ] && expect 0 nt unload conformance || return 1
    # What the tables say of UserNT is what is seen.
    sed -n 's/^| \([a-z]*\.[a-z0-9-]*\) | \([^|]*\) |.*/\1 \2/p' "$source/docs/conformance.md" >"$place/said"
    while read -r line; do
        grep -qxF "$line" "$place/native" || { fail "docs/conformance.md says '$line'"; return 1; }
    done <"$place/said"
}

test_the_windows_driver_sees_the_same() {
    expect 0 nt load "$build/drivers/windows/x64/conformance.sys" && expect 0 "$build/tests/conformance-client" || return 1
    echo "$output" | diff "$place/native" - && expect 0 nt unload conformance
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
