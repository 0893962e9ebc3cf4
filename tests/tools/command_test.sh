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
expect_line "version" "^skysim 0.1.0, trace format 2$"

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

# -- The zoo --------------------------------------------------------------------------------------

mkdir -p scenarios/zoo
printf 'claim the first\nswitch order-lost\nwith 3\n' > scenarios/zoo/P01_first.lua
printf 'claim the second\nswitch reply-lost\nwith 1\n' > scenarios/zoo/P02_second.lua
expect "list of the zoo" 0 zoo
expect_line "list of the zoo" "^ 1 first   guarantee  a fake  the first$"
expect "list of the zoo for programs" 0 zoo --json
expect_line "list of the zoo for programs" '"number":2,"slug":"second","kind":"guarantee"'

expect "zoo that is as it must be" 0 zoo run --count 20 --starts 4
# From 1, 1001, 2001 and 3001 on, the next seeds that 3 divides are 3, 1002, 2001 and 3003.
expect_line "seeds that the bug needs" "^ 1 first   guarantee  order-lost       4/4       2      3        0 of 24$"
expect_line "every case has its row" "^ 2 second  guarantee  reply-lost       4/4       1      1        0 of 24$"
expect "cases by number and name" 0 zoo run P2 first --count 1 --starts 1 --json
expect_line "cases by number and name" '"seeds_needed":\[3\],"median":3,"worst":3,"show":"tools/skysim run scenarios/zoo/P01_first.lua --seed 3 --legacy order-lost"'
expect "one case only" 0 zoo run second --count 1 --starts 1
! grep -q first out || fail "one case only: another one has run"

printf 'claim the second\nswitch reply-lost\nwith 1\nfail 7\n' > scenarios/zoo/P02_second.lua
expect "case that fails without its switch" 1 zoo run --count 20 --starts 1 --junit zoo.xml
expect_line "case that fails without its switch" "^ 2 second: without its switch, seed 7 failed"
expect_line "case that fails without its switch" "^    tools/skysim run scenarios/zoo/P02_second.lua --seed 7$"
python3 - <<'PYTHON' || fail "JUnit report of the zoo"
import xml.etree.ElementTree as tree
cases = tree.parse("zoo.xml").getroot().find("testsuite").findall("testcase")
failed = [case.get("name") for case in cases if case.find("failure") is not None]
assert len(cases) == 4 and failed == ["second: holds without it"], failed
PYTHON
printf 'claim the second\nswitch reply-lost\nwith 1000\n' > scenarios/zoo/P02_second.lua
expect "bug that is not found" 1 zoo run 2 --count 5 --starts 1
expect_line "bug that is not found" "^ 2 second: with its switch, none of the seeds 1:200 failed"
expect_line "bug that is not found" "^    tools/skysim sweep scenarios/zoo/P02_second.lua --legacy reply-lost --seeds 1:200$"
printf 'claim the second\nswitch reply-lost\nfail 3\n' > scenarios/zoo/P02_second.lua
expect "schedule that does not show it" 1 zoo run 2 --count 2 --starts 2
expect_line "schedule that does not show it" "the scripted schedule failed under 0 of 2 seeds"
expect_line "schedule that does not show it" "^    tools/skysim run scenarios/zoo/P02_second.lua --seed 1 --legacy reply-lost --set schedule=scripted$"
printf 'claim the second\nswitch reply-lost\nwith 1\ncrash 4\n' > scenarios/zoo/P02_second.lua
expect "crash is a failure" 1 zoo run 2 --count 5 --starts 1
expect_line "crash is a failure" "^ 2 second: without its switch, seed 4 crashed: the process that ran it ended with"

wrong() {
  local claim=$1 sentence=$2
  shift 2
  expect "$claim" 2 "$@"
  [ "$(cat err)" = "skysim: $sentence" ] || fail "$claim: another sentence"
}
wrong "unknown case" 'the zoo has no case "third"; tools/skysim zoo lists them by number and name' zoo run third
wrong "wrong count" '--count: "0" is no value for it; it takes a whole number from 1 to 1000000000' zoo run --count 0
printf 'claim the second\n' > scenarios/zoo/P02_second.lua
wrong "case without a switch" "scenarios/zoo/P02_second.lua: a case of the zoo has a field legacy" zoo
mv scenarios/zoo/P02_second.lua scenarios/zoo/second.lua
wrong "case without a number" "scenarios/zoo/second.lua: a case of the zoo is called P<number>_<slug>.lua" zoo
printf 'switch reply-lost\n' > scenarios/zoo/P01_second.lua
rm scenarios/zoo/second.lua
wrong "two of a number" "scenarios/zoo/P01_first.lua and scenarios/zoo/P01_second.lua have the same number" zoo
rm scenarios/zoo/P01_second.lua
printf 'switch reply-lost\nerror\n' > scenarios/zoo/P02_second.lua
wrong "case that is no scenario" "this file is wrong" zoo run

printf 'switch reply-lost\nwith 1\nsleep 20\n' > scenarios/zoo/P02_second.lua
set -m
"$program" zoo run 2 --count 1000000 --starts 1 --jobs 2 > out 2> err &
job=$!
set +m
sleep 0.5
kill -INT "$job"
wait "$job"
seen=$?
[ "$seen" = 130 ] || fail "Ctrl-C in the zoo: status $seen instead of 130"
expect_line "Ctrl-C in the zoo" "^INTERRUPTED"
! pgrep -P "$job" > pids || fail "Ctrl-C in the zoo: a worker still runs"

[ "$failures" = 0 ]
