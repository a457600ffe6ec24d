#!/bin/sh
# A second opinion: the Windows binaries under Wine, and what the conformance driver sees there and on UserNT (docs/conformance.md).
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "$0")/.." && pwd)

# wine_of MACHINE: the 32-bit one is Debian's wine32, or what scripts/wine32 has unpacked.
machine=${NT_TEST_MACHINE:-x64}
wine_of() {
    case $1 in
    x64) export WINEARCH=win64 && wine=/usr/lib/wine/wine64 server=/usr/lib/wine/wineserver64 && [ -x "$wine" ] ;;
    x86)
        export WINEARCH=win32
        for folder in /usr/lib/wine "$build/wine32/usr/lib/wine"; do
            wine=$folder/wine server=$folder/wineserver32
            [ ! -x "$server" ] || return 0
        done
        return 1
        ;;
    esac
}
wine_of "$machine" || { echo "1..0 # SKIP there is no Wine for $machine (scripts/packages.sh)"; exit 0; }

export WINEPREFIX="$place/prefix" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' WINESERVER="$server"
unset DISPLAY WAYLAND_DISPLAY
wine_ends() { exec 6>&-; timeout 60 "$server" -k; timeout 60 "$server" -w; clean_up; }
trap wine_ends EXIT
trap 'exit 1' INT TERM

# What a program writes, with the line ends of here. Wine says nothing of its own.
run() { timeout 120 "$wine" "$@" 2>"$place/wine.err" | tr -d '\r'; }
program() { name=$1; shift; run "$place/$name.exe" "$@"; }

# A driver becomes a service and runs. The service manager may be starting others yet.
start() {
    cp "$build/drivers/windows/$machine/$1.sys" "$place/$1.sys"
    run sc create "$1" type= kernel start= demand binPath= "Z:$(echo "$place/$1.sys" | tr / '\\')" >/dev/null
    for _ in $(seq 60); do
        run sc start "$1" >/dev/null
        output=$(run sc query "$1")
        case $output in *RUNNING*) return 0 ;; esac
        sleep 0.5
    done
    fail "the driver does not run: $output"
}

test_wine_makes_its_folder() {
    mkdir "$WINEPREFIX"
    expect 0 timeout 240 "$wine" wineboot -i || return 1
    # Windows that nobody sees: they need no display.
    run reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f >/dev/null
    timeout 60 "$server" -k
    timeout 60 "$server" -w
    for name in usedriver2 usedriver3 systemmodules sharingmemory; do cp "$build/drivers/windows/$machine/$name.exe" "$place"; done
    cp "$build/drivers/windows/$machine/conformance-client.bin" "$place/conformance.exe"
    cp "$build/drivers/windows/$machine/window.bin" "$place/window.exe"
    # Drivers stop with the last program: this one stays.
    mkfifo "$place/hold"
    "$wine" cmd /c 'set /p x=' <"$place/hold" >/dev/null 2>&1 &
    exec 6>"$place/hold"
}

test_systemmodules_lists_what_is_loaded() {
    start systemmodules && output=$(program systemmodules) && contains ntoskrnl.exe
}

test_its_driver_sees_the_same_modules() {
    program systemmodules >"$place/own" && program systemmodules --device | diff "$place/own" - && program systemmodules --device --aux | diff "$place/own" -
}

test_its_client_finds_one_module_and_tells_that_another_is_absent() {
    output=$(program systemmodules --device NTOSKRNL.EXE) && contains ntoskrnl.exe || return 1
    code=0
    timeout 120 "$wine" "$place/systemmodules.exe" --device nonesuch.sys >/dev/null 2>&1 || code=$?
    [ $code = 1 ] || fail "ended with $code"
}

typed() { (cd "$place" && run cmd /c "$@"); }

# The script of dist, typed as docs/windows.md says.
test_the_script_installs_shows_and_removes_a_driver() {
    cp "$build/drivers/windows/$machine/example_direct.sys" "$place"
    sed 's/$/\r/' "$source/drivers/windows/drivers.cmd" >"$place/drivers.cmd"
    typed drivers install example_direct >"$place/typed"
    for _ in $(seq 60); do
        output=$(typed drivers show | sed -n '/: example_direct$/,/STATE/p')
        case $output in *RUNNING*) break ;; esac
        sleep 0.5
    done
    contains RUNNING || fail "$(cat "$place/typed")" || return 1
    typed drivers remove example_direct >"$place/typed"
    output=$(run sc query example_direct)
    case $output in *RUNNING*) fail "$(cat "$place/typed")" ;; esac
}

test_the_pipe_starts() {
    start example
}

# The end is not told there (no IRP_MJ_CLEANUP): the reader is ended when it has everything.
test_a_stream_arrives_whole_through_the_pipe() {
    seq 2000 >"$place/data"
    "$wine" "$place/usedriver3.exe" --quiet "" >"$place/read" 2>/dev/null &
    reader=$!
    timeout 120 "$wine" "$place/usedriver2.exe" --quiet "" <"$place/data" >"$place/wine.out" 2>&1 || fail "the writer: $(cat "$place/wine.out")" || return 1
    for _ in $(seq 600); do
        cmp -s "$place/data" "$place/read" && break
        kill -0 $reader || break
        sleep 0.1
    done
    kill -KILL $reader
    wait $reader 2>/dev/null
    cmp "$place/data" "$place/read"
}

test_the_writer_counts_the_nul() {
    output=$(printf 'one\nthree\nquit\n' | timeout 120 "$wine" "$place/usedriver2.exe" "" 2>&1) && contains '4 bytes written' && contains '6 bytes written'
}

test_the_clock_without_its_driver_names_the_step_that_fails() {
    code=0
    timeout 120 "$wine" "$place/sharingmemory.exe" --no-service --count 1 >"$place/read" 2>&1 || code=$?
    output=$(cat "$place/read")
    [ $code = 20 ] && contains 'cannot open the device'
}

test_it_says_so_in_a_message_box_that_belongs_to_the_desktop() {
    output=$(program window run "$place/sharingmemory.exe" --no-service)
    contains "window 'Kernel Timer'" && contains "Button 'OK'" && contains "Static 'cannot open the device \\\\.\\SharingMemory: error 2, File not found.'
ended with 20"
}

test_the_dialog_shows_the_time_of_the_page_and_ends_with_escape() {
    output=$(program window clock)
    [ "$output" = "window 'Kernel Timer'
Static '00:00:00'
fits 1
icons 1 1
window 'Kernel Timer'
Static '23:59:58'
ended with 0" ] || fail "$output"
}

# The tables of docs/conformance.md.
lacking() { sed -n 's/^| \([A-Z][A-Za-z]*\) | \(Wine\|UserNT\) |.*/\1/p' "$source/docs/conformance.md"; }
listed() { sed -n 's/^| \([a-z]*\.[a-z0-9-]*\) | \([^|]*\) | \([^|]*\) |.*/\1 \3/p' "$source/docs/conformance.md"; }

test_the_conformance_driver_runs_on_usernt() {
    boot && expect 0 nt load "$build/tests/conformance.so" || return 1
    # shellcheck disable=SC2046
    expect 0 "$build/tests/conformance-client" $(lacking | sed 's/^/-/') || return 1
    echo "$output" >"$place/usernt"
    expect 0 nt unload conformance && end_kernel
}

test_it_runs_under_wine() {
    start conformance || return 1
    # shellcheck disable=SC2046
    run "$place/conformance.exe" $(lacking | sed 's/^/-/') >"$place/wine"
    [ "$(wc -l <"$place/wine")" = "$(wc -l <"$place/usernt")" ] || fail "$(diff "$place/usernt" "$place/wine")"
}

test_every_difference_is_listed() {
    listed >"$place/listed"
    diff "$place/usernt" "$place/wine" | sed -n 's/^> //p' >"$place/differ"
    [ -s "$place/differ" ] || return 1
    while read -r what value; do
        grep -qxF "$what $value" "$place/listed" || grep -qxF "$what *" "$place/listed" || fail "not in docs/conformance.md: $what is $value under Wine" || return 1
    done <"$place/differ"
}

run_tests
