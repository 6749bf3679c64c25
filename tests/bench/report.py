"""report.py - rows with targets: printed as they come, and kept as JSON."""
import json
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


class Report:
    def __init__(self):
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

    def document(self):
        return {"machine": {"cpu": cpu_name(), "cores": len_of_cores(),
                            "kernel": platform.release(),
                            "nginx": program_version("nginx", "-v")},
                "seconds": round(time.monotonic() - self.since), "rows": self.rows,
                "cells": self.cells}

    def write(self, path):
        path.write_text(json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n")

    def end(self):
        missed = [row for row in self.rows if row["met"] is False]
        met = [row for row in self.rows if row["met"]]
        print(f"\n{len(met)} targets met, {len(missed)} missed,"
              f" {time.monotonic() - self.since:.0f} s")
        for row in missed:
            print(f"  missed: {row['case']}: {row['name']}: {show(row['value'])} {row['unit']}"
                  f" (target {row['target']})")


def len_of_cores():
    import os
    return len(os.sched_getaffinity(0))
