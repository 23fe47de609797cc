# shellcheck shell=bash
# Runs gatepost in place of this shell, so that the runner's signals reach it.
. "$GITHUB_ACTION_PATH/action/step.sh"

arguments=("$GATEPOST_BINARY")
if [ -n "$INPUT_WORKING_DIRECTORY" ]; then
    arguments+=("--directory=$INPUT_WORKING_DIRECTORY")
fi
if [ -n "$INPUT_CONFIG" ]; then
    arguments+=("--config=$INPUT_CONFIG")
fi

# Quotes and backslashes keep blanks together; nothing else has a meaning, and nothing is expanded. The last line is no
# word: it keeps empty ones before it.
if ! words=$(printf '%s\n' "$INPUT_ARGS" | xargs -r printf '%s\n' && echo end); then
    fail 2 "the input args cannot be split into words (a quote without its partner?): $INPUT_ARGS"
fi
command=run
words=${words%end}
case $words in
    '' | $'\n'* | -*) arguments+=(run) ;;
    *) command=${words%%$'\n'*} ;;
esac
while IFS= read -r word; do
    arguments+=("$word")
done < <(printf '%s' "$words")

# A name is no flag, and no pattern of files either.
set -f
IFS=$', \t\r\n'
# shellcheck disable=SC2206 # it is to be split
gates=($INPUT_GATES)
if [ ${#gates[@]} -gt 0 ]; then
    if [ "$command" != run ]; then
        fail 2 "the input gates goes with gatepost run, and args asks for gatepost $command"
    fi
    arguments+=(-- "${gates[@]}")
fi

trap - EXIT HUP INT TERM
unset INPUT_ARGS INPUT_CONFIG INPUT_GATES INPUT_WORKING_DIRECTORY GATEPOST_BINARY
exec "${arguments[@]}"
