#!/bin/sh
# w2k_spy's functions 19 to 22 on images of Windows: the drivers of the Windows build, and the kernel's own. llvm-readobj is the oracle.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
images=$build/drivers/windows/x64
readobj=$(command -v llvm-readobj-19 || command -v llvm-readobj)

if [ -z "$readobj" ] || ! [ -e "$images/exports.sys" ]; then
    echo "1..0 # SKIP needs llvm-readobj and the drivers for Windows"
    exit 0
fi

test_the_kernel_boots_with_the_spy_and_images() {
    boot && expect 0 nt load w2k_spy || return 1
    for name in sharingmemory example systemmodules seh exports; do expect 0 nt load "$images/$name.sys" || return 1; done
}

test_headers_and_exports_of_the_drivers_are_the_files() {
    for name in sharingmemory example systemmodules seh exports; do
        expect 0 "$here/spy_images.py" "$build" "$readobj" "$name.sys" "$images/$name.sys" || return 1
    done
}

test_the_kernels_image_is_one_for_others_as_well() {
    expect 0 "$build/tests/spy_client" dump ntoskrnl.exe "$place/ntoskrnl" &&
        expect 0 "$here/spy_images.py" "$build" "$readobj" ntoskrnl.exe "$place/ntoskrnl" && contains '63 fields' && ! contains ' 0 exports' >/dev/null
}

symbol() { w2k_call symbol "$1" | awk '{ print $1 }'; }

test_forwarders_lead_to_where_they_lead() {
    kernels=$(symbol KeSetEvent) && [ "$kernels" ] && [ "$(symbol exports.sys!ToKernel)" = "$kernels" ] && [ "$(symbol exports.sys!ToSelf)" = "$kernels" ] || return 1
    byNumber=$(symbol 'exports.sys!#77') && [ "$byNumber" ] && [ "$(symbol exports.sys!ToNumber)" = "$byNumber" ] || return 1
    expect 3 w2k_call symbol exports.sys!Circle && contains 'error 23' && expect 1 w2k_call symbol exports.sys!Nowhere && contains 'error 2,' &&
        expect 1 w2k_call symbol 'exports.sys!#9999' && contains 'error 127' && expect 1 w2k_call symbol exports.sys!exportedone
}

test_an_image_without_exports_says_so() {
    expect 3 w2k_call exports seh.sys && contains 'error 13'
    expect 3 w2k_call symbol seh.sys!Anything && contains 'error 23'
}

test_the_list_of_modules_may_be_longer_than_a_page() {
    for which in 1 2 3 4 5 6 7 8 9 10 11 12; do
        cp "$images/exports.sys" "$place/many$which.sys" && expect 0 nt load "$place/many$which.sys" || return 1
    done
    expect 0 w2k_call module many12.sys && contains 'many12.sys' && expect 1 w2k_call module many13.sys && expect 0 w2k_call symbol many12.sys!ExportedOne
}

test_the_kernel_ends_clean() {
    end_kernel
}

run_tests
