#!/usr/bin/env python3
"""check-layers - every folder of src/ includes only folders of lower floors (DEPS_* in the Makefile),
and the libraries stay in their places."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACES = {"curl/": {"robot"}, "libconfig": {"conf"}, "json-c/": {"base"}, "json.h": {"base"},
          "openssl/": {"base", "robot", "wire"}, "ev.h": {"base", "robot", "worker", "master", "client"}}


def floors():
    text = (ROOT / "Makefile").read_text()
    deps = {m[1]: set(m[2].split()) for m in re.finditer(r"^DEPS_(\w+)\s*=(.*)$", text, re.M)}
    deps["prog"] = set(deps)
    return deps


def check(path, deps):
    folder = path.parent.name
    for number, line in enumerate(path.read_text().splitlines(), 1):
        ours = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        theirs = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        where = f"{path.relative_to(ROOT)}:{number}"
        if ours:
            parts = ours[1].split("/")
            if len(parts) != 2:
                yield f"{where}: include \"{ours[1]}\" with its folder"
            elif parts[0] != folder and parts[0] not in deps[folder]:
                yield f"{where}: {folder}/ may not include {parts[0]}/"
        if theirs:
            for prefix, folders in PLACES.items():
                if theirs[1].startswith(prefix) and folder not in folders:
                    yield f"{where}: <{theirs[1]}> belongs to {', '.join(sorted(folders))}/"


def cycle(deps):
    for folder, below in deps.items():
        for other in below:
            if folder != "prog" and folder in deps.get(other, ()):
                yield f"Makefile: {folder} and {other} include one another"


def main():
    deps = floors()
    bad = list(cycle(deps))
    for path in sorted((ROOT / "src").glob("*/*.[ch]")):
        bad += check(path, deps)
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
