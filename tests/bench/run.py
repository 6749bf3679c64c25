#!/usr/bin/env python3
"""run.py - make bench: see README.md beside it."""
import argparse
import pathlib
import resource
import shutil
import signal
import sys

import cases
import chart
import crowds
import events
import where
from machine import BenchError, Machine
from report import Report

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = {"nginx": "nginx-light", "wrk": "wrk"}

TALK = [f"{kind}{chats}" for kind in ("http", "hello") for chats in cases.SIZES]
CASES = {
    "pool1": lambda m, r, o: cases.pool(m, r, 1, o.rounds, o.seconds),
    "pool4": lambda m, r, o: cases.pool(m, r, 4, o.rounds, o.seconds),
    "stream": events.stream,
    "first": events.first,
    "waiting": crowds.waiting,
    "idle": crowds.idle,
    "crowd": crowds.crowd,
    "spread": crowds.spread,
    "visits": events.visits,
    "start": events.start,
    "reload": events.reload,
    "upgrade": events.upgrade,
    "move": events.move,
    "latency": lambda m, r, o: cases.latency(m, r, 5000, 3, 1),
    "wrk": lambda m, r, o: cases.wrk(m, r, 3, 1),
}


def parse():
    p = argparse.ArgumentParser(prog="bench", description="Measure xiaotud beside nginx and a bare"
                                " echo server. Without --only: everything, in under five minutes,"
                                " and results.json and results.svg are written.")
    p.add_argument("--only", metavar="CASE,...", default="", help="these cases alone")
    p.add_argument("--list", action="store_true", help="name the cases")
    p.add_argument("--profile", metavar="CASE", choices=TALK,
                   help="where each microsecond goes, by perf: http64, hello512, ...")
    p.add_argument("--rounds", type=int, default=5, help="of each comparison (%(default)s)")
    p.add_argument("--seconds", type=float, default=0.7, help="of each round (%(default)s)")
    p.add_argument("folder", nargs="?", default=ROOT / "build/release",
                   help="with xiaotud and bench (build/release)")
    return p.parse_args()


def check(options, wanted):
    """Say what is missing and how to get it, before anything starts."""
    for name in wanted:
        if name not in [*TALK, *CASES]:
            sys.exit(f"bench: no case {name}; there are: {' '.join([*TALK, *CASES])}")
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        sys.exit(f"bench: missing: apt install {' '.join(missing)} (or scripts/packages bench)")
    for program in ("xiaotud", "xiaotuctl", "bench"):
        if not (pathlib.Path(options.folder) / program).exists():
            sys.exit(f"bench: {options.folder}/{program} is missing: make bench builds it")


def main():
    options = parse()
    if options.list:
        print("\n".join([*TALK, *CASES]))
        return 0
    wanted = [name for name in options.only.split(",") if name] or [*TALK, *CASES]
    check(options, wanted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when started with `&`
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    report = Report()
    try:
        with Machine(options.folder) as machine:
            if options.profile:
                where.where(machine, options.profile)
                return 0
            if set(wanted) & set(TALK):
                cases.talk(machine, report, wanted, options.rounds, options.seconds)
            for name, case in CASES.items():
                if name in wanted:
                    case(machine, report, options)
    except BenchError as e:
        sys.exit(f"bench: {report.case}: {e}")
    except KeyboardInterrupt:
        sys.exit("\nbench: interrupted")
    report.end()
    if not options.only:
        report.write(HERE / "results.json")
        (HERE / "results.svg").write_text(chart.draw(report.document()), encoding="utf-8")
    return 0


sys.exit(main())
