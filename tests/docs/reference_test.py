#!/usr/bin/env python3
"""Checks that the reference names every verb, field and option that there is.

usage: reference_test.py SKYSIM_PROGRAM WORKSPACE REFERENCE
"""
import os
import re
import subprocess
import sys

PROGRAM, WORKSPACE, REFERENCE = (os.path.abspath(path) for path in sys.argv[1:4])
COMMANDS = ["run", "sweep", "zoo", "zoo run", "replay", "show", "node"]
COMMON_OPTIONS = {"--help"}


def read(path):
    with open(os.path.join(WORKSPACE, path), encoding="utf-8") as file:
        return file.read()


def fields(source, table):
    body = re.search(rf"local {table} = {{(.*?)\n}}", source, re.S).group(1)
    return re.findall(r"(\w+) = \"", body)


def expected():
    """Yields (what, how the page must write it)."""
    for module in ("world", "node_faults", "network", "nemesis", "calm"):
        path = f"lualib/sim/{module}.lua"
        for kind, name in re.findall(r"^ *function (World|Link|Clock):(\w+)", read(path), re.M):
            yield f"verb {kind.lower()}:{name}", rf"{kind.lower()}:{name}\b"
    for name in re.findall(r"name = \"(\w+)\"|(?:on|sets)_links\(\"(\w+)\"", read("lualib/sim/families.lua")):
        yield f"family {''.join(name)}", rf"^\|.*`{''.join(name)}`.*\|"
    for name in fields(read("lualib/sim/calm.lua"), "FIELDS"):
        yield f"field {name} of calm_down", rf"^\| `{name}` \|"
    sim = read("lualib/sim.lua")
    for name in re.findall(r"^(?:function )?sim\.(\w+)(?:\(| = )", sim, re.M):
        if name != "declared":
            yield f"function sim.{name}", rf"sim\.{name}\b"
    declaration = read("lualib/sim/declaration.lua")
    for table in ("SCENARIO_FIELDS", "NODE_FIELDS"):
        for name in fields(declaration, table):
            yield f"field {name}", rf"^\|.*`{name}`.*\|"
    for command in COMMANDS:
        text = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
        for option in sorted(set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", text, re.M)) - COMMON_OPTIONS):
            yield f"option {command} {option}", rf"`{option}\b"


def main():
    page = read(REFERENCE)
    wanted = list(expected())
    missing = [what for what, pattern in wanted if not re.search(pattern, page, re.M)]
    for what in missing:
        print(f"the reference says nothing of {what}")
    print(f"{len(wanted)} names, {len(missing)} missing")
    return 1 if missing or len(wanted) < 80 else 0


sys.exit(main())
