#!/bin/sh
# A driver of one's own, outside the tree.
. "$(dirname "$0")/lib.sh"
command -v gcc >/dev/null && ! grep -q -- '-fsanitize=' "$build/build.ninja" || { echo "1..0 # SKIP needs gcc and a plain build"; exit 0; }
export NT="$bin/nt"

test_a_new_driver_builds_loads_and_passes_its_test() {
    cd "$place" && nt new Wonder && cd Wonder && make && make check
}

# The commands of README's "A driver in five minutes" that follow `nt boot`, as they are written there.
test_the_five_minutes_of_the_readme() {
    sed -n '/nt new /,/nt unload /p' "$(dirname "$0")/../README.md" | sed 's/#.*//' >"$place/minutes" && grep -q hello "$place/minutes" &&
        boot && (cd "$place" && expect 0 sh -e minutes && contains 'loaded from' && contains HELLO) && end_kernel
}

test_a_new_driver_with_a_bad_name_is_refused() {
    expect 2 nt new '../x'
}

test_a_driver_outside_the_tree_builds_with_one_command() {
    cd "$place" && cp Wonder/driver.c Wonder/public.h . && nt cc -o one.so driver.c && boot && nt load "$place/one.so" && nt unload one && end_kernel
}

test_and_with_pkg_config() {
    cd "$place" && export PKG_CONFIG_PATH="$build/meson-uninstalled:$build/sdk" && flags=$(pkg-config --cflags usernt-uninstalled) &&
        eval "gcc -shared -fPIC $flags -o two.so driver.c" && boot && nt load "$place/two.so" && nt unload two && end_kernel
}

# The program of docs/embedding.md, built by the commands that stand below it.
test_the_program_of_the_embedding_page() {
    here=$(dirname "$0")/..
    sed -n '/^```c$/,/^```$/p' "$here/docs/embedding.md" | grep -v '^```' >"$place/embed.c" && cp "$here/ntos/ldr/test/sample.c" "$place" &&
        sed -n 's/^    \(nt cc .*\|\.\/embed .*\)$/\1/p' "$here/docs/embedding.md" >"$place/lines" && [ "$(wc -l <"$place/lines")" = 3 ] &&
        (cd "$place" && export build && expect 0 sh -e lines && contains 'status 0x00000000, data 0xFF00FF00')
}

run_tests
