#!/usr/bin/env python3
"""Checks that tools/luals tells editors the truth.

usage: luals_test.py SKYSIM_PROGRAM WORKSPACE FOLDER_OF_DECLARATIONS SCENARIO

The modules are compared with their declarations by SCENARIO (luals.lua), on a simulated node. Here: that each
declaration is documented, that each type has a declaration, and that the tables of a scenario are declared with the
fields that skysim accepts.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM, WORKSPACE, FOLDER, SCENARIO = (os.path.abspath(path) for path in sys.argv[1:5])

# A run that is told of a field that does not exist lists those that do: class -> (what the scenario says, the list).
SCENARIOS = {
    "sim.Scenario": ("nonesuch = 1, nodes = {}, story = function() end", r"there are: (.*)"),
    "sim.Node": ("nodes = { a = { nonesuch = 1 } }, story = function() end", r"there are: (.*)"),
    "sim.Network": ("nodes = { a = { start = 'x' } }, network = { nonesuch = 1 }, story = function() end",
                    r"it has (.*)"),
    "sim.NemesisFields": ("nodes = { a = { start = 'x' } }, nemesis = { nonesuch = true }, story = function() end",
                          r"there are: (.*)"),
    "sim.Calm": ("services = { idle = function() require('skynet').start(function() end) end },"
                 "nodes = { a = { start = 'idle' } },"
                 "story = function(world) world:calm_down { nonesuch = 1 } end", r"it has (.*)"),
    "sim.Changes": ("services = { idle = function() require('skynet').start(function() end) end },"
                    "nodes = { a = { start = 'idle' } },"
                    "story = function(world) world:restart('a', { nonesuch = 1 }) end", r"there are: (.*)"),
}


LUA_TYPES = set("any async boolean false fun function integer lightuserdata nil number string table thread true "
                "userdata".split())


def read_declarations():
    """Module -> text, of all files."""
    texts = {}
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(".lua"):
                continue
            with open(path, encoding="utf-8") as file:
                text = file.read()
            module = os.path.relpath(path, FOLDER)[:-len(".lua")].replace(os.sep, ".")
            first = text.split("\n", 1)[0]
            assert first == f"---@meta {module}", f"{path} begins with {first!r}"
            texts[module] = text
    return texts


def check_documentation(module, text):
    """Each function has a sentence, and an @param for each of its parameters, in their order."""
    comment = []
    for line in text.split("\n"):
        if line.startswith("---") and not line.startswith("----"):
            comment.append(line)
            continue
        found = re.match(r"(?:local )?function ([\w.:]+)\((.*)\) end$", line)
        if found:
            name, parameters = found.group(1), [word for word in re.split(r", *", found.group(2)) if word]
            documented = [re.match(r"---@param ([\w.]+)", entry).group(1) for entry in comment
                          if entry.startswith("---@param")]
            if documented != parameters:
                yield f"{module}: {name} has the parameters {parameters}, documented are {documented}"
            if not any(re.match(r"--- ?\w|--- \"|---@return .* ", entry) for entry in comment):
                yield f"{module}: {name} is not explained"
        elif "function" in line.split("--")[0]:
            yield f"{module}: this test cannot read: {line}"
        comment = []


def type_at(text):
    """The type that `text` begins with; a name or a description follows."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char in "({[<") - (char in ")}]>")
        before = text[:place].rstrip()
        if char == " " and depth == 0 and before[-1] not in ",:|" and before != "async":
            return before
    return text


def check_types(texts):
    """Each type that an annotation uses is Lua's, or declared in some file."""
    known = set(LUA_TYPES)
    for text in texts.values():
        known.update(re.findall(r"^---@(?:class|alias|generic) ([\w.]+)", text, re.M))
    used = (r"^---@(?:param [\w.]+\?? |field (?:\w+\??|\[\w+\]) |return |type |overload |generic \w+: |"
            r"alias [\w.]+ |operator \w+)(.+)$")
    for module, text in sorted(texts.items()):
        for rest in re.findall(used, text, re.M):
            names = re.sub(r"\"[^\"]*\"|[\w.]+\??:", "", type_at(rest))
            for name in set(re.findall(r"[A-Za-z_][\w.]*", names)) - known:
                yield f"{module}: the type {name} is not declared: {rest}"


def declared_fields(text, name):
    body = re.search(rf"^---@class {re.escape(name)}\n((?:---@field .*\n)+)", text, re.M)
    return re.findall(r"^---@field (\w+)", body.group(1), re.M) if body else []


def run(scenario):
    environment = {**os.environ, "SKYSIM_HOME": WORKSPACE}
    return subprocess.run([PROGRAM, "run", scenario], capture_output=True, text=True, env=environment, check=False)


def check_fields(text, folder):
    for name, (declaration, pattern) in SCENARIOS.items():
        path = os.path.join(folder, "fields.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'require "sim".scenario "fields" {{ {declaration} }}\n')
        result = run(path)
        found = re.search(r"has no (?:field )?\"?nonesuch\"?; " + pattern, result.stdout + result.stderr)
        if result.returncode != 2 or not found:
            yield f"{name}: this run should name its fields:\n{result.stdout}{result.stderr}"
            continue
        accepted, declared = sorted(found.group(1).split(", ")), sorted(declared_fields(text, name))
        if accepted != declared:
            yield f"{name} has the fields {accepted}, declared are {declared}"


def compare_modules(texts, folder):
    """Runs the scenario; its report if it has failed."""
    scenario = shutil.copy(SCENARIO, folder)
    with open(os.path.join(folder, "declarations.lua"), "w", encoding="utf-8") as file:
        file.write("return {\n")
        for module, text in sorted(texts.items()):
            file.write(f"{{ module = '{module}', text = [======[\n{text}]======] }},\n")
        file.write("}\n")
    result = run(scenario)
    if result.returncode != 0:
        yield f"status {result.returncode}:\n{result.stdout}{result.stderr}"


def main():
    texts = read_declarations()
    complaints = list(check_types(texts))
    for module, text in sorted(texts.items()):
        complaints += check_documentation(module, text)
    with tempfile.TemporaryDirectory() as folder:
        complaints += check_fields(texts["sim"], folder)
        complaints += compare_modules(texts, folder)
    for complaint in complaints:
        print(complaint)
    print(f"{len(texts)} modules, {len(complaints)} complaints")
    return 1 if complaints else 0


sys.exit(main())
