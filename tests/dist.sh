#!/bin/sh
# What ./dev dist makes: the set of files, and of each its machine, subsystem, imports, version, debug information and signature.
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "$0")/.." && pwd)
drivers='example example_direct example_neither sharingmemory systemmodules w2k_spy'
clients='loader sharingmemory systemmodules usedriver2 usedriver3 w2k_call w2k_hook w2k_load w2k_mem'
others='LICENSE drivers.cmd usernt-test.cer windows.md'
readobj=$(command -v llvm-readobj-19 llvm-readobj | head -n 1)

images() { ls "$place"/dist/windows-*/*.sys "$place"/dist/windows-*/*.exe; }

# each COMMAND: of every image
each() {
    for file in $(images); do
        "$@" "$file" || fail "${file#"$place/dist/"}" || return 1
    done
}

test_dist_makes_its_folders_without_a_word_of_complaint() {
    expect 0 "$source/scripts/dist" "$build" "$place/dist" && [ "$(echo "$output" | wc -l)" = 2 ]
}

test_both_folders_hold_the_same_files() {
    {
        for name in $drivers; do echo "$name.sys"; done
        for name in $clients; do echo "$name.exe"; done
        for name in $others; do echo "$name"; done
    } | LC_ALL=C sort >"$place/names"
    for machine in x64 x86; do
        LC_ALL=C ls "$place/dist/windows-$machine" | LC_ALL=C sort | diff "$place/names" - || return 1
    done
}

headers_fit() {
    case $1 in *-x64/*) machine=AMD64 ;; *) machine=I386 ;; esac
    case $1 in
    *.sys) subsystem=NATIVE ;;
    */sharingmemory.exe) subsystem=WINDOWS_GUI ;;
    *) subsystem=WINDOWS_CUI ;;
    esac
    output=$($readobj --file-headers "$1") && contains "IMAGE_FILE_MACHINE_$machine " && contains "IMAGE_SUBSYSTEM_$subsystem " &&
        contains IMAGE_FILE_EXECUTABLE_IMAGE
}
test_machine_and_subsystem_are_right() {
    each headers_fit
}

moves_and_has_no_weak_section() {
    case $1 in *.exe) return 0 ;; esac
    output=$($readobj --file-headers --sections "$1") && contains IMAGE_DLL_CHARACTERISTICS_NX_COMPAT &&
        ! echo "$output" | awk '/Section \{/ { w = x = 0 } /IMAGE_SCN_MEM_WRITE/ { w = 1 } /IMAGE_SCN_MEM_EXECUTE/ { x = 1 } w && x { bad = 1 } END { exit !bad }' &&
        $readobj --coff-basereloc "$1" | grep -q 'Type: '
}
test_drivers_are_relocatable_and_no_section_is_both_writable_and_executable() {
    each moves_and_has_no_weak_section
}

# Every name must be in the list of what the oldest Windows has.
imports_are_old() {
    case $1 in *-x64/*) machine=x64 ;; *) machine=x86 ;; esac
    $readobj --coff-imports "$1" | awk '/^ *Name:/ { dll = tolower($2) } /^ *Symbol:/ { print dll, $2 }' | LC_ALL=C sort -u >"$place/imports"
    [ -s "$place/imports" ] || return 1
    awk -v machine=$machine '($1 == machine || $1 == "both") && ($4 ~ /^(2000|XP|-)$/ || $4 == "XP-" machine) { print $2, $3 }' "$source/tests/dist_imports.txt" |
        LC_ALL=C sort -u | LC_ALL=C comm -13 - "$place/imports" >"$place/new"
    [ ! -s "$place/new" ] || fail "imports that tests/dist_imports.txt does not know: $(tr '\n' ';' <"$place/new")"
}
test_nothing_is_imported_that_the_oldest_windows_lacks() {
    each imports_are_old
}

says_its_version() {
    version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$source/meson.build")
    $readobj --coff-resources "$1" | grep -q 'Type: VERSIONINFO' &&
        tr -d '\0' <"$1" | grep -aq "FileVersion$version" && tr -d '\0' <"$1" | grep -aq "OriginalFilename$(basename "$1")"
}
test_every_file_has_a_version_resource() {
    each says_its_version
}

has_lines() { $readobj --sections "$1" | grep -q 'Name: .debug_line'; }
test_every_file_has_debug_information() {
    each has_lines
}

is_signed() {
    openssl x509 -inform DER -in "$(dirname "$1")/usernt-test.cer" -out "$place/certificate.pem" &&
        expect 0 osslsigncode verify -CAfile "$place/certificate.pem" "$1" && contains 'Signature verification: ok'
}
test_every_file_is_signed_with_the_certificate_beside_it() {
    each is_signed
}

test_a_changed_file_is_no_longer_signed() {
    file=$place/dist/windows-x64/example.sys
    cp "$file" "$place/changed.sys"
    printf x | dd of="$place/changed.sys" bs=1 seek=2048 conv=notrunc 2>/dev/null
    ! osslsigncode verify -CAfile "$place/certificate.pem" "$place/changed.sys" >/dev/null 2>&1
}

test_the_dialog_of_the_tutorial_is_in_its_program() {
    output=$($readobj --coff-resources "$place/dist/windows-x86/sharingmemory.exe")
    contains 'Type: DIALOG' && contains 'Type: GROUP_ICON' &&
        tr -d '\0' <"$place/dist/windows-x86/sharingmemory.exe" | grep -aq 'Kernel Timer'
}

test_the_script_names_every_driver_and_has_the_line_ends_of_windows() {
    for name in $drivers; do grep -q "^set all=.*\b$name\b" "$place/dist/windows-x64/drivers.cmd" || return 1; done
    ! grep -qv "$(printf '\r')\$" "$place/dist/windows-x64/drivers.cmd"
}

test_the_document_names_every_file_and_no_other() {
    grep -oE '`[a-z0-9_-]+\.(sys|exe|cmd|cer)`' "$source/docs/windows.md" | tr -d '`' | LC_ALL=C sort -u >"$place/named"
    LC_ALL=C ls "$place/dist/windows-x64" | grep -E '\.(sys|exe|cmd|cer)$' | LC_ALL=C sort | diff "$place/named" -
}

run_tests
