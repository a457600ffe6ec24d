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

# known_test FOLDER NAME: meson's own patterns (e2e-*) are names too.
known_test() {
    meson test -C "$1" --no-rebuild --list 2>/dev/null | sed 's/.* \/ //' | {
        # shellcheck disable=SC2254
        while read -r one; do case $one in ${2#usernt:}) exit 0 ;; esac; done
        exit 1
    }
}

# A failing build is a failure of its variant; the others still run.
variant_run() {
    folder=$(variant_folder "$1")
    shift
    rm -f "$folder/meson-logs/testlog.json"
    echo "== $folder: building"
    ninja -C "$folder" -j "$jobs" --quiet || return 1
    for name; do
        known_test "$folder" "$name" || { echo "there is no test '$name'; meson test -C $folder --list names them" >&2; return 2; }
    done
    echo "== $folder: testing"
    meson test -C "$folder" --no-rebuild --quiet --print-errorlogs --num-processes "$jobs" "$@" || return 1
}

test_all() {
    failed=0
    counted=--all
    [ $# -eq 0 ] || { variants=gcc; counted=; }
    for variant in $variants; do
        (variant_configure "$variant") && variant_run "$variant" "$@" || { failed=$?; [ $# -eq 0 ] || [ "$failed" != 2 ] || exit 2; failed=1; }
    done
    if [ $# -eq 0 ]; then
        lint=0
        scripts/lint || lint=$?
        counted="$counted --also lint=$lint"
    fi
    folders=
    for variant in $variants; do folders="$folders $(variant_folder "$variant")"; done
    python3 scripts/results.py $counted $folders || failed=1
    exit $failed
}
