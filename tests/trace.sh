#!/bin/sh
# A test of the drivers (NAME.sh of this folder) with the drivers that were built for Linux, and with those that were built for Windows: both
# pass, and what the drivers answer is the same. usage: trace.sh BUILD-FOLDER NAME
. "$(dirname "$0")/lib.sh"
name=${2:?usage: trace.sh BUILD-FOLDER NAME}

# run TRACE DRIVERS: every line of the test's is ok, and it has come to its end
run() {
    NT_TEST_TRACE=$1 NT_TEST_DRIVERS=$2 sh "$(dirname "$0")/$name.sh" "$build" >"$place/tap" 2>&1
    grep -v '^ok ' "$place/tap" | grep -v '^1\.\.' && return 1
    [ "1..$(grep -c '^ok ' "$place/tap")" = "$(head -n 1 "$place/tap")" ] || fail "not to the end"
}

test_it_passes_with_the_drivers_for_linux() {
    run "$place/linux" ''
}

test_it_passes_with_the_drivers_for_windows() {
    run "$place/windows" "$build/drivers/windows/x64"
}

test_every_request_has_the_same_status_and_information() {
    "$(dirname "$0")/trace.py" "$place/linux" "$place/windows"
}

test_a_difference_would_be_seen() {
    sed '1s/ -> STATUS_SUCCESS [0-9]*/ -> STATUS_SUCCESS 77/' "$place/linux" >"$place/changed" && ! cmp -s "$place/linux" "$place/changed" &&
        cp "$place/linux.tests" "$place/changed.tests" && expect 1 "$(dirname "$0")/trace.py" "$place/changed" "$place/linux" && contains '; 1 tests differ'
}

run_tests
