#!/bin/sh
# nt gdb: a breakpoint on a source line of a driver stops there, in one built for Linux and in one built for Windows.
. "$(dirname "$0")/lib.sh"
command -v gdb >/dev/null || { echo "1..0 # SKIP gdb is not installed"; exit 0; }
sleep 60 &
gdb -nx -batch -p $! >"$place/may" 2>&1
kill $!
if grep -qi 'ptrace: \|could not attach' "$place/may"; then
    echo "1..0 # SKIP $(grep -i 'ptrace: \|could not attach' "$place/may" | head -n 1)"
    exit 0
fi

# stops DRIVER: gdb waits at the line of driver.c that turns the bytes round, a client asks for it, and the line is shown with its stack.
stops() {
    line=$(grep -n 'for (i = 0; i < In' "$source/tests/conformance/driver.c" | cut -d: -f1)
    boot && expect 0 nt load "$1" || return 1
    rm -f "$place/at"
    timeout 120 nt gdb -nx -batch -ex "break driver.c:$line" -ex "shell echo ready >'$place/at'" -ex continue -ex 'bt 3' \
        -ex 'delete' -ex 'detach' </dev/null >"$place/gdb" 2>&1 &
    debugger=$!
    until [ -s "$place/at" ]; do kill -0 $debugger || fail "$(cat "$place/gdb")" || return 1; sleep 0.05; done
    "$build/tests/conformance-client" Requests >"$place/client"
    wait $debugger
    output=$(cat "$place/gdb")
    contains 'hit Breakpoint 1' && contains conformance/driver.c: && grep -q 'requests.turn 1 3 cba' "$place/client" && end_kernel
}
source=$(cd "$(dirname "$0")/.." && pwd)

test_a_breakpoint_in_a_native_driver_stops_there() {
    stops "$build/tests/conformance.so"
}

test_a_breakpoint_in_a_windows_driver_stops_there() {
    [ -e "$build/drivers/windows/x64/conformance.sys" ] || return 0
    stops "$build/drivers/windows/x64/conformance.sys"
}

test_without_a_kernel_it_says_so() {
    expect 3 nt gdb -batch
}

run_tests
