#!/bin/sh
# Makes the pictures of README from what gatepost itself prints and posts: `terminal.png` of a run on the shop, `migrations.png` of
# a dangerous migration there (needs PostgreSQL), and
# `deploy.png` of `deploy.md`, which the test `telling::the_page_is_the_one_in_the_picture` holds to it, and
# `comment.png` of `comment.md`, which the test `shop::the_comment_is_the_one_in_the_picture` holds to the program.
#
# usage: make.sh [FOLDER OF GATEPOST]
# needs: cargo, git, python3, cmark-gfm (GitHub's own Markdown), chromium, and a font with emoji
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
programs=${1:-$root/target/release}
PATH=$(cd "$programs" && pwd):$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# picture NAME WIDTH HEIGHT: NAME.html as NAME.png
picture() {
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size="$2,$3" --screenshot="$here/$1.png" "$work/$1.html" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
}

"$root/fixtures/shop/history.sh" "$work/shop"
cd "$work/shop"
unset CI GITHUB_ACTIONS NO_COLOR CARGO_TARGET_DIR
export TERM=xterm-256color RUST_BACKTRACE=0
# Built once, so that the times are those of the gates.
cargo build --quiet --all-targets
python3 "$here/terminal.py" "gatepost run" 41 gatepost run >"$work/terminal.html"
picture terminal 930 821

python3 "$here/terminal.py" "gatepost migrations postgres --all" 60 gatepost -C "$root/fixtures/shop" migrations postgres --all |
    sed 's|fixtures/shop/||g' >"$work/migrations.html"
picture migrations 930 1170

{
    printf '<!doctype html><meta charset="utf-8"><style>'
    cat "$here/comment.css"
    printf '</style><div class="comment"><div class="author"><b>github-actions</b> <span>bot</span> commented</div>'
    printf '<div class="body">'
    # GitHub shows every fold closed at first: two are opened here.
    cmark-gfm --unsafe --extension table "$here/comment.md" | awk '/<details>/ && n++ < 2 { sub(/<details>/, "<details open>") } 1'
    printf '</div></div>'
} >"$work/comment.html"
picture comment 900 1080

{
    printf '<!doctype html><meta charset="utf-8"><style>'
    cat "$here/comment.css"
    printf '</style><div class="comment"><div class="author"><b>github-actions</b> <span>bot</span> commented</div>'
    printf '<div class="body">'
    cmark-gfm --unsafe --extension table "$here/deploy.md"
    printf '</div></div>'
} >"$work/deploy.html"
picture deploy 900 930
