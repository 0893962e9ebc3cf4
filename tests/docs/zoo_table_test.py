#!/usr/bin/env python3
"""Checks that the guide's table of the zoo has every case that there is, with its kind and switch.

usage: zoo_table_test.py SKYSIM_PROGRAM WORKSPACE GUIDE [--rewrite REPORT]
  --rewrite puts the rows of a report into the table first: tools/skysim zoo run --count 10000 --json > REPORT

A row: | P4 | [name](../scenarios/zoo/FILE.lua) | source | kind | `switch` | median | worst | failures of runs |
"""
import json
import os
import re
import subprocess
import sys

PROGRAM, WORKSPACE, GUIDE = (os.path.abspath(path) for path in sys.argv[1:4])
SEEDS_MAX = 200  # that a case may need
RUNS_MIN = 10000  # without the switch
ROW = re.compile(r"^\| P(\d+) \| \[(\w+)\]\(\.\./(\S+)\) \| .* \| (\w+) \| `(\S+)` \| (\d+) \| (\d+) \| (\d+) of (\d+) \|\n", re.M)


def listed_cases():
    listed = subprocess.run([PROGRAM, "zoo", "--json"], capture_output=True, text=True, check=True, cwd=WORKSPACE,
                            env={**os.environ, "SKYSIM_HOME": WORKSPACE})
    return {(case["number"], case["slug"], case["path"], case["kind"], case["switch"])
            for case in json.loads(listed.stdout)["cases"]}


def row_of(case):
    source = case["source"].split(";")[0].replace("skynet ", "")
    return (f"| P{case['number']} | [{case['slug']}](../{case['path']}) | {source} | {case['kind']} | `{case['switch']}` | "
            f"{case['median']} | {case['worst']} | {case['failures_without']} of {case['runs_without']} |\n")


def rewrite(text, report):
    """The rows of the report take the place of those with their numbers; new ones are put in by number."""
    with open(report, encoding="utf-8") as file:
        rows = {case["number"]: row_of(case) for case in json.load(file)["cases"]}
    found = list(ROW.finditer(text))
    old = {int(match.group(1)): match.group(0) for match in found}
    table = "".join(row for _, row in sorted({**old, **rows}.items()))
    return text[:found[0].start()] + table + text[found[-1].end():]


def main():
    with open(GUIDE, encoding="utf-8") as file:
        text = file.read()
    if "--rewrite" in sys.argv[4:]:
        text = rewrite(text, sys.argv[5])
        with open(GUIDE, "w", encoding="utf-8") as file:
            file.write(text)
    expected = listed_cases()
    rows = ROW.findall(text)
    shown = {(int(row[0]), *row[1:5]) for row in rows}
    for case in sorted(expected - shown):
        print("not in the table:", case)
    for case in sorted(shown - expected):
        print("in the table, but not in the zoo:", case)
    is_good = shown == expected and len(rows) == len(expected) >= 10
    for row in rows:
        median, worst, failures, runs = (int(number) for number in row[5:9])
        if not (1 <= median <= worst <= SEEDS_MAX and failures == 0 and runs >= RUNS_MIN):
            print("a case may need 200 seeds, and not fail in many:", row)
            is_good = False
    return 0 if is_good else 1


sys.exit(main())
