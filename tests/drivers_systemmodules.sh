#!/bin/sh
# SystemModules: the device, the twin in user mode, and the tutorial's way.
. "$(dirname "$0")/lib.sh"

test_the_kernel_boots_with_the_driver() {
    boot && expect 0 nt load systemmodules example
}

test_the_twin_lists_the_kernel_first() {
    expect 0 systemmodules && [ "$(echo "$output" | head -n 1 | cut -d' ' -f1)" = ntoskrnl.exe ] && contains 'example.sys'
}

test_driver_and_twin_and_aux_klib_agree() {
    systemmodules >"$place/direct" && systemmodules --device >"$place/device" && systemmodules --device --aux >"$place/aux" &&
        cmp "$place/direct" "$place/device" && cmp "$place/direct" "$place/aux"
}

test_names_are_looked_for_in_any_case() {
    expect 0 systemmodules EXAMPLE.sys && [ "$(echo "$output" | wc -l)" = 1 ] && expect 1 systemmodules example && contains 'none of the names'
}

test_wrong_options_are_usage_errors() {
    expect 2 systemmodules --aux && expect 2 systemmodules --nonsense && expect 2 systemmodules ''
}

test_without_the_device_the_driver_cannot_be_asked() {
    expect 0 nt unload systemmodules && expect 20 systemmodules --device && contains 'cannot open the device'
}

test_the_tutorials_driver_reports_and_is_gone() {
    expect 0 systemmodules --load-and-fail && contains 'debug log' && expect 1 nt sc query systemmodules &&
        expect 0 nt log && contains 'found: ntoskrnl.exe' && [ "$(live_blocks_of SysM)" = 0 ]
}

test_the_tutorials_driver_says_when_it_finds_nothing() {
    expect 0 systemmodules --load-and-fail --aux nonesuch.sys && expect 0 nt log && contains 'none of the names is among'
}

test_a_name_is_never_a_format() {
    nt unload example && cp "$build/drivers/example.so" "$place/%s%n%x.so" && nt load "$place/%s%n%x.so" && expect 0 systemmodules '%s%n%x.sys' && contains '%s%n%x.sys' &&
        expect 0 systemmodules --load-and-fail '%s%n%x.sys' && expect 0 nt log && contains 'found: %s%n%x.sys' && nt unload '%s%n%x'
}

test_every_image_begins_on_a_page_and_so_does_a_large_block() {
    systemmodules >"$place/direct" && ! grep -v ' base 0x[0-9A-F]*000 ' "$place/direct" && expect 0 nt log && contains 'bytes of paged pool at' &&
        echo "$output" | awk '/bytes of paged pool/ && /inside a page/ { sub(/.*SystemModules: /, ""); if ($1 >= 4096) exit 1 }'
}

test_a_registered_service_is_left_alone() {
    nt load systemmodules && expect 11 systemmodules --load-and-fail && contains 'registered already' && expect 0 systemmodules --device
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
