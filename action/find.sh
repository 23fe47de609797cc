# shellcheck shell=bash
# Finds the gatepost binary: given, built from this checkout when asked for, in the runner's tool cache, or downloaded.
# What is not exactly what the lock file says is never run, and nothing that was not asked for takes its place.
. "$GITHUB_ACTION_PATH/action/step.sh"

sha256() {
    local line
    if command -v sha256sum >/dev/null; then
        line=$(sha256sum <"$1")
    elif command -v shasum >/dev/null; then
        line=$(shasum -a 256 <"$1")
    else
        fail 4 "neither sha256sum nor shasum is installed: without a checksum nothing that was downloaded is run"
    fi
    printf '%s' "${line%% *}"
}

# found PATH VERSION VERIFIED FRESH WHERE
found() {
    output binary "$1"
    output binary-version "$2"
    output verified "$3"
    output fresh "$4"
    output repository "$repository"
    printf 'gatepost %s, %s: %s\n' "$2" "$5" "$1"
    exit 0
}

# The version that a binary says of itself; it fails where the system cannot run it.
version_of() {
    local said
    if ! said=$("$1" --version 2>&1); then
        fail 4 "$1 --version does not work on this runner: $said"
    fi
    escaped "${said#gatepost }"
}

given() {
    local path=$INPUT_BINARY version
    case $path in
        /*) ;;
        *) path=$PWD/$path ;;
    esac
    if [ ! -f "$path" ] || [ ! -x "$path" ]; then
        fail 2 "the input binary names no program: $path"
    fi
    version=$(version_of "$path")
    found "$path" "$version" no false "given by the input binary, not verified"
}

built() {
    local folder=${RUNNER_TEMP:?}/gatepost-build version
    if ! command -v cargo >/dev/null; then
        fail 4 "build-from-source needs cargo, which is not on PATH: install Rust in a step before this one"
    fi
    # In the action's folder: the workspace's own cargo configuration and toolchain file are not heard. The build
    # needs nothing that can act for the workflow.
    cd "$GITHUB_ACTION_PATH"
    if ! await env -u GITHUB_TOKEN -u GH_TOKEN cargo build --locked --release --bin gatepost --target-dir "$folder"; then
        fail 4 "cargo could not build gatepost from this checkout of the action; see its output above"
    fi
    version=$(version_of "$folder/release/gatepost")
    found "$folder/release/gatepost" "$version" no false "built from this checkout of the action"
}

# Sets `target` to this runner's, as Rust names it.
read_target() {
    case ${RUNNER_OS:-}-${RUNNER_ARCH:-} in
        Linux-X64) target=x86_64-unknown-linux-musl ;;
        Linux-ARM64) target=aarch64-unknown-linux-musl ;;
        macOS-X64) target=x86_64-apple-darwin ;;
        macOS-ARM64) target=aarch64-apple-darwin ;;
        *) fail 4 "there is no release of gatepost for ${RUNNER_OS:-this system} ${RUNNER_ARCH:-}: it runs on Linux and macOS, x64 and arm64" ;;
    esac
}

# Reads action/lock: sets `repository`, `version`, and for this target `archive_sum` and `binary_sum`. Lines of versions
# are `VERSION TARGET SHA256-OF-ARCHIVE SHA256-OF-BINARY`, the newest version first.
read_lock() {
    local wanted=${INPUT_VERSION#v} known="" first second third fourth
    while read -r first second third fourth; do
        case $first in
            '' | '#'*) continue ;;
            repository) repository=$second ;;
            *)
                case " $known " in *" $first "*) ;; *) known="$known $first" ;; esac
                wanted=${wanted:-$first}
                if [ "$first" = "$wanted" ] && [ "$second" = "$target" ]; then
                    version=$first archive_sum=$third binary_sum=$fourth
                fi
                ;;
        esac
    done <"$GITHUB_ACTION_PATH/action/lock"
    if [ -z "$known" ]; then
        fail 4 "this commit of the action has no released gatepost in its lock file (action/lock): use the commit of a release, or set build-from-source: true to build this one with cargo, or give a gatepost by the input binary"
    fi
    if [ -z "$version" ]; then
        fail 2 "the lock file of this commit of the action has no gatepost $wanted for $target, and nothing is run without its checksum; it has:$known. Leave the input version out, or use the commit of that release"
    fi
    if [ ${#archive_sum} -ne 64 ] || [ ${#binary_sum} -ne 64 ] || [ -z "$repository" ]; then
        fail 4 "the lock file of the action (action/lock) is damaged at $version $target: nothing is run without its checksum"
    fi
}

# Where releases are, by the input `mirror` or on github.com: sets `base`, and `shown`, which has no password in it.
# Over plain HTTP only this machine is asked: no name that could be looked up elsewhere, no user part that looks like one.
read_mirror() {
    local loopback='^http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]+)?(/.*)?$'
    base=${INPUT_MIRROR%/}
    protocol='=https'
    direct=
    case $base in
        '') base=https://github.com/$repository/releases/download ;;
        *[[:space:][:cntrl:]]*) fail 2 "the input mirror is no address: $base" ;;
        https://*) ;;
        *)
            if ! [[ $base =~ $loopback ]]; then
                fail 2 "the input mirror must begin with https:// (http:// only on this machine: 127.0.0.1, [::1], localhost): ${base##*@}"
            fi
            protocol='=http'
            direct=$base
            ;;
    esac
    shown=${base#*://}
    shown=${shown##*@}
}

# download URL FILE: once. Sets `code`, the HTTP status, 000 without an answer.
download() {
    local status=0
    set -- --fail --silent --show-error --globoff --proto "$protocol" --proto-redir '=https' --tlsv1.2 --location --max-redirs 5 \
        --connect-timeout 10 --max-time 180 --speed-limit 1024 --speed-time 20 --write-out '%{http_code}' --output "$2" "$1"
    if [ -n "$direct" ]; then
        set -- --noproxy '*' "$@"
    fi
    await curl "$@" >"$work/code" || status=$?
    code=$(cat "$work/code")
    return "$status"
}

fetch_archive() {
    local name=gatepost-$version-$target.tar.gz pause=1 code="" attempt
    for attempt in 1 2 3 4; do
        if download "$base/v$version/$name" "$work/archive"; then
            return
        fi
        case $code in
            408 | 429) ;;
            4??) break ;;
        esac
        if [ "$attempt" -lt 4 ]; then
            printf 'attempt %s got no %s (HTTP status %s); again in %s s\n' "$attempt" "$name" "${code:-000}" "$pause"
            await sleep "$pause"
            pause=$((pause * 2))
        fi
    done
    fail 4 "could not download $name from $shown after $attempt of 4 attempts (the last HTTP status was ${code:-000}): look at curl's words above; the input mirror names another place, the input binary a gatepost that is there already"
}

# Into the cache folder by a rename, which other jobs see as a whole or not at all.
fetch() {
    local sum
    if ! command -v curl >/dev/null; then
        fail 4 "curl is not installed: install it, or give a gatepost by the input binary"
    fi
    work=$(mktemp -d "$cache/.new-XXXXXX")
    fetch_archive
    sum=$(sha256 "$work/archive")
    if [ "$sum" != "$archive_sum" ]; then
        fail 4 "the archive of gatepost $version for $target from $shown is not the released one: its SHA-256 is $sum and must be $archive_sum. Nothing of it was run"
    fi
    tar -xzf "$work/archive" -C "$work" gatepost
    if [ -L "$work/gatepost" ] || [ "$(sha256 "$work/gatepost")" != "$binary_sum" ]; then
        fail 4 "the binary in the archive of gatepost $version for $target is not the one of the lock file. Nothing of it was run"
    fi
    chmod 755 "$work/gatepost"
    mv -f "$work/gatepost" "$binary"
    : >"$cache/$target.complete"
}

is_cached() {
    if [ ! -f "$cache/$target.complete" ] || [ ! -x "$binary" ]; then
        return 1
    fi
    if [ ! -L "$binary" ] && [ "$(sha256 "$binary")" = "$binary_sum" ]; then
        return 0
    fi
    warn "the gatepost in the tool cache is not the released one any more, and is fetched again: $binary"
    return 1
}

locked() {
    local target="" binary cache base shown protocol direct archive_sum="" binary_sum="" version=""
    read_target
    read_lock
    read_mirror
    cache=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:?}}/gatepost/$version
    binary=$cache/$target/gatepost
    if is_cached; then
        found "$binary" "$version" checksum false "from the tool cache, checksum verified"
    fi
    if ! mkdir -p "$cache/$target" 2>/dev/null || [ ! -w "$cache/$target" ]; then
        # A tool cache that may only be read serves what is in it.
        cache=$RUNNER_TEMP/gatepost/$version
        binary=$cache/$target/gatepost
        mkdir -p "$cache/$target"
    fi
    fetch
    found "$binary" "$version" checksum true "downloaded from $shown, checksum verified"
}

repository=
case $INPUT_BUILD_FROM_SOURCE in
    true | false) ;;
    *) fail 2 "the input build-from-source is true or false, not: $INPUT_BUILD_FROM_SOURCE" ;;
esac
if [ -n "$INPUT_BINARY" ] && [ "$INPUT_BUILD_FROM_SOURCE" = true ]; then
    fail 2 "the inputs binary and build-from-source exclude each other"
fi
if [ -n "$INPUT_BINARY" ]; then
    given
elif [ "$INPUT_BUILD_FROM_SOURCE" = true ]; then
    built
else
    locked
fi
