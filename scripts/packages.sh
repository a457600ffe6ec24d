# What the verbs of ./dev need from Debian, and how it is installed: nothing silently, nothing twice.
packages_run="gcc make libc6-dev meson ninja-build pkg-config mingw-w64-common libdw-dev libelf-dev libhivex-dev libjson-c-dev libzydis-dev"
packages_test="clang-19 libclang-rt-19-dev llvm-19 libcmocka-dev clang-format git procps gdb"
# One driver as a .sys, for the tests; all of them and their clients, for both machines, signed.
packages_sys="clang-19 lld-19 binutils-mingw-w64-x86-64 mingw-w64-x86-64-dev"
packages_dist="$packages_sys mingw-w64-i686-dev gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 openssl osslsigncode"

# A second opinion: the 64-bit binaries; for the 32-bit ones see need_wine32.
packages_wine="wine64"

installed() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "dev: '$*' needs root, and there is no sudo" >&2
        exit 3
    fi
}

need_packages() {
    missing=
    for package in "$@"; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ -n "${NO_INSTALL:-}" ]; then
        echo "dev: missing (and NO_INSTALL is set):$missing" >&2
        exit 3
    fi
    echo "dev: installing$missing"
    as_root apt-get update -qq || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/tmp/dev-apt.$$ 2>&1 || {
        tail -20 /tmp/dev-apt.$$ >&2
        rm -f /tmp/dev-apt.$$
        exit 3
    }
    rm -f /tmp/dev-apt.$$
}

# need_wine32 FOLDER: Debian has the 32-bit Wine for another machine type only; it is unpacked, not installed. Without it its tests are skipped.
need_wine32() {
    [ -e /lib/ld-linux.so.2 ] || need_packages libc6-i386
    scripts/wine32 "$1" >"/tmp/wine32.$$" 2>&1 || echo "dev: no 32-bit Wine: $(tail -n 1 "/tmp/wine32.$$"); e2e-wine-x86 is skipped"
    rm -f "/tmp/wine32.$$"
}
