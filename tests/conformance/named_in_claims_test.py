#!/usr/bin/env python3
"""Checks that each function, method and command of listed_functions.lua is used by some file of claims.

usage: named_in_claims_test.py FOLDER_OF_CLAIMS

A function counts as used where a file that requires its module has `.name` or `:name`, a command where its word stands
behind a quote or a blank. That it is used rightly is for the claims to say.
"""
import glob
import os
import re
import sys

FOLDER = sys.argv[1]

# Files that name functions without a claim on any of them.
NO_CLAIMS = {"listed_functions.lua", "function_names.lua", "lua_api.lua"}

# What no file can name, and why that is no gap.
EXCEPTIONS = {
    ("skynet.core.command", "ABORT"): "every file ends its node with it: skynet.abort in claims.lua",
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def claim_files():
    """Texts of the files, without lines that are comments."""
    paths = sorted(glob.glob(os.path.join(FOLDER, "*.lua")))
    return [re.sub(r"^ *--.*$", "", read(path), flags=re.M) for path in paths if os.path.basename(path) not in NO_CLAIMS]


def listed(text, table):
    """Yields (module or service, names)."""
    body = re.search(rf"^listed\.{table} = {{\n(.*?)^}}", text, re.S | re.M).group(1)
    for owner, long, short in re.findall(r'\["([^"]+)"\] = (?:\[\[(.*?)\]\]|"([^"]*)")', body, re.S):
        yield owner, (long or short).split()


def users(texts, module):
    """The texts that require the module: all for skynet itself, which its manager is too."""
    if module == "skynet":
        return texts
    return [text for text in texts if re.search(rf"""require *\(?["']{re.escape(module)}["']""", text)]


def main():
    texts = claim_files()
    names = read(os.path.join(FOLDER, "listed_functions.lua"))
    count, missing = 0, []
    for table in ("functions", "methods", "commands"):
        for owner, words in listed(names, table):
            is_command = table == "commands"
            pattern = r"""["' ]%s\b""" if is_command else r"[.:]%s\b"
            where = texts if is_command else users(texts, owner)
            for word in words:
                count += 1
                if (owner, word) not in EXCEPTIONS and not any(re.search(pattern % word, text) for text in where):
                    missing.append(f"{owner}: {word}")
    for entry in missing:
        print(f"no claim names {entry}")
    print(f"{count} names, {len(missing)} without a claim")
    return 1 if missing or count < 300 else 0


sys.exit(main())
