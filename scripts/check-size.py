#!/usr/bin/env python3
"""check-size - functions fit a screen (60 lines), files 500 lines, headers 150, lines 100 columns."""
import pathlib
import re
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION, FILE, HEADER, COLUMNS = 60, 500, 150, 100


def width(line):
    n = 0
    for c in line:
        n += 8 - n % 8 if c == "\t" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return n


def check(path):
    lines = path.read_text().splitlines()
    name = path.relative_to(ROOT)
    most = HEADER if path.suffix == ".h" else FILE
    start = tables = None
    if len(lines) > most:
        yield f"{name}: {len(lines)} lines, at most {most}"
    for number, line in enumerate(lines, 1):
        if "clang-format off" in line:
            tables = number
        line = line.rstrip("\\ \t") if line.endswith("\\") else line
        if width(line) > COLUMNS and not tables and not re.search(r'"', line):
            yield f"{name}:{number}: {width(line)} columns, at most {COLUMNS}"
        if line == "{":
            start = number
        if line.startswith("}") and start:
            if number - start - 1 > FUNCTION:
                yield f"{name}:{start}: a function of {number - start - 1} lines, at most {FUNCTION}"
            start = None


def main():
    bad = []
    for path in sorted([*ROOT.glob("src/*/*.[ch]"), *ROOT.glob("tests/*/*.[ch]"),
                        *ROOT.glob("tests/*/*/*.[ch]")]):
        bad += check(path)
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
