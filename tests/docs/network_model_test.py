#!/usr/bin/env python3
"""Checks that the network model's page shows what tools/ask_kernel asks: a row for each rule, in its order.

usage: network_model_test.py ASK_KERNEL PAGE
"""
import importlib.machinery
import importlib.util
import os
import re
import sys

ASK_KERNEL, PAGE = (os.path.abspath(path) for path in sys.argv[1:3])
HEADING = "## Asked of Linux"


def asked_rules():
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("ask_kernel", ASK_KERNEL)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("ask_kernel", loader))
    loader.exec_module(module)
    return [one.rule for one in module.CASES]


def shown_rules():
    with open(PAGE, encoding="utf-8") as file:
        section = file.read().partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(r"^\| (?!rule |\|)(.+?) \| .+ \| (?:same|known) \|", section, re.M)


def main():
    asked, shown = asked_rules(), shown_rules()
    for rule in sorted(set(asked) ^ set(shown)):
        print(f"{'asked, and not on the page' if rule in asked else 'on the page, and not asked'}: {rule}")
    print(f"{len(asked)} rules are asked, {len(shown)} are on the page")
    return 0 if asked == shown and asked else 1


sys.exit(main())
