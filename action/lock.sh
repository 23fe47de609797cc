#!/usr/bin/env bash
# Writes a release into the lock file. Only the release workflow runs it, before it tags the commit that has the result:
# action/lock.sh REPOSITORY TAG FOLDER, where FOLDER has gatepost-VERSION-TARGET.tar.gz of every target.
set -euo pipefail
repository=$1
tag=$2
folder=$3
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [ "$tag" != "v$version" ]; then
    echo "action/lock.sh: the tag is $tag, and Cargo.toml has $version" >&2
    exit 1
fi
if grep -q "^$version " action/lock; then
    echo "action/lock.sh: $version is locked already: a version is released once" >&2
    exit 1
fi

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
grep '^#' action/lock >"$new"
echo "repository $repository" >>"$new"
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin; do
    archive=$folder/gatepost-$version-$target.tar.gz
    whole=$(sha256 <"$archive")
    binary=$(tar -xzOf "$archive" gatepost | sha256)
    echo "$version $target $whole $binary" >>"$new"
done
sed -e '/^#/d' -e '/^repository /d' action/lock >>"$new"
cat "$new" >action/lock
