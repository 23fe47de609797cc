# shellcheck shell=bash
# What the action's steps share: how they say things to the runner, and how they end.
# Bash 3.2, which macOS has; no jq, wget or gh.
set -euo pipefail

# The folder that goes when the step ends.
work=

# Text as the value of a workflow command: what an input or a server says must not begin a command of its own.
escaped() {
    local text=${1//[$'\r\n']/ }
    printf '%s' "${text//\%/%25}"
}

warn() {
    printf '::warning title=gatepost::%s\n' "$(escaped "$1")" >&2
}

# fail CODE MESSAGE: the exit codes are gatepost's own, 2 for a wrong input and 4 for what could not be had. The runner
# hears commands on both outputs, and standard output may be read by this script.
fail() {
    printf '::error title=gatepost::%s\n' "$(escaped "$2")" >&2
    exit "$1"
}

# output NAME VALUE: a value is one line.
output() {
    case $2 in
        *$'\n'* | *$'\r'*) fail 2 "the output $1 would have more than one line: $2" ;;
    esac
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Runs a command so that a signal to this process alone ends it and all it started at once: bash itself would wait for
# the command first. With job control on, the command has a process group of its own.
await() {
    local status=0
    set -m
    "$@" </dev/null &
    set +m
    wait $! || status=$?
    return "$status"
}

leave() {
    local status=$? group
    trap - EXIT
    trap '' INT TERM HUP
    for group in $(jobs -pr); do
        kill -TERM -- "-$group" 2>/dev/null || :
        # What ignores TERM does not outlive the step either.
        sleep 0.2
        kill -KILL -- "-$group" 2>/dev/null || :
    done
    if [ -n "$work" ]; then
        rm -rf -- "$work"
    fi
    exit "$status"
}

trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
