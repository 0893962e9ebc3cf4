#!/usr/bin/env bash
# usage: samples_listed.sh GUIDE    from the workspace's root
# Every sample has a header with its claim, kind and source, and stands in the guide; every scenario that the guide
# links to exists.
set -euo pipefail
guide=$1
status=0
complain() {
  echo "$*"
  status=1
}

samples=(scenarios/samples/*.lua)
for sample in "${samples[@]}"; do
  for word in Claim Kind Source; do
    grep -q "^-- $word: *[^ ]" "$sample" || complain "$sample has no line $word"
  done
  grep -q "](../$sample)" "$guide" || complain "$sample is not in $guide"
done
while read -r linked; do
  [ -e "$linked" ] || complain "$guide links to $linked, which does not exist"
done < <(grep -o "](\.\./scenarios/[^)]*)" "$guide" | sed 's|](\.\./\(.*\))|\1|')
[ "${#samples[@]}" -ge 28 ] || complain "only ${#samples[@]} samples"
exit "$status"
