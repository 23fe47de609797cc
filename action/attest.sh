# shellcheck shell=bash
# Asks GitHub, where gh is there to do it, whether the release workflow built this binary. A no is the end: the binary
# leaves the tool cache again. Where it cannot be asked, the checksum of the lock file stands alone, and that is said.
. "$GITHUB_ACTION_PATH/action/step.sh"

alone() {
    printf 'build provenance was not asked for: %s\n' "$1"
    exit 0
}

if ! command -v gh >/dev/null; then
    alone "gh is not installed"
fi
if [ -z "$GH_TOKEN" ]; then
    alone "there is no token for it"
fi
if [ "${GITHUB_SERVER_URL:-}" != https://github.com ]; then
    alone "the token is of ${GITHUB_SERVER_URL:-another server}, the attestation on github.com"
fi
if ! gh attestation verify --help >/dev/null 2>&1; then
    alone "this gh knows no attestations"
fi

pause=1
for attempt in 1 2 3; do
    if await gh attestation verify "$GATEPOST_BINARY" --repo "$GATEPOST_REPOSITORY" --signer-workflow "$GATEPOST_REPOSITORY/.github/workflows/release.yml"; then
        output verified attestation
        exit 0
    fi
    if [ "$attempt" -lt 3 ]; then
        await sleep "$pause"
        pause=$((pause * 2))
    fi
done
rm -f -- "$GATEPOST_BINARY"
fail 4 "gh could not verify that the release workflow of $GATEPOST_REPOSITORY built this gatepost; its words are above. Nothing of it was run"
