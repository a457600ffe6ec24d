# ./dev test: the same tests under each compiler and sanitizer, then one closing line.

variants="gcc clang asan tsan"

variant_folder() {
    case $1 in gcc) echo build ;; *) echo "build-$1" ;; esac
}

variant_configure() {
    case $1 in
    gcc) configure build "$(with_ccache gcc)" ;;
    clang) configure build-clang "$(with_ccache clang-19)" ;;
    asan) configure build-asan "$(with_ccache clang-19)" -Db_sanitize=address,undefined ;;
    tsan) configure build-tsan "$(with_ccache clang-19)" -Db_sanitize=thread ;;
    esac
}

# tests_like FOLDER PATTERN: the names that are meant, one a line; meson itself knows no e2e-*.
tests_like() {
    meson test -C "$1" --no-rebuild --list 2>/dev/null | sed 's/.* \/ //' | while read -r one; do
        # shellcheck disable=SC2254
        case $one in ${2#usernt:}) echo "$one" ;; esac
    done
}

# build_variants VARIANT...: one after the other, in the background; at low priority once there are tests to run. A line "NAME CODE" tells of each
# that is done; what its build says is in $told/NAME. With --lint before them, lint at the end.
build_variants() {
    child=
    trap 'kill $child $(ps -o pid= --ppid "$child" 2>/dev/null) 2>/dev/null; exit 1' TERM # a shell, if it configures: then its child, too
    lower= lint=
    [ "$1" != --lint ] || { lint=lint; shift; }
    for variant in "$@" $lint; do
        code=0
        if [ "$variant" = lint ]; then
            $lower scripts/lint >"$told/lint" 2>&1 &
        else
            (variant_configure "$variant" && exec $lower ninja -C "$(variant_folder "$variant")" -j "$jobs" --quiet) >"$told/$variant" 2>&1 &
        fi
        child=$!
        wait $child || code=$?
        echo "$variant $code"
        lower='nice -n 19'
    done
}

# built NAME: waits until the builder has done it, and shows what it said.
built() {
    read -r name code <&8 && [ "$name" = "$1" ] || code=1
    cat "$told/$1" 2>/dev/null
    [ "$code" = 0 ]
}

variant_test() {
    folder=$(variant_folder "$1")
    shift
    names=
    for name; do
        found=$(tests_like "$folder" "$name")
        [ -n "$found" ] || { echo "there is no test '$name'; meson test -C $folder --list names them" >&2; return 2; }
        names="$names $found"
    done
    echo "== $folder: testing"
    # shellcheck disable=SC2086
    meson test -C "$folder" --no-rebuild --quiet --print-errorlogs --num-processes "$jobs" $names || return 1
}

stop_building() {
    trap - EXIT
    kill "$builder" 2>/dev/null && wait "$builder" 2>/dev/null || :
    rm -rf "$told"
}

# While the tests of one variant run, which wait for much, the next one is built. A failing build is a failure of its variant; the others still run.
test_all() {
    failed=0
    counted=--all lint=--lint
    [ $# -eq 0 ] || { variants=gcc; counted= lint=; }
    folders=
    for variant in $variants; do folders="$folders $(variant_folder "$variant")"; done
    for folder in $folders; do rm -f "$folder/meson-logs/testlog.json"; done
    told=$(mktemp -d)
    mkfifo "$told/built"
    build_variants $lint $variants >"$told/built" &
    builder=$!
    trap stop_building EXIT
    trap 'exit 1' HUP INT TERM
    exec 8<"$told/built"
    for variant in $variants; do
        echo "== $(variant_folder "$variant"): building"
        built "$variant" || { failed=1; continue; }
        variant_test "$variant" "$@" || { failed=$?; [ $# -eq 0 ] || [ "$failed" != 2 ] || exit 2; failed=1; }
    done
    if [ -n "$lint" ]; then
        code=0
        built lint || :
        counted="$counted --also lint=$code"
    fi
    python3 scripts/results.py $counted $folders || failed=1
    exit $failed
}
