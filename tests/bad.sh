#!/bin/sh
# Every argument of a request wrong in turn, on every driver: a clear status, no bug check, nothing lost.
# USERNT_CODE_STEP: one of so many control codes is tried (default 1).
. "$(dirname "$0")/lib.sh"
drivers="sharingmemory example example_direct example_neither systemmodules bench"

all_drivers() { for driver in $drivers; do nt "$1" $driver || return 1; done; }

test_a_kernel_with_its_drivers() { boot && all_drivers load; }
test_a_first_time() { timeout 100 "$build/tests/bad" 4099 || return 1; pool_figures >"$place/before"; }
test_every_argument_wrong_in_turn() { timeout 280 "$build/tests/bad" "${USERNT_CODE_STEP:-1}" && kill -0 "$kernel"; }

test_no_handle_is_left() { no_handle_is_left; }

test_pools_hold_what_they_held() { no_pool_has_grown "$place/before"; }

test_the_drivers_unload_and_the_kernel_ends_clean() { all_drivers unload && end_kernel; }

run_tests
