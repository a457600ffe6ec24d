#!/bin/sh
# An ordinary user, beside the one who booted (root).
. "$(dirname "$0")/lib.sh"
ordinary() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

if [ "$(id -u)" != 0 ] || ! ordinary true 2>/dev/null || ! ordinary test -x "$bin/nt"; then
    echo "1..0 # SKIP needs root, setpriv, and a build folder that others can read"
    exit 0
fi

test_a_kernel_with_its_drivers() { boot && nt load sharingmemory && nt load example; }

test_an_ordinary_user_may_ask_what_is_public() {
    expect 0 ordinary env PATH="$PATH" nt status && contains processors && expect 0 ordinary env PATH="$PATH" nt modules
}

test_an_ordinary_user_is_told_no_address_of_a_module() {
    expect 0 ordinary env PATH="$PATH" systemmodules && contains 'base 0x0000000000000000' && contains SeDebugPrivilege &&
        expect 0 ordinary env PATH="$PATH" nt modules && contains 0x0000000000000000 && expect 0 systemmodules && ! contains 'base 0x0000000000000000'
}

test_sharingmemory_refuses_an_ordinary_user() {
    expect 1 ordinary env PATH="$PATH" nt ioctl SharingMemory 0x226000 --out 8 && contains '(error 5,'
}

test_an_ordinary_user_cannot_load_a_driver() {
    expect 1 ordinary env PATH="$PATH" nt load systemmodules && contains '(error 5,'
}

test_an_ordinary_user_cannot_unload_one() {
    expect 1 ordinary env PATH="$PATH" nt unload example && contains '(error 5,'
    expect 0 nt sc query example && contains running
}

as_user() {
    user=$1
    shift
    setpriv --reuid="$user" --regid="$user" --clear-groups env PATH="$PATH" "$@"
}

# hold BLOCKS COMMAND...: a reader of the pipe that stays until its last writer has gone; $holder. When this returns it has opened the pipe, which makes
# so many blocks: quota, instance and pipe, and a guard if others are to be kept out.
hold() {
    blocks=$1
    shift
    "$@" >"$place/held" 2>&1 &
    holder=$!
    for _ in $(seq 500); do
        [ "$(live_blocks_of Exp)" = "$blocks" ] && return 0
        kill -0 $holder 2>/dev/null || break
    done
    fail "nobody holds the pipe: $(cat "$place/held")"
}

test_a_pipe_for_its_owner_only_refuses_a_stranger_and_an_administrator() {
    hold 4 as_user 65534 usedriver3 --quiet --only me mine || return 1
    expect 20 as_user 12345 usedriver2 --quiet mine && contains 'error 5' && expect 20 usedriver2 --quiet mine && contains 'error 5' &&
        echo text | as_user 65534 usedriver2 --quiet mine && wait $holder && [ "$(cat "$place/held")" = text ]
}

test_a_pipe_for_administrators_lets_them_in_and_no_stranger() {
    hold 4 as_user 65534 usedriver3 --quiet --only S-1-5-32-544 mine || return 1
    expect 20 as_user 12345 usedriver2 --quiet mine && contains 'error 5' &&
        echo text | usedriver2 --quiet mine && wait $holder && [ "$(cat "$place/held")" = text ]
}

test_a_pipe_of_everybody_lets_a_stranger_in_but_not_restrict_it() {
    hold 3 as_user 65534 usedriver3 --quiet mine || return 1
    expect 20 as_user 12345 usedriver3 --once --only me mine && contains 'cannot keep others out' && contains 'error 5' &&
        echo text | as_user 12345 usedriver2 --quiet mine && wait $holder && [ "$(cat "$place/held")" = text ]
}

test_an_ordinary_user_cannot_end_the_kernel() {
    code=0
    ordinary env PATH="$PATH" nt shutdown >/dev/null 2>&1 || code=$?
    [ $code != 0 ] && kill -0 "$kernel"
}

test_the_kernel_ends_clean() { nt unload sharingmemory && nt unload example && end_kernel; }

run_tests
