# What the program and its tests need on Debian 12, and how to get it. Sourced by ./quickstart and ./check; this is the one list.
build_packages="ca-certificates gcc g++ libc6-dev cmake ninja-build pkg-config
    libarchive-dev libzstd-dev zlib1g-dev libdeflate-dev libbrotli-dev libpcre2-dev liblmdb-dev libxml2-dev libutf8proc-dev
    libcld2-dev libyaml-dev libjansson-dev
    libssl-dev libxxhash-dev liblzma-dev libmicrohttpd-dev libdnnl-dev"
test_packages="libopenmpi-dev clang libclang-rt-14-dev libcmocka-dev openmpi-bin xz-utils zip zstd curl"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        echo "packages must be installed: run this as root, or install sudo" >&2
        exit 1
    fi
}

updated=
update_packages() {
    [ -n "$updated" ] || as_root apt-get update -q >/dev/null
    updated=yes
}

# install_packages NAME...: those that are not there yet.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "== install ${missing[*]}"
    update_packages
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/tmp/tundish-install.$$ 2>&1 || {
        cat /tmp/tundish-install.$$ >&2
        exit 1
    }
    rm -f /tmp/tundish-install.$$
}
