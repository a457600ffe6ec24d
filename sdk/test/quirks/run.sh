#!/bin/sh
# run.sh NT-CC SOURCE: compiles a quirk with each compiler there is; a program is also run.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for compiler in gcc clang-19; do
    command -v "$compiler" >/dev/null || continue
    for level in -O0 -O2; do
        if [ "$(basename "$2")" = guarded.c ]; then
            NT_CC=$compiler "$1" -Wall -Werror $level -c -o "$folder/x.o" "$2"
            NT_CC=$compiler "$1" --program -o "$folder/x" "$folder/x.o"
            "$folder/x"
        else
            NT_CC=$compiler "$1" -Wall -Werror $level -c -o "$folder/x.o" "$2"
        fi
    done
done
