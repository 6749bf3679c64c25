#!/usr/bin/env python3
"""instructions.py - make bench-instructions: a guard that no clock has a part in. How many
instructions a worker spends on a message, counted by callgrind: two runs that differ in nothing but
the number of messages, one message after the other, so that start and end cancel out."""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

from machine import BenchError, Machine

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECORD = pathlib.Path(__file__).resolve().parent / "instructions.json"
TOLERANCE = 0.05
CHATS, IDLE, PIECES = 64, 2000, 20
PACKAGES = ("gcc", "libc6", "libcurl4", "libev4", "libjson-c5", "libssl3", "valgrind")


def hello(machine, program):
    return machine.hello(1, program=program)


def http(machine, program):
    """The robot takes a moment, so that the worker always sleeps when the reply comes."""
    return machine.turing(machine.robot(delay_ms=3).port, 1, program=program)


def stream(machine, program):
    return machine.openai(machine.robot(pieces=PIECES, gap_us=5000).port, 1, program=program)


# name: what it is, how to start it, idle chats, few and many messages, pieces of a message
SCENARIOS = {
    "hello": ("a message to robot `hello`, 64 chats", hello, 0, 640, 3200, 1),
    "http": ("a message to a robot behind HTTP, 64 chats", http, 0, 320, 1600, 1),
    "idle": (f"as hello, while {IDLE:,} more chats are silent", hello, IDLE, 640, 3200, 1),
    "stream": (f"a piece of a stream of {PIECES}", stream, 0, 10, 60, PIECES),
}


def versions():
    """Of what has a part in the count."""
    found = {}
    for package in PACKAGES:
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=False,
                             capture_output=True, text=True)
        found[package] = out.stdout.strip() if out.returncode == 0 else "?"
    return found


def count(machine, scenario, messages):
    """Instructions of the worker from its start to its end."""
    _, start, n_idle, _, _, _ = scenario
    mark = machine.mark()
    name = machine.name("callgrind")
    server = start(machine, ["valgrind", "--tool=callgrind", "--trace-children=yes", "-q",
                             "--collect-jumps=no",
                             f"--callgrind-out-file={machine.folder}/{name}.%p"])
    silent = machine.load("chat", server.port, IDLE)
    if n_idle:
        silent.open(n_idle)
    load = machine.load("chat", server.port, CHATS)
    load.open(CHATS)
    (worker,) = server.workers()
    out = load.order(f"serial {messages}")
    if out["answers"] != messages:
        raise BenchError(f"{out['answers']} answers to {messages} messages")
    load.end()
    silent.end()
    time.sleep(0.5)
    machine.end([server.process])
    text = (machine.folder / f"{name}.{worker}").read_text(encoding="utf-8")
    machine.end_since(mark)
    return int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1])


def measure(machine, name):
    scenario = SCENARIOS[name]
    few, many, pieces = scenario[3:]
    return (count(machine, scenario, many) - count(machine, scenario, few)) / (many - few) / pieces


def judge(name, now, recorded):
    """Print a line. Returns whether it is good."""
    text = SCENARIOS[name][0]
    if recorded is None:
        print(f"{name:8} {now:9,.0f}  not recorded  {text}")
        return True
    change = now / recorded - 1
    word = ("WORSE" if change > TOLERANCE else "better: record it" if change < -TOLERANCE
            else "as recorded")
    print(f"{name:8} {now:9,.0f}  {change:+7.1%}  {word}  {text}", flush=True)
    return change <= TOLERANCE


def compare(found, recorded):
    good = all([judge(name, now, recorded.get("instructions", {}).get(name))
                for name, now in found.items()])
    was, now = recorded.get("with", {}), versions()
    for package in PACKAGES:
        if was and was.get(package) != now[package]:
            print(f"recorded with {package} {was.get(package)}, now {now[package]}: the counts"
                  " depend on it; RECORD=1 writes them anew")
    return good


def main():
    p = argparse.ArgumentParser(prog="bench-instructions", description=__doc__)
    p.add_argument("--record", action="store_true", help="write instructions.json")
    p.add_argument("--only", default="", metavar="SCENARIO,...", help=" ".join(SCENARIOS))
    p.add_argument("folder", nargs="?", default=ROOT / "build/release")
    options = p.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("bench-instructions: missing: apt install valgrind")
    wanted = [name for name in options.only.split(",") if name] or list(SCENARIOS)
    recorded = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    print("instructions of a worker per message")
    try:
        with Machine(options.folder) as machine:
            found = {name: round(measure(machine, name)) for name in wanted}
    except (BenchError, KeyboardInterrupt) as e:
        sys.exit(f"bench-instructions: {e or 'interrupted'}")
    good = compare(found, recorded)
    if options.record:
        document = {"with": versions(),
                    "instructions": {**recorded.get("instructions", {}), **found}}
        RECORD.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"recorded in {RECORD.relative_to(ROOT)}")
        return 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
