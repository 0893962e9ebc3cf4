#!/usr/bin/env python3
"""Runs every command of a document and compares what it prints.

usage: document_test.py SKYSIM_PROGRAM WORKSPACE DOCUMENT [--rewrite]
  --rewrite puts what is printed now into the document, to be read in review

A ```console block is commands ("$ tools/skysim ...") and their output; "[status N]" says an exit status other than 0.
A ```lua block behind "<!-- file: NAME -->" is written to NAME first. Digests, counts of events, times, rates and orders
seen are not compared: they differ between versions and machines.
"""
import os
import re
import subprocess
import sys
import tempfile

PROGRAM, WORKSPACE, DOCUMENT = (os.path.abspath(path) for path in sys.argv[1:4])
LOOSE = [
    (re.compile(r"digest [0-9a-zA-Z]+"), "digest D"),
    (re.compile(r"[0-9.]+ s wall"), "W s wall"),
    (re.compile(r"over real sockets, [0-9.]+ s"), "over real sockets, W s"),
    (re.compile(r"\d+ per second"), "R per second"),
    (re.compile(r"\d+ events"), "E events"),
    (re.compile(r"[0-9.]+s virtual"), "V virtual"),
    (re.compile(r"failed at [0-9.]+ s"), "failed at T s"),
    (re.compile(r"first at [0-9.]+s"), "first at T"),
    (re.compile(r"seen (\d+ )+\d+"), "seen N"),  # the order of a table of coroutines
    (re.compile(r"^ *\d+ +\d+\.\d{9}", re.M), "N T"),  # of an event that is shown
    (re.compile(r"<- \d+"), "<- N"),
    (re.compile(r"^\d+\.\d{9}", re.M), "T"),  # of a line of the log
]


def loosen(text):
    for pattern, replacement in LOOSE:
        text = pattern.sub(replacement, text)
    return text.strip()


def blocks(text):
    """Yields (file name or None, language, body) for each fenced block."""
    for match in re.finditer(r"(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)```", text, re.S):
        yield match.group(1), match.group(2), match.group(3)


def run(command, folder):
    words = command.replace("tools/skysim", f"'{PROGRAM}'", 1)
    done = subprocess.run(words, shell=True, cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "SKYSIM_HOME": WORKSPACE})
    status = f"[status {done.returncode}]\n" if done.returncode else ""
    return done.stdout + status


def main():
    failures = commands = 0
    rewrites = []
    with tempfile.TemporaryDirectory() as folder, open(DOCUMENT, encoding="utf-8") as document:
        os.symlink(os.path.join(WORKSPACE, "scenarios"), os.path.join(folder, "scenarios"))
        for name, language, body in blocks(document.read()):
            if name:
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(body)
            if language != "console":
                continue
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, expected = part.partition("\n")
                commands += 1
                actual = run(command, folder)
                if actual != expected:
                    rewrites.append((part, f"{command}\n{actual}"))
                if loosen(actual) != loosen(expected):
                    failures += 1
                    print(f"$ {command}\n-- expected\n{expected}-- printed\n{actual}")
    if "--rewrite" in sys.argv[4:]:
        with open(DOCUMENT, encoding="utf-8") as document:
            text = document.read()
        for old, new in rewrites:
            text = text.replace(f"$ {old}", f"$ {new}")
        with open(DOCUMENT, "w", encoding="utf-8") as document:
            document.write(text)
    print(f"{commands} commands, {failures} of them print something else")
    return 1 if failures or not commands else 0


sys.exit(main())
