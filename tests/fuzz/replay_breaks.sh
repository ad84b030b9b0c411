#!/bin/sh
# replay_breaks.sh PROGRAM CASE: the replay notices CASE, says so, and leaves the input that did it.
set -eu
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir corpus

# expect STATUS WORDS: the replay ends with STATUS and says WORDS.
expect() {
    status=0
    "$program" --seconds-each 1 corpus >output 2>&1 || status=$?
    if [ "$status" -ne "$1" ] || ! grep -q -e "$2" output; then
        echo "expected exit status $1 and \"$2\", got $status and:"
        cat output
        exit 1
    fi
}

case $2 in
sound)
    printf s >corpus/sound
    expect 0 '1 inputs'
    ;;
no-corpus) expect 2 'corpus is empty' ;;
over-read | crash | hang | undefined)
    printf s >corpus/a-sound-one
    printf '%.1s, and more' "$2" >corpus/broken
    expect 1 'broken by corpus/broken'
    cmp corpus/broken replay_breaks.crash
    ;;
esac
