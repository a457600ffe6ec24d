#!/bin/sh
# Boots a kernel of its own, loads the driver, uses it, unloads it. Prints TAP.
set -u
NT=${NT:-nt}
USERNT_ADDRESS=$(mktemp -d)/kernel
export USERNT_ADDRESS
number=0
failures=0

check() { # check WHAT EXPECTED ACTUAL
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1 (expected '$2', got '$3')"
        failures=$((failures + 1))
    fi
}

trap '"$NT" shutdown >/dev/null 2>&1' EXIT
"$NT" boot >/dev/null || { echo "Bail out! no kernel"; exit 1; }
"$NT" load ./template.so >/dev/null
check "the driver loads" 0 $?
check "it says so" 1 "$("$NT" log | grep -c 'template *loaded from')"
check "it answers in upper case" "HELLO, 12" "$(./template-client 'hello, 12')"
check "an empty text is refused" 1 "$(./template-client '' 2>/dev/null; echo $?)"
"$NT" unload template >/dev/null
check "it unloads" 0 $?
check "the device is gone" 1 "$(./template-client x 2>/dev/null; echo $?)"
echo "1..$number"
[ "$failures" = 0 ]
