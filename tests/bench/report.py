"""report.py - rows with targets: printed as they come, and kept as JSON."""
import json
import os
import platform
import subprocess
import time
import unicodedata

AT_MOST, AT_LEAST = "<=", ">="


def show(value):
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def pad(text, width):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return text + " " * (width - len(text) - wide)


def program_version(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (out.stdout + out.stderr).strip().splitlines()[0]


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def machine_times():
    """Ticks of all cores: idle, stolen by the host, all."""
    with open("/proc/stat", encoding="ascii") as f:
        t = [int(word) for word in f.readline().split()[1:9]]
    return t[3] + t[4], t[7], sum(t)


def busy_percent(seconds):
    """How much of the machine others use, while we do nothing."""
    before = machine_times()
    time.sleep(seconds)
    idle, _, whole = (b - a for a, b in zip(before, machine_times()))
    return round(100 * (1 - idle / max(1, whole)))


class Report:
    def __init__(self):
        self.busy, self.times = busy_percent(0.5), machine_times()
        if self.busy > 10:
            print(f"bench: others use {self.busy} % of this machine: rates and latencies will be"
                  " worse than they are, CPU per message hardly")
        self.rows, self.cells, self.case = [], [], ""
        self.since = time.monotonic()

    def head(self, case, text):
        self.case = case
        print(f"\n{case}: {text}", flush=True)

    def row(self, name, value, unit="", target=None, way=AT_MOST, met=None):
        """target: a number that value is compared with, or a text when `met` tells."""
        if target is not None and met is None:
            met = value <= target if way == AT_MOST else value >= target
        wanted = ("" if target is None else target if isinstance(target, str)
                  else f"{way} {show(target)}")
        self.rows.append({"case": self.case, "name": name, "value": value, "unit": unit,
                          "target": wanted, "met": met})
        verdict = "" if met is None else "met" if met else "MISSED"
        print(f"  {pad(name, 58)} {show(value):>10} {unit:<10} {wanted:>12}  {verdict}".rstrip(),
              flush=True)

    def cell(self, cell, workers):
        self.cells.append({"workers": workers, **cell.figures()})

    def stolen_percent(self):
        _, stolen, whole = (b - a for a, b in zip(self.times, machine_times()))
        return round(100 * stolen / max(1, whole), 1)

    def document(self):
        return {"machine": {"cpu": cpu_name(), "cores": n_cores(),
                            "kernel": platform.release(),
                            "nginx": program_version("nginx", "-v"),
                            "busy_before_percent": self.busy,
                            "stolen_percent": self.stolen_percent()},
                "seconds": round(time.monotonic() - self.since), "rows": self.rows,
                "cells": self.cells}

    def write(self, path):
        path.write_text(json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n")

    def end(self):
        missed = [row for row in self.rows if row["met"] is False]
        met = [row for row in self.rows if row["met"]]
        print(f"\n{len(met)} targets met, {len(missed)} missed,"
              f" {time.monotonic() - self.since:.0f} s; {self.stolen_percent()} % of the time the host"
              " gave the cores to others")
        for row in missed:
            print(f"  missed: {row['case']}: {row['name']}: {show(row['value'])} {row['unit']}"
                  f" (target {row['target']})")


def n_cores():
    return len(os.sched_getaffinity(0))
