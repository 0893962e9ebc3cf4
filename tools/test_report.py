"""Counts what `bazel test` ran and names what failed; the last line is "N passed, N failed".

usage: test_report.py EVENTS STATUS
  EVENTS  what bazel wrote for --build_event_json_file
  STATUS  bazel's exit status

Exit status: 0 if something ran and nothing failed, else 1. A target that was to be tested but has
no result (it did not build, or Bazel stopped first) counts as one failure, as does a target that
failed without naming a case (a crash, a timeout). What Bazel complains of otherwise is a failure too.
"""
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree

# The last lines of a Catch2 program. Its XML has one entry per section, so it does not count cases.
ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)$", re.MULTILINE)
SOME_FAILED = re.compile(r"^test cases: +\d+ (\|.*)$", re.MULTILINE)
COUNT = re.compile(r"\| *(\d+) (\w+)")


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures = []  # one line of text each

    def add_failures(self, label, names, count):
        """Counts `count` failures; there are fewer names where sections share a case's name."""
        shown = (names + ["(see its log)"] * count)[:count]
        self.failures += [f"{label}: {name}" for name in shown]


def read_events(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_output(result, name):
    """The text of an output of a test run, "" if there is none on this machine."""
    for output in result.get("testActionOutput", []):
        uri = urllib.parse.urlparse(output.get("uri", ""))
        if output.get("name") == name and uri.scheme == "file":
            try:
                with open(urllib.parse.unquote(uri.path), encoding="utf-8", errors="replace") as file:
                    return file.read()
            except OSError:
                return ""
    return ""


def failed_case_names(report):
    """Names in a JUnit report, in order, each once; sections are "case/section"."""
    try:
        cases = xml.etree.ElementTree.fromstring(report).iter("testcase")
    except xml.etree.ElementTree.ParseError:
        return []
    failed = (case for case in cases
              if case.find("failure") is not None or case.find("error") is not None)
    return list(dict.fromkeys(case.get("name", "?") for case in failed))


def catch2_counts(log):
    """(passed, failed) of a Catch2 program that ran to its end, else None."""
    if matches := ALL_PASSED.findall(log):
        return int(matches[-1]), 0
    if matches := SOME_FAILED.findall(log):
        counts = {word: int(number) for number, word in COUNT.findall(matches[-1])}
        return counts.get("passed", 0), counts.get("failed", 0)
    return None


def count_run(tally, label, result):
    """Counts one run: of a whole target, or of one of its shards."""
    passed = result.get("status") in ("PASSED", "FLAKY")
    counts = catch2_counts(read_output(result, "test.log"))
    if counts and passed == (counts[1] == 0):
        tally.passed += counts[0]
        names = failed_case_names(read_output(result, "test.xml")) if counts[1] else []
        tally.add_failures(label, names, counts[1])
    elif passed:
        tally.passed += 1
    else:
        tally.add_failures(label, [result.get("status", "no status")], 1)


def count_events(events, bazel_status):
    tests, runs, broken = set(), {}, {}
    for event in events:
        kind, subject = next(iter(event.get("id", {}).items()), ("", {}))
        label = subject.get("label", "") if isinstance(subject, dict) else ""
        if kind == "targetConfigured" and "testSize" in event.get("configured", {}):
            tests.add(label)
        elif kind == "testResult" and "testResult" in event:
            # A later attempt of the same run replaces an earlier one.
            runs[label, subject.get("run"), subject.get("shard")] = event["testResult"]
        elif kind == "targetCompleted" and not event.get("completed", {}).get("success"):
            broken[label] = "was not built"

    tally = Tally()
    for (label, _, _), result in sorted(runs.items(), key=lambda item: item[0][0]):
        count_run(tally, label, result)
    with_result = {label for label, _, _ in runs}
    for label in sorted((tests | set(broken)) - with_result):
        tally.add_failures(label, [broken.get(label, "did not run")], 1)
    if bazel_status != 0 and not tally.failures:
        tally.add_failures("bazel", [f"exit status {bazel_status}, see above"], 1)
    return tally


def main():
    path, bazel_status = sys.argv[1:]
    tally = count_events(read_events(path), int(bazel_status))
    for failure in tally.failures:
        print(f"FAILED {failure}")
    if not tally.passed and not tally.failures:
        print("no tests ran")
    print(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 0 if tally.passed and not tally.failures else 1


if __name__ == "__main__":
    sys.exit(main())
