#!/usr/bin/env bash
# The command as a process: a second process, signals, and files that other programs read.
#
# usage: command_test.sh PROGRAM
set -uo pipefail
program=$(readlink -f "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/lualib"
export SKYSIM_HOME=$folder
cd "$folder" || exit 1
failures=0

fail() {
  echo "FAILED: $1"
  cat out err
  failures=$((failures + 1))
}

# expect CLAIM STATUS ARGS... : runs the program; its output is in the files out and err.
expect() {
  local claim=$1 status=$2
  shift 2
  "$program" "$@" > out 2> err
  local seen=$?
  [ "$seen" = "$status" ] || fail "$claim: status $seen instead of $status"
}

expect_line() {
  grep -q -- "$2" out || fail "$1: no line has \"$2\""
}

printf 'one\ntwo\n' > plain.lua
printf 'one\nleak-environment\ntwo\n' > environment.lua
printf 'one\nleak-folder\ntwo\n' > folder.lua
printf 'fail 3\nsometimes 1000\ncrash 4\n' > failing.lua
printf 'sleep 20\nfail 1000000\n' > slow.lua

expect "double run of a plain scenario" 0 run plain.lua --check-determinism
expect_line "double run of a plain scenario" "the second process: the same 2 events"
expect "double run of many seeds" 0 run plain.lua --check-determinism --seeds 1:200
expect_line "double run of many seeds" "the same events in all 200 runs"

expect "environment that leaks" 3 run environment.lua --check-determinism
expect_line "environment that leaks" "the first different event is 2, in its text"
expect_line "environment that leaks" "environment bare"
expect "working folder that leaks" 3 run folder.lua --check-determinism
expect_line "working folder that leaks" "folder / under 1"
expect "environment that leaks, many seeds" 3 sweep environment.lua --seeds 1:5 --check-determinism
expect_line "environment that leaks, many seeds" "5 of 5 runs differ, the first by seed 1"
expect_line "environment that leaks, many seeds" "in the second process:"

expect "trace on standard output" 0 run plain.lua --trace -
cp out t.skytrace
expect "its replay" 0 replay t.skytrace
expect "version" 0 --version
expect_line "version" "^skysim 0.1.0, trace format 1$"

expect "sweep with a report" 1 sweep failing.lua --seeds 1:9 --keep-going --junit report.xml --jobs 2
python3 - <<'PYTHON' || fail "JUnit report"
import xml.etree.ElementTree as tree
suite = tree.parse("report.xml").getroot().find("testsuite")
cases = suite.findall("testcase")
failed = [case.get("name") for case in cases if case.find("failure") is not None]
print(failed)
assert suite.get("tests") == str(len(cases)), "the number of cases"
assert suite.get("failures") == str(len(failed)), "the number of failures"
assert len(failed) == 2 + 4, "two properties; seeds 3, 6 and 9, and 4, which crashed"
texts = [case.find("failure").text for case in cases if case.find("failure") is not None]
assert any('expected <1> & "2"\nseen 2, 1' in text for text in texts), "the detail, unescaped"
PYTHON

# interrupt CLAIM STATUS SCENARIO: Ctrl-C after half a second.
interrupt() {
  # A job in the background ignores SIGINT from its start, unless the shell has job control.
  set -m
  "$program" sweep "$3" --count 1000000 --jobs 2 --keep-going > out 2> err &
  local job=$!
  set +m
  sleep 0.5
  kill -INT "$job"
  wait "$job"
  local seen=$?
  [ "$seen" = "$2" ] || fail "$1: status $seen instead of $2"
  expect_line "$1" "^INTERRUPTED  a fake"
  expect_line "$1" "of 1000000 seeds"
  ! pgrep -P "$job" > pids || fail "$1: a worker still runs"
}
interrupt "Ctrl-C before a failure" 130 slow.lua
printf 'sleep 20\nfail 3\n' > slow.lua
interrupt "Ctrl-C after a failure" 1 slow.lua

printf 'sleep 150\n' > slow.lua
FAKE_TERMINAL=1 expect "progress on a terminal" 0 sweep slow.lua --seeds 1:2 --jobs 1
grep -q "1 of 2 seeds" err || fail "progress on a terminal: none was shown"
expect "no progress elsewhere" 0 sweep slow.lua --seeds 1:2 --jobs 1
[ ! -s err ] || fail "no progress elsewhere: something on stderr"

[ "$failures" = 0 ]
