"""events.py - what happens once in a while: streams, connects, starts, reloads, moves."""
import os
import signal
import socket
import statistics
import subprocess
import time

from contest import Cell, contest
from machine import BenchError, connects, end_child, free_port

STREAMS, PIECES = 64, 200
OPEN_CHATS = 10000
MOVED_CHATS, MOVED_FROM, MOVED_TO = 8000, 8, 2


def stream(machine, report, options):
    """Pieces 2 ms apart. nginx hands the same stream on, with proxy_buffering off."""
    mark = machine.mark()
    robot = machine.robot(pieces=PIECES, gap_us=2000)
    report.head("stream", f"{STREAMS} chats, answers of {PIECES} pieces 2 ms apart, 2 workers")
    cells = [Cell("nginx", STREAMS, lambda: machine.proxy(robot.port, 2, "proxy_buffering off;"),
                  "http"),
             Cell("xiaotud", STREAMS, lambda: machine.openai(robot.port, 2), "chat")]
    got = contest(machine, cells, min(options.rounds, 3), "each 2")
    machine.end_since(mark)
    nginx, ours = got["nginx", STREAMS], got["xiaotud", STREAMS]
    for cell in cells:
        report.row(f"{cell.who}: CPU per piece", cell.median("cpu_us") / PIECES, "us")
        report.row(f"{cell.who}: p50 of a whole answer", cell.median("p50_us") / 1000, "ms")
    report.row("xiaotud / nginx: CPU per piece", ours.median("cpu_us") / nginx.median("cpu_us"))


def first(machine, report, _):
    """From the model server's send to the chat's receive, both in one process."""
    mark = machine.mark()
    robot_port = free_port()
    server = machine.openai(robot_port, 1)
    report.head("first", "the first piece of a stream, 2,000 answers one after the other, 1 worker")
    process = machine.start([machine.bench, "first", server.port, robot_port, 2000],
                            stdout=subprocess.PIPE, text=True)
    words = process.communicate(timeout=60)[0].split()
    machine.end_since(mark)
    if len(words) != 2:
        raise BenchError("no figures")
    report.row("median", int(words[0]), "us")
    report.row("p99", int(words[1]), "us")


def visits(machine, report, options):
    """Connect, be greeted, leave: 64 at a time."""
    mark = machine.mark()
    server = machine.hello(2)
    report.head("visits", "64 at a time connect, are greeted and leave, 2 workers")
    rates, cpu = [], []
    for _ in range(min(options.rounds, 3)):
        load = machine.load("chat", server.port, 64)
        before = server.cpu_ns()
        out = load.order("visit 64 1")
        time.sleep(0.1)  # it has noticed that they left
        rates.append(out["rate"])
        cpu.append((server.cpu_ns() - before) / 1000 / max(1, out["answers"]))
        load.end()
    machine.end_since(mark)
    report.row("visits", statistics.median(rates), "/s")
    report.row("CPU of a visit", statistics.median(cpu), "us")


def greeted(port):
    """Connect until it works, and be greeted."""
    while not connects(port):
        time.sleep(0.0002)
    with socket.create_connection(("127.0.0.1", port)) as s:
        return s.recv(64) != b""


def start(machine, report, _):
    """From exec to the greeting of the first chat."""
    report.head("start", "from exec to the first greeting, 2 workers, median of 9")
    took = []
    for _ in range(9):
        begin = time.monotonic()
        server = machine.hello(2, wait=False)
        greeted(server.port)
        took.append(1000 * (time.monotonic() - begin))
        machine.end([server.process])
    report.row("start to first accepted chat", statistics.median(took), "ms", 50.0)


def reload(machine, report, _):
    """The greeting and a limit change under chats that are there; until xiaotuctl is told."""
    mark = machine.mark()
    server = machine.hello(2)
    report.head("reload", f"under {OPEN_CHATS:,} chats, 2 workers, median of 9")
    load = machine.load("chat", server.port, OPEN_CHATS)
    load.open(OPEN_CHATS)
    text, took = server.path.read_text(), []
    for i in range(9):
        server.path.write_text(text + f'greeting = "Good day {i}!\\n"; recycle_memory = {900 + i};')
        begin = time.monotonic()
        out = server.ask("reload")
        took.append(1000 * (time.monotonic() - begin))
        if out["result"] != "ok" or not out["changed"]:
            raise BenchError(f"not reloaded: {out}")
    report.row("reload", statistics.median(took), "ms", 100.0)
    out = load.order("each 1")
    report.row("chats that answer afterwards", out["answers"], "", OPEN_CHATS, ">=")
    machine.end_since(mark)


def upgrade(machine, report, _):
    """To the same program, under chats that are there; until the old one has left."""
    mark = machine.mark()
    server = machine.hello(2)
    report.head("upgrade", f"to a new process under {OPEN_CHATS:,} chats, 2 workers")
    load = machine.load("chat", server.port, OPEN_CHATS)
    load.open(OPEN_CHATS)
    begin = time.monotonic()
    server.upgrade()
    report.row("until the old program had left", 1000 * (time.monotonic() - begin), "ms")
    out = load.order("each 1")
    report.row("chats that answer afterwards", out["answers"], "", OPEN_CHATS, ">=")
    load.end()
    end_child(server.pid)
    machine.end_since(mark)


def cpu_with_the_dead(server):
    """Of the master, its workers, and its workers that have left."""
    with open(f"/proc/{server.pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return server.cpu_ns() + 1e9 / os.sysconf("SC_CLK_TCK") * (int(fields[13]) + int(fields[14]))


def move(machine, report, _):
    """Idle chats move when a pool of 8 becomes one of 2."""
    mark = machine.mark()
    server = machine.hello(MOVED_FROM)
    report.head("move", f"{MOVED_CHATS:,} idle chats, a pool of {MOVED_FROM} becomes one of"
                f" {MOVED_TO}")
    load = machine.load("chat", server.port, MOVED_CHATS)
    load.open(MOVED_CHATS)
    before, begin = cpu_with_the_dead(server), time.monotonic()
    for _ in range(MOVED_FROM - MOVED_TO):
        os.kill(server.pid, signal.SIGTTOU)
        time.sleep(0.02)  # signals of one kind that come at once are one
    while len(server.workers()) > MOVED_TO:
        if time.monotonic() - begin > 20:
            raise BenchError("the workers do not leave")
        time.sleep(0.002)
    took, cpu = time.monotonic() - begin, cpu_with_the_dead(server) - before
    moved = server.ask("status")["moved_out"]
    report.row("moved", moved, "chats")
    report.row("until the workers had left", took, "s")
    report.row("CPU of a move", cpu / 1000 / max(1, moved), "us")
    out = load.order("each 1")
    report.row("chats that answer afterwards", out["answers"], "", MOVED_CHATS, ">=")
    machine.end_since(mark)
