"""cases.py - what is measured under talk: CPU per message, rates and latencies beside nginx and a
bare echo server."""
import re
import shutil
import statistics
import subprocess

from contest import Cell, contest
from report import AT_LEAST

SIZES = (1, 64, 512, 4096)
SIZE_TARGETS_RATE = (64, 512)


def http_cells(machine, origin, workers, chats):
    return [Cell("nginx", chats, lambda: machine.proxy(origin.port, workers), "http",
                 origin),
            Cell("xiaotud", chats, lambda: machine.turing(origin.port, workers), "chat",
                 origin)]


def hello_cells(machine, workers, chats):
    return [Cell("hello", chats, lambda: machine.hello(workers), "chat"),
            Cell("echo", chats, lambda: machine.echo(workers), "echo")]


def ratio(one, other, what):
    """Of neighbours in time: the median of the ratios of all rounds."""
    return statistics.median(a / b for a, b in zip(getattr(one, what), getattr(other, what)))


def compare(report, got, a, b, chats, targets):
    """Rows of a beside b. targets: of the ratios of CPU and of rate, or None."""
    if (a, chats) not in got or (b, chats) not in got:
        return
    one, other = got[a, chats], got[b, chats]
    for cell in (one, other):
        report.row(f"{cell.who}, {chats} chats: CPU each", cell.median("cpu_us"), "us")
        report.row(f"{cell.who}, {chats} chats: answers", cell.median("rate"), "/s")
    report.row(f"{a} / {b}, {chats} chats: CPU each", ratio(one, other, "cpu_us"), "", targets[0])
    report.row(f"{a} / {b}, {chats} chats: answers per second", ratio(one, other, "rate"), "",
               targets[1], AT_LEAST)
    report.row(f"{a} / {b}, {chats} chats: the same, were the cores ours alone",
               1 / ratio(one, other, "whole_us"))


def growth(report, got, who, target=None):
    """How much dearer a message is among 4,096 chats than among 64, beside the echo server."""
    if not all((w, n) in got for w in (who, "echo") for n in (64, 4096)):
        return
    mine, bare = ([b / a for a, b in zip(got[w, 64].cpu_us, got[w, 4096].cpu_us)]
                  for w in (who, "echo"))
    report.row(f"{who}: CPU each from 64 to 4,096 chats", statistics.median(mine), "times")
    report.row(f"{who}: the same, relative to echo ({statistics.median(bare):.2f})",
               statistics.median(a / b for a, b in zip(mine, bare)), "", target)


def talk(machine, report, wanted, rounds, seconds):
    """All of http1..http4096 and hello1..hello4096 that are wanted, in one contest."""
    mark = machine.mark()
    origin = machine.origin(2)
    cells = []
    for chats in SIZES:
        if f"http{chats}" in wanted:
            cells += http_cells(machine, origin, 2, chats)
        if f"hello{chats}" in wanted:
            cells += hello_cells(machine, 2, chats)
    report.head("talk", f"ping-pong, 2 workers, median of {rounds} rounds of {seconds} s, in turn;"
                " the robot of nginx and xiaotud is another nginx")
    got = contest(machine, cells, rounds, f"talk {seconds}")
    machine.end_since(mark)
    for chats in SIZES:
        compare(report, got, "xiaotud", "nginx", chats,
                (1.0 if chats == 64 else None, 0.9 if chats in SIZE_TARGETS_RATE else None))
    for chats in SIZES:
        compare(report, got, "hello", "echo", chats, (1.3 if chats == 64 else None, None))
    growth(report, got, "xiaotud", 1.1)
    growth(report, got, "nginx")
    growth(report, got, "hello", 1.1)
    for cell in cells:
        report.cell(cell, 2)


def pool(machine, report, workers, rounds, seconds):
    """The same at 64 chats with another number of workers."""
    mark = machine.mark()
    origin = machine.origin(2)
    cells = http_cells(machine, origin, workers, 64) + hello_cells(machine, workers, 64)
    report.head(f"pool{workers}", f"64 chats, {workers} worker{'s' * (workers > 1)} of each")
    got = contest(machine, cells, rounds, f"talk {seconds}")
    machine.end_since(mark)
    compare(report, got, "xiaotud", "nginx", 64, (None, None))
    compare(report, got, "hello", "echo", 64, (None, None))
    for cell in cells:
        report.cell(cell, workers)


def latency(machine, report, per_second, rounds, seconds):
    """At a rate that none is exhausted by. From the moment a message was meant to be sent."""
    mark = machine.mark()
    origin = machine.origin(2)
    cells = http_cells(machine, origin, 2, 64) + hello_cells(machine, 2, 64)
    report.head("latency", f"{per_second:,} messages a second over 64 chats, counted from when each"
                " was meant to be sent")
    contest(machine, cells, rounds, f"rate {per_second} {seconds}")
    machine.end_since(mark)
    for cell in cells:
        for key, name in (("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9")):
            report.row(f"{cell.who}: {name}", cell.median(key), "us")
        report.row(f"{cell.who}: CPU each", cell.median("cpu_us"), "us")


def wrk_rate(port, chats, seconds):
    out = subprocess.run([shutil.which("wrk"), "-t1", f"-c{chats}", f"-d{max(1, round(seconds))}s",
                          f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out.stdout)[1])


def wrk(machine, report, rounds, seconds):
    """Is our generator as good as wrk? Both ask the same nginx, in turn."""
    mark = machine.mark()
    proxy = machine.proxy(machine.origin(2).port, 2)
    report.head("wrk", "our generator and wrk ask the same nginx, 64 connections, in turn")
    rates = {"wrk": [], "bench": []}
    for _ in range(rounds):
        load = machine.load("http", proxy.port, 64)
        load.open(64)
        rates["bench"].append(load.order(f"talk {seconds}")["rate"])
        load.end()
        rates["wrk"].append(wrk_rate(proxy.port, 64, seconds))
    machine.end_since(mark)
    ours, theirs = (statistics.median(rates[who]) for who in ("bench", "wrk"))
    report.row("requests per second that bench gets", ours, "/s")
    report.row("requests per second that wrk gets", theirs, "/s")
    report.row("bench / wrk", ours / theirs)
