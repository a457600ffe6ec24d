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

test_an_ordinary_user_cannot_end_the_kernel() {
    code=0
    ordinary env PATH="$PATH" nt shutdown >/dev/null 2>&1 || code=$?
    [ $code != 0 ] && kill -0 "$kernel"
}

test_the_kernel_ends_clean() { nt unload sharingmemory && nt unload example && end_kernel; }

run_tests
