#!/usr/bin/env bash
# Whether the simulator finds the bugs of this folder: `./dev sim --bugs [NAME...]`, without names all of them.
#
# Each NAME.patch breaks the program in one way. A copy of the tree gets one after the other; covey-sim is built there, and runs
# seeds until one fails. Without a bug, in the first line, none may. What is built is kept: later only what a patch touches is built.
set -euo pipefail
readonly BUGS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ROOT=$(cd "$BUGS/../.." && pwd)
readonly WORK="${COVEY_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/covey}/bugs-target"
readonly TREE="$WORK/tree"
readonly SEEDS=${SEEDS:-200} HEALTHY_SEEDS=20
# A run that is broken may also be endless.
readonly LIMIT=1800
# git must not take the copy for a folder of a repository around it.
export GIT_CEILING_DIRECTORIES=$WORK CARGO_TARGET_DIR=$WORK/build

say() { printf '%s\n' "$*" >&2; }
die() {
    say "sim --bugs: $*"
    exit 2
}

# Makes the copy equal to the tree. What differs is written anew, now: cargo goes by the times of files.
copy_tree() {
    local listed=$WORK/listed found=$WORK/found file
    (cd "$ROOT" && git ls-files --cached --others --exclude-standard && ls .cargo/faiss.toml 2>/dev/null || true) |
        while IFS= read -r file; do [[ ! -f $ROOT/$file ]] || printf '%s\n' "$file"; done | LC_ALL=C sort -u >"$listed"
    [[ -s $listed ]] || die "git does not say which files there are"
    mkdir -p "$TREE"
    (cd "$TREE" && find . -type f -printf '%P\n') | LC_ALL=C sort >"$found"
    LC_ALL=C comm -13 "$listed" "$found" | while IFS= read -r file; do rm -f "$TREE/$file"; done
    while IFS= read -r file; do
        if cmp -s "$ROOT/$file" "$TREE/$file"; then continue; fi
        mkdir -p "$(dirname "$TREE/$file")"
        cp "$ROOT/$file" "$TREE/$file" || die "$file cannot be copied"
    done <"$listed"
}

# patch_tree NAME PATCH [--reverse]
patch_tree() {
    [[ -z $2 ]] || (cd "$TREE" && git apply "${@:3}" "$2") || die "$1 does not apply; the patch has to be made anew"
}

build() {
    say "▸ $1: build"
    (cd "$TREE" && "${CARGO:-cargo}" build -q -p covey-sim) || die "$1 does not build"
}

# simulate NAME SEEDS: stops at the first seed that fails. 0: there was one.
simulate() {
    say "▸ $1: at most $2 seeds"
    local status=0
    timeout "$LIMIT" "$CARGO_TARGET_DIR/debug/covey-sim" --seeds "0..$2" --first >"$WORK/$1.out" 2>"$WORK/$1.err" || status=$?
    case $status in
        0) return 1 ;;
        1) return 0 ;;
        *) die "$1: covey-sim ended with $status; see $WORK/$1.err" ;;
    esac
}

line() { printf '%-26s %13s %8s  %s\n' "$@"; }

# run NAME PATCH SEEDS: its line of the table. 0: a seed failed.
run() {
    local name=$1 start seed violation
    patch_tree "$name" "$2"
    build "$name"
    patch_tree "$name" "$2" --reverse
    start=$SECONDS
    if ! simulate "$name" "$3"; then
        line "$name" "-" $((SECONDS - start)) "nothing in $3 seeds"
        return 1
    fi
    seed=$(sed -n 's/^seed \([0-9]*\):.*/\1/p' "$WORK/$name.out" | tail -n 1)
    violation=$(sed -n "/^seed $seed:/,\$s/^  //p" "$WORK/$name.out" | head -n 1)
    line "$name" "$seed" $((SECONDS - start)) "${violation:0:160}"
}

mkdir -p "$WORK"
exec 8>"$WORK/lock"
flock -n 8 || die "another one runs in $WORK"
copy_tree
names=("$@")
if ((${#names[@]} == 0)); then
    for patch in "$BUGS"/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
missed=0
line "bug" "found by seed" "seconds" "violation"
if run none "" "$HEALTHY_SEEDS"; then
    say "✗ a seed fails without any bug"
    missed=1
fi
for name in "${names[@]}"; do
    [[ -f $BUGS/$name.patch ]] || die "there is no $BUGS/$name.patch"
    run "$name" "$BUGS/$name.patch" "$SEEDS" || missed=$((missed + 1))
done
if ((missed > 0)); then
    say "✗ $missed of $((${#names[@]} + 1)) lines are not as they should be"
    exit 1
fi
say "✓ every bug was found"
