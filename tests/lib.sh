# What the end-to-end tests share: TAP lines, a kernel of their own, a folder that goes away.
# A test is a shell script that sources this, defines functions test_…, and calls run_tests.
# Arguments of every test script: the build folder.

build=${1:?usage: TEST BUILD-FOLDER}
bin=$build/bin
place=$(mktemp -d)
chmod 755 "$place"
export USERNT_ADDRESS="$place/kernel.socket"
export USERNT_DRIVERS="${NT_TEST_DRIVERS:-$build/drivers}" # where the drivers under test are
PATH=$bin:$PATH
kernel=

# In a sanitizer build every process reports into files here, the kernel and the clients whose output nobody reads too.
reports=$place/reports
mkdir -m 1777 "$reports"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$reports/of"
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}log_path=$reports/of"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$reports/of"

fail() {
    echo "# $*"
    return 1
}

# boot [options of nt-kernel]: a kernel in the background, ready when this returns. $kernel is its process.
boot() {
    [ -z "$kernel" ] || kill -KILL "$kernel" 2>/dev/null || true # a test that failed has left it
    mkfifo "$place/ready"
    # shellcheck disable=SC2086
    nt-kernel --drivers "$USERNT_DRIVERS" ${NT_TEST_TRACE:+--trace "$NT_TEST_TRACE"} "$@" --ready-file 9 9>"$place/ready" 2>"$place/kernel.err" &
    kernel=$!
    read -r _ <"$place/ready" || true
    rm -f "$place/ready"
    kill -0 $kernel 2>/dev/null || fail "the kernel did not boot: $(cat "$place/kernel.err")"
}

# Waits for the kernel's end; its exit code is $kernel_code.
kernel_ends() {
    kernel_code=0
    wait $kernel || kernel_code=$?
    kernel=
}

end_kernel() {
    [ -z "$kernel" ] && return 0
    nt shutdown || return 1
    kernel_ends
    [ "$kernel_code" = 0 ] || fail "the kernel ended with $kernel_code: $(tail -n 30 "$place/kernel.err")"
}

clean_up() {
    trap - EXIT
    [ -n "$kernel" ] && kill -KILL $kernel 2>/dev/null
    # shellcheck disable=SC2046
    kill -KILL $(jobs -p) 2>/dev/null
    rm -rf "$place"
}
trap clean_up EXIT
trap 'clean_up; exit 1' HUP INT PIPE TERM

# Live blocks of all pool tags, without those that grow with caches of the executive's own.
live_blocks_of() { nt pool | awk -v tag="$1" '$1 == tag { live += $5 } END { print live + 0 }'; }
handle_count() { nt handles | tail -n 1 | cut -d' ' -f1; }

# soon COMMAND...: whether it succeeds within some seconds. The kernel hears of a client's end in its own time.
soon() {
    for _ in $(seq 200); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}

# The two processes are System and who asks.
is_alone() { [ "$(nt status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["processes"])')" = 2 ]; }
nobody_is_left() { soon is_alone || fail "$(nt status)"; }
has_no_handle() { [ "$(handle_count)" = 0 ]; }
no_handle_is_left() { soon has_no_handle || fail "$(nt handles)"; }

# The live blocks of each tag, without those that grow with caches of the executive's own; whether they are as few as in FILE, nearly.
pool_figures() {
    nt pool | awk 'NR > 1 { if ($1 !~ /^(Stak|Irp|IoFi|ObSt|Free)/) live[$1] += $5 } END { for (t in live) if (live[t]) print t, live[t] }' | sort
}
has_not_grown() {
    pool_figures | awk 'NR == FNR { before[$1] = $2; next } $2 > before[$1] + 8 { print "# " $1 ": " before[$1] + 0 " -> " $2; bad = 1 } END { exit bad }' \
        "$1" - >"$place/grown"
}
no_pool_has_grown() { soon has_not_grown "$1" || fail "$(cat "$place/grown")"; }

# A sanitizer's report fails the test during which it was written; it is shown once.
no_reports() {
    for report in "$reports"/*; do
        [ -e "$report" ] || return 0
        head -n 200 "$report"
        rm -f "$report"
    done
    return 1
}

# expect CODE COMMAND...: the exit code of a command, its output in $output
expect() {
    wanted=$1
    shift
    code=0
    output=$("$@" 2>&1) || code=$?
    [ "$code" = "$wanted" ] || fail "'$*' ended with $code instead of $wanted: $output"
}

contains() {
    case $output in *"$1"*) return 0 ;; esac
    fail "no '$1' in: $output"
}

# Which lines of the kernel's trace are a test's: trace.sh.
mark() {
    [ -z "${NT_TEST_TRACE:-}" ] || echo "$(cat "$NT_TEST_TRACE" 2>/dev/null | wc -l) $1" >>"$NT_TEST_TRACE.tests"
}

# Every function named test_… in the order of the script; each in this shell, so that a kernel can serve several.
run_tests() {
    number=0
    tests=$(grep -o '^test_[A-Za-z0-9_]*' "$0")
    echo "1..$(echo "$tests" | wc -w)"
    for one in $tests; do
        number=$((number + 1))
        passed=1
        mark "$one"
        $one >"$place/output" 2>&1 || passed=
        no_reports >>"$place/output" 2>&1 || passed=
        if [ "$passed" ]; then
            echo "ok $number - $(echo "${one#test_}" | tr _ ' ')"
        else
            sed 's/^/# /' "$place/output"
            [ -s "$place/kernel.err" ] && tail -n 40 "$place/kernel.err" | sed 's/^/# kernel: /'
            echo "not ok $number - $(echo "${one#test_}" | tr _ ' ')"
        fi
    done
}
