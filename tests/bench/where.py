"""where.py - where each microsecond goes: CPU per message, split by library and by function, as perf
samples the workers while they talk; and the system calls of a message, as strace counts them."""
import collections
import signal
import shutil
import subprocess
import time

from cases import hello_cells, http_cells
from machine import BenchError

SECONDS, FUNCTIONS, HERTZ, EACH = 2, 25, 1999, 20


def sample(machine, server):
    """Sample the workers for a while. Gives [(share, library, function)]."""
    data = machine.folder / machine.name("perf")
    record = ["perf", "record", "-q", "-F", HERTZ, "-e", "cpu-clock", "-o", data, "-p",
              ",".join(map(str, server.workers())), "--", "sleep", SECONDS]
    done = subprocess.run([str(word) for word in record], check=False, capture_output=True,
                          text=True)
    if done.returncode:
        raise BenchError(f"perf record: {done.stderr.strip()}")
    out = subprocess.run(["perf", "report", "-i", data, "--stdio", "-q", "--sort", "dso,symbol",
                          "--field-separator", "\t", "-w", "0"], check=True, capture_output=True,
                         text=True).stdout
    found = []
    for line in out.splitlines():
        words = [word.strip() for word in line.split("\t")]
        if len(words) >= 3 and words[0].endswith("%"):
            found.append((float(words[0][:-1]) / 100, words[1], words[2]))
    return found


def system_calls(machine, server, load):
    """While all say EACH things, in ping-pong. Gives {name: calls of a message}."""
    path = machine.folder / machine.name("strace")
    pids = [word for pid in server.workers() for word in ("-p", pid)]
    strace = machine.start(["strace", "-c", "-U", "calls,name", "-o", path, *pids],
                           stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    out = load.order(f"each {EACH}")
    strace.send_signal(signal.SIGINT)
    machine.wait_for(strace)
    lines = [line.split() for line in path.read_text().splitlines()]
    return {words[1]: int(words[0]) / out["answers"] for words in lines
            if len(words) == 2 and words[0].isdigit() and words[1] != "total"}


def one(machine, cell):
    server = cell.start()
    load = machine.load(cell.speaks, server.port, cell.chats)
    load.open(cell.chats)
    load.order("talk 0.3")
    before = server.cpu_ns()
    load.begin(f"talk {SECONDS + 0.7}")
    found = sample(machine, server)
    out = load.outcome()
    each_us = (server.cpu_ns() - before) / 1000 / out["answers"]
    calls = system_calls(machine, server, load) if shutil.which("strace") else {}
    libraries = collections.Counter()
    for share, library, _ in found:
        libraries[library] += share
    print(f"\n{cell.who}, {cell.chats} chats: {each_us:.1f} us of CPU each")
    for library, share in libraries.most_common():
        if share * each_us >= 0.05:
            print(f"  {share * each_us:6.2f} us  {share:6.1%}  {library}")
    print("  of that:")
    for share, library, function in sorted(found, reverse=True)[:FUNCTIONS]:
        print(f"  {share * each_us:6.2f} us  {share:6.1%}  {function}  {library}")
    if calls:
        print(f"  {sum(calls.values()):.2f} system calls each: " + ", ".join(
            f"{name} {n:.2f}" for name, n in sorted(calls.items(), key=lambda c: -c[1])
            if n >= 0.01))


def where(machine, name):
    """name: httpN or helloN."""
    if shutil.which("perf") is None:
        raise BenchError("missing: apt install linux-perf")
    mark = machine.mark()
    kind, chats = name.rstrip("0123456789"), int(name.lstrip("htpelo"))
    cells = (http_cells(machine, machine.origin(2), 2, chats) if kind == "http"
             else hello_cells(machine, 2, chats))
    for cell in cells:
        one(machine, cell)
    machine.end_since(mark)
