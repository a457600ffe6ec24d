#!/bin/sh
# Each view of w2k_mem with a device of fixed answers, against what it printed when it was last looked at.
# tests/golden_w2k_mem.sh BUILD-FOLDER update: writes the transcripts anew.
build=${1:?usage: TEST BUILD-FOLDER [update]}
golden=$(dirname "$0")/../drivers/w2k_spy/test/golden
now=$(mktemp -d)
trap 'rm -rf "$now"' EXIT

# name: arguments
cases='bytes:0x7c0000000000
words:+w 0x7c0000000000
dwords:+d #0x44 0x7c0000000004
qwords:+q #100 0x7c0000000000
zero:+z #64 0x7c0000000010
physical:+r #64 0x7c0000000fe0
hole:#64 0x7c0000000fd8
sticky:#16 0x7c0000000000 0x7c0000000100 #0 0x7c0000000200 #8 +a 16 +s 8
pointer:#0 0x7c0000000000 +p #16 0x40
control:+f #16 0 +k 0x10
handle:+h #16 4
os:+o
cpu:+c
gdt:+g
idt:+i
blocks:+b
colour:--color +d #32 0x7c0000000000
json:--json +ocgib #20 0x7c0000000ff8
nothing:#32 0x1000'

run() {
    # shellcheck disable=SC2086
    code=0
    "$build/drivers/fake-w2k_mem" $1 >"$2" 2>&1 || code=$?
    echo "exit code $code" >>"$2"
}

echo "1..$(echo "$cases" | wc -l)"
number=0
echo "$cases" | while IFS=: read -r name arguments; do
    number=$((number + 1))
    if [ "$2" = update ]; then
        run "$arguments" "$golden/$name.txt"
    elif run "$arguments" "$now/$name" && diff "$golden/$name.txt" "$now/$name" >"$now/diff"; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' "$now/diff"
        echo "not ok $number - $name"
    fi
done
