#!/bin/sh
# Each view of w2k_spy's clients with a device of fixed answers, against what it printed when it was last looked at.
# tests/golden_w2k_spy.sh BUILD-FOLDER update: writes the transcripts anew.
build=${1:?usage: TEST BUILD-FOLDER [update]}
golden=$(dirname "$0")/../drivers/w2k_spy/test/golden
now=$(mktemp -d)
trap 'rm -rf "$now"' EXIT

# name|program|environment|arguments
cases='bytes|mem||0x7c0000000000
words|mem||+w 0x7c0000000000
dwords|mem||+d #0x44 0x7c0000000004
qwords|mem||+q #100 0x7c0000000000
zero|mem||+z #64 0x7c0000000010
physical|mem||+r #64 0x7c0000000fe0
hole|mem||#64 0x7c0000000fd8
sticky|mem||#16 0x7c0000000000 0x7c0000000100 #0 0x7c0000000200 #8 +a 16 +s 8
pointer|mem||#0 0x7c0000000000 +p #16 0x40
control|mem||+f #16 0 +k 0x10
handle|mem||+h #16 4
os|mem||+o
cpu|mem||+c
gdt|mem||+g
idt|mem||+i
blocks|mem||+b
colour|mem||--color +d #32 0x7c0000000000
json|mem||--json +ocgib #20 0x7c0000000ff8
nothing|mem||#32 0x1000
teb|mem|FAKE=teb|+t #16 0 +u 0x10
noteb|mem||+t 0
masks|mem||+pzd -p #16 0x7c0000000000 -zd 0x7c0000000000 +R #8 0x7c0000000000
large|mem||#0x10 X7C0000000000 #x8 0x7c0000000100
badoption|mem||+y 1
badnumber|mem||12z
nodata|mem||+d
nosize|mem||#
nomodule|mem||/no/such/module 1
hook_usage|hook||
hook_paused|hook||*
hook_keys|hook|FAKE_KEYS=pfxrpPf|*
hook_patterns|hook|FAKE_KEYS=.|--resume --no-filter nt*file *?KEY
hook_adjacent|hook|FAKE_KEYS=.|--resume **close* *??openkey
hook_colour|hook|FAKE_KEYS=.p|--resume --no-filter --color=always *
hook_busy|hook|FAKE=busy|*
hook_broken|hook|FAKE=broken|*
hook_denied|hook|FAKE=denied|*
hook_version|hook|FAKE=version|*
hook_loads|hook|FAKE=absent|*
hook_nofile|hook|FAKE=nofile|*
hook_nomanager|hook|FAKE=nomanager|*
call_usage|call||
call_module|call||module fake.sys
call_native|call||module native.sys
call_none|call||module none.sys
call_exports|call||exports fake.sys
call_pattern|call||exports fake.sys *a*
call_nomatch|call||exports fake.sys x*
call_symbol|call||symbol fake.sys!Beta
call_nosymbol|call||symbol Beta
call_call|call||call fake.sys!Beta 1 0x20 010
call_fast|call||call --fast fake.sys!Beta 1
call_number|call||call fake.sys!Beta 1x
call_copy|call||copy 4 fake.sys!Beta
call_locked|call|FAKE=locked|call fake.sys!Beta
call_faulty|call|FAKE=faulty|call fake.sys!Beta
call_denied|call|FAKE=denied|symbol x
load_usage|load||
load_new|load||/drivers/fake.sys
load_windows|load||C:\drivers\fake.sys
load_registered|load|FAKE=registered|fake
load_running|load|FAKE=running|fake
load_nomanager|load|FAKE=nomanager|fake
load_noname|load|FAKE=noname|fake
load_nofile|load|FAKE=nofile|fake
load_unload|load|FAKE=running|/drivers/fake.sys /unload
load_unknown|load||fake /unload
load_stuck|load|FAKE=stuck|fake /unload
load_undeletable|load|FAKE=undeletable|fake /unload'

run() {
    code=0
    # shellcheck disable=SC2086
    (set -f; exec env ${2:+"$2"} "$build/drivers/fake-w2k_$1" $3) >"$4" 2>&1 || code=$?
    echo "exit code $code" >>"$4"
}

echo "1..$(printf '%s\n' "$cases" | wc -l)"
number=0
printf '%s\n' "$cases" | while IFS='|' read -r name program environment arguments; do
    number=$((number + 1))
    if [ "$2" = update ]; then
        run "$program" "$environment" "$arguments" "$golden/$name.txt"
    elif run "$program" "$environment" "$arguments" "$now/$name" && diff "$golden/$name.txt" "$now/$name" >"$now/diff"; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' "$now/diff"
        echo "not ok $number - $name"
    fi
done
