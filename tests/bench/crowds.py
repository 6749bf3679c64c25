"""crowds.py - many chats at once: those that wait for a slow robot, those that say nothing, and how
they spread over the workers."""
import threading
import time

from machine import BenchError

IDLE_CHATS, UNDER_WAY = 10000, 10000
MOST_CHATS, CROWD_STEP, MOST_WORKERS = 100000, 20000, 6
SPREAD_CONNECTS, SPREAD_WORKERS = 800, 4


class Peak:
    """The most private memory of the workers, looked at again and again."""

    def __init__(self, server, pause=0.15):
        self.server, self.most, self.pause = server, 0, pause
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(self.pause):
            self.most = max(self.most, self.server.private_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def wave(report, server, load, name, order, target=None):
    cpu = server.cpu_ns()
    out = load.order(order)
    cpu = server.cpu_ns() - cpu
    report.row(f"{name}: lost or refused", UNDER_WAY - out["answers"], "", 0)
    report.row(f"{name}: p50", out["p50_us"] / 1000, "ms")
    report.row(f"{name}: p99", out["p99_us"] / 1000, "ms", target)
    report.row(f"{name}: CPU each", cpu / 1000 / UNDER_WAY, "us")


def waiting(machine, report, _):
    """All ask within 0.8 s, and the robot takes 1 s: there is a moment when all are under way. The
    memory is looked at in a wave of its own, for looking at it holds the workers up."""
    mark = machine.mark()
    robot = machine.robot(delay_ms=1000)
    report.head("waiting", f"{UNDER_WAY:,} chats ask a robot that takes 1 s; 2 workers")
    server = machine.turing(robot.port, 2)
    load = machine.load("chat", server.port, UNDER_WAY)
    load.open(UNDER_WAY)
    wave(report, server, load, "within 0.8 s, connecting", "wave 0.8", 1300.0)
    wave(report, server, load, "within 0.8 s, connected", "wave 0.8", 1300.0)
    wave(report, server, load, "at once, connected", "wave 0")
    load.end()
    machine.end([server.process])
    server = machine.turing(robot.port, 2)
    load = machine.load("chat", server.port, UNDER_WAY)
    load.open(UNDER_WAY)
    time.sleep(0.3)
    before = server.private_bytes()
    with Peak(server) as peak:
        out = load.order("wave 0.8")
    report.row("private memory per message under way",
               (peak.most - before) / UNDER_WAY / 1024, "KiB", 32.0)
    if out["answers"] != UNDER_WAY:
        raise BenchError(f"{UNDER_WAY - out['answers']} lost")
    machine.end_since(mark)


def idle(machine, report, _):
    """What a chat costs that was greeted and says nothing; and one that has talked once."""
    mark = machine.mark()
    server = machine.hello(2)
    report.head("idle", f"{IDLE_CHATS:,} chats, 2 workers")
    time.sleep(0.3)  # all workers have started
    before = server.private_bytes()
    load = machine.load("chat", server.port, IDLE_CHATS)
    out = load.open(IDLE_CHATS)
    time.sleep(0.3)
    report.row("private memory per idle chat",
               (server.private_bytes() - before) / IDLE_CHATS, "bytes", 512.0)
    load.order("each 1")
    time.sleep(0.3)
    report.row("private memory per chat that has said something",
               (server.private_bytes() - before) / IDLE_CHATS, "bytes")
    report.row("accepted and greeted", IDLE_CHATS / out["seconds"], "/s")
    machine.end_since(mark)


def crowd(machine, report, _):
    """All are there, then all say one thing."""
    mark = machine.mark()
    server = machine.hello(MOST_WORKERS)
    report.head("crowd", f"{MOST_CHATS:,} chats, {MOST_WORKERS} workers, who then all say one thing")
    time.sleep(0.3)
    before = server.private_bytes()
    load = machine.load("chat", server.port, MOST_CHATS, MOST_WORKERS)
    begin = time.monotonic()
    for n in range(CROWD_STEP, MOST_CHATS + 1, CROWD_STEP):
        load.open(n)
        if n != MOST_CHATS:
            report.row(f"at {n:,} chats: private memory of each",
                       (server.private_bytes() - before) / n, "bytes")
    report.row("accepted and greeted", MOST_CHATS / (time.monotonic() - begin), "/s")
    time.sleep(0.5)
    report.row("private memory per idle chat",
               (server.private_bytes() - before) / MOST_CHATS, "bytes", 512.0)
    cpu = server.cpu_ns()
    time.sleep(1)
    report.row("CPU while all are silent", (server.cpu_ns() - cpu) / 1e6, "ms/s")
    out = load.order("wave 0")
    report.row("answered", out["answers"], "", MOST_CHATS, ">=")
    report.row("until all were answered", out["seconds"], "s")
    shares(report, server, MOST_CHATS)
    machine.end_since(mark)


def shares(report, server, n, low=None, high=None):
    accepted = [worker["accepted"] for worker in server.ask("workers")["workers"]]
    if sum(accepted) < n:
        raise BenchError(f"{sum(accepted)} accepted of {n}")
    part = [100 * a / sum(accepted) for a in accepted]
    met = None if low is None else low <= min(part) and max(part) <= high
    report.row("shares of the workers: " + " ".join(f"{p:.0f}" for p in part), max(part), "% most",
               None if low is None else f"{low}-{high} %", met=met)


def spread(machine, report, _):
    mark = machine.mark()
    server = machine.hello(SPREAD_WORKERS)
    report.head("spread", f"{SPREAD_CONNECTS} connects, 1 ms apart, {SPREAD_WORKERS} workers")
    load = machine.load("chat", server.port, SPREAD_CONNECTS)
    load.open(SPREAD_CONNECTS, 1000)
    time.sleep(0.1)
    shares(report, server, SPREAD_CONNECTS, 15, 35)
    machine.end_since(mark)
