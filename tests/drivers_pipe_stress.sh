#!/bin/sh
# The pipe under load: two writers and two readers, clients killed at random, very many names.
# USERNT_BYTES: through the pipe in each mode (10000000); USERNT_KILLS: clients to kill (500); USERNT_NAMES: names in
# each of four processes (25000); USERNT_SEED: repeats what is random.
. "$(dirname "$0")/lib.sh"
bytes=${USERNT_BYTES:-10000000}
kills=${USERNT_KILLS:-500}
names=${USERNT_NAMES:-25000}
export USERNT_SEED=${USERNT_SEED:-$(date +%s)}
stress=$build/tests/pipe_stress

# The live blocks of the driver, by the figures that programs read.
live_json() {
    nt pool --json | python3 -c '
import json, sys
rows = json.load(sys.stdin)
print(sum(int(r["live"]) for r in rows if r["tag"].strip() in ("Exp", "ExpT")))'
}

has_no_block() { [ "$(live_json)" = 0 ]; }
nothing_left() { soon has_no_block || fail "$(live_json) blocks left (seed $USERNT_SEED)"; }

# started FILE: the client that writes there has begun
started() {
    until [ -s "$1" ]; do kill -0 "$2" || return 1; done
}

# keep COMMAND...: runs until fd 7 is closed; its process is $keeper
keep() {
    rm -f "$place/keep" "$place/kept"
    mkfifo "$place/keep"
    "$@" <"$place/keep" >"$place/kept" 2>"$place/kept.err" &
    keeper=$!
    exec 7>"$place/keep"
    started "$place/kept" $keeper
}

# transfer KIND: two writers, two readers; what was read is what was written
transfer() {
    keep "$stress" hold pipe "$1" || return 1
    "$stress" read pipe "$place/first" "$1" 7>&- >"$place/one" & reader=$!
    "$stress" read pipe "$place/second" "$1" 7>&- >"$place/two" & other=$!
    "$stress" write pipe 0 $((bytes / 2)) "$1" 7>&- >"$place/zero.count" & writer=$!
    "$stress" write pipe 1 $((bytes / 2)) "$1" 7>&- >"$place/one.count" || return 1
    wait $writer || return 1
    exec 7>&-
    wait $keeper && wait $reader && wait $other || return 1
    "$stress" check "$(cat "$place/zero.count")" "$(cat "$place/one.count")" "$place/first" "$place/second" ||
        fail "seed $USERNT_SEED"
}

test_the_kernel_boots_with_the_driver() { boot && nt load example; }
test_two_writers_and_two_readers_exchange_bytes() { transfer bytes && nothing_left; }
test_two_writers_and_two_readers_exchange_messages() { transfer messages && nothing_left; }

# A few victims run at a time; one after the other is killed, and another started.
test_clients_killed_at_random_disturb_nobody_else() {
    keep "$stress" witness witness || return 1
    victims=
    for i in $(seq "$kills"); do
        USERNT_SEED=$((USERNT_SEED + i)) "$stress" victim 7>&- 2>>"$place/victims" &
        victims="$victims $!"
        set -- $victims
        [ $# -lt 5 ] && continue
        sleep "0.0$(awk -v n="$((USERNT_SEED + i))" 'BEGIN { srand(n); print int(rand() * 5) }')"
        kill -KILL "$1" || { fail "a victim failed (seed $USERNT_SEED): $(cat "$place/victims")"; break; }
        wait "$1" 2>/dev/null
        shift
        victims="$*"
    done
    kill -KILL $victims
    wait $victims 2>/dev/null
    [ ! -s "$place/victims" ] || fail "$(cat "$place/victims")" || return 1
    kill -0 $keeper || fail "the witness noticed: $(cat "$place/kept.err")" || return 1
    exec 7>&-
    wait $keeper || fail "the witness noticed: $(cat "$place/kept.err")"
}

test_nothing_of_them_is_left() { nothing_left && no_handle_is_left; }

test_the_pipe_is_as_good_as_new() { transfer messages && nothing_left; }

test_four_processes_open_and_close_very_many_names() {
    mkfifo "$place/all"
    clients=
    for part in 0 1 2 3; do
        "$stress" names "$names" $part <"$place/all" >"$place/names$part" 2>>"$place/names.err" &
        clients="$clients $!"
    done
    exec 7>"$place/all"
    set -- $clients
    for part in 0 1 2 3; do
        started "$place/names$part" "$1" || fail "$(cat "$place/names.err")" || return 1
        shift
    done
    [ "$(live_json)" -gt $((names * 4 * 2)) ] || fail "only $(live_json) blocks" || return 1
    exec 7>&-
    for client in $clients; do wait "$client" || fail "$(cat "$place/names.err")" || return 1; done
    nothing_left
}

test_the_kernel_ends_clean() { nt unload example && end_kernel; }

run_tests
