#!/bin/sh
# w2k_spy: its four clients against a kernel of their own.
. "$(dirname "$0")/lib.sh"

test_the_kernel_boots_and_the_loader_loads_the_driver() {
    boot --memory 64 && expect 0 w2k_load w2k_spy && contains 'registered, started' && expect 0 w2k_load w2k_spy && contains 'was running' &&
        expect 0 nt load example sharingmemory
}

test_the_loader_tells_what_it_cannot_do() {
    expect 2 w2k_load && expect 2 w2k_load a b c && expect 11 w2k_load nonesuch /unload && expect 12 w2k_load nonesuch
    expect 0 w2k_load nonesuch /unload || true
}

test_memory_is_dumped() {
    expect 0 w2k_mem '#0x40' 0x7FFE0000 && contains 'address          | 00 01 02' && contains '64 valid bytes' && contains '64 bytes requested, 64 received' &&
        expect 0 w2k_mem +d '#16' 0x7FFE0000 && contains '| 00000000 00000004  00000008 0000000C |' &&
        expect 0 w2k_mem +zw '#16' 0x7FFE0020 && contains '0000000000000000 |' &&
        expect 1 w2k_mem '#16' 0 && contains '0 valid bytes' && contains '16 bytes requested, 0 received'
}

test_bases_follow_each_other() {
    expect 0 w2k_mem '#0' 0x7FFE0000 +a '#4' 0x30 && contains '000000007FFE0030..000000007FFE0033' &&
        expect 0 w2k_mem +f '#8' 0x18 && expect 0 w2k_mem +k '#8' 0x18 && expect 0 w2k_mem '#0' +f 0x18 +p '#8' 0 && expect 0 w2k_mem +h 4 &&
        expect 3 w2k_mem +t 0 && contains 'no environment block'
}

test_a_module_of_the_clients_own_is_shown() {
    module=$build/tests/spy_module.so
    expect 0 w2k_mem "/$module" +a '#4' 0 && contains '7F 45 4C 46' && ! contains 'the start-up code runs' >/dev/null || return 1
    expect 0 w2k_mem +x "/$module" +a '#4' 0 && contains '7F 45 4C 46' && contains 'the start-up code runs' || return 1
    expect 0 w2k_mem +x -x "/$module" +ad '#4' 0 && contains 464C457F && ! contains 'the start-up code runs' >/dev/null || return 1
    expect 3 w2k_mem "/$module.none" +a '#4' 0 && contains 'error 126' && expect 3 w2k_mem "/$0" 0 && contains 'error 126' && expect 2 w2k_mem / 0
}

test_the_system_is_shown() {
    expect 0 w2k_mem +ocgi && contains 'processor control region' && contains 'TSS busy' && contains '0E  0010:' &&
        expect 0 w2k_mem +b && contains 'bytes present of'
}

test_several_clients_are_served_at_a_time() {
    clients=
    for which in 1 2 3 4; do
        (for again in 1 2 3 4 5; do w2k_mem +cgi '#4096' 0x7FFE0000 && w2k_call symbol KeSetEvent || exit 1; done) >"$place/client$which" 2>&1 &
        clients="$clients $!"
    done
    for one_client in $clients; do wait "$one_client" || return 1; done
    [ "$(grep -c 'KeSetEvent' "$place/client1")" = 5 ] && [ "$(grep -c '4096 received' "$place/client4")" = 5 ]
}

test_programs_get_json() {
    w2k_mem --json +ocgib '#16' 0x7FFE0000 >"$place/json" && python3 -c '
import json, sys
m = json.load(open(sys.argv[1]))
assert m["os"]["page_size"] == 4096 and m["cpu"]["cs"]["selector"] == 16 and m["gdt"] and m["idt"] and m["blocks"]
assert m["requested"] == m["received"] == 16 and len(m["dumps"][0]["bytes"]) == 32' "$place/json"
}

test_wrong_arguments_are_usage_errors() {
    expect 2 w2k_mem && expect 2 w2k_mem +y && expect 2 w2k_mem 12z && expect 2 w2k_mem '#' && expect 2 w2k_mem +d && expect 2 w2k_mem --nonsense 1 &&
        expect 2 w2k_hook && expect 2 w2k_hook --nonsense '*' && expect 2 w2k_call && expect 2 w2k_call nonsense
}

test_calls_are_logged_while_others_work() {
    w2k_hook --resume --no-filter '*createfile' 'nt??adfile' >"$place/hook" &
    hook=$!
    tries=0
    until grep -q resumed "$place/hook" || [ $tries = 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    echo hello | usedriver2 line >/dev/null
    tries=0
    until grep -q '=NtCreateFile(' "$place/hook" || [ $tries = 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -INT $hook
    wait $hook || return 1
    grep -Eq '^[0-9A-F]+:s[0-9A-F]+=NtCreateFile\(\+([0-9A-F]+\.[0-9A-F]+)?,n' "$place/hook" && grep -q 'hooks removed' "$place/hook" &&
        ! grep -q '=NtClose' "$place/hook"
}

test_symbols_lead_into_the_kernels_image() {
    [ "${NT_TEST_DRIVERS:-}" ] && kind='machine      0x8664' || kind='no image of Windows'
    expect 0 w2k_call module NTOSKRNL.EXE && contains 'machine      0x8664' && expect 0 w2k_call module w2k_spy.sys && contains "$kind" &&
        expect 1 w2k_call module nonesuch.sys && expect 0 w2k_call symbol KeSetEvent && expect 1 w2k_call symbol kesetevent &&
        expect 0 w2k_call exports ntoskrnl.exe 'KeSet*Event' && contains KeSetEvent
}

test_calling_is_off_until_the_registry_allows_it() {
    expect 3 w2k_call call KeQueryTimeIncrement && contains 'error 5' && expect 3 w2k_call copy 4 KeSetEvent
}

test_without_the_driver_a_client_loads_it() {
    expect 0 w2k_load w2k_spy /unload && contains 'stopped, deleted' && expect 0 w2k_mem '#1' 0x7FFE0000 && expect 0 w2k_load w2k_spy /unload
}

test_an_ordinary_user_is_refused() {
    [ "$(id -u)" = 0 ] || return 0
    nt load w2k_spy && expect 20 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/w2k_mem" '#1' 0x7FFE0000 && contains 'error 5'
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
