"""contest.py - several servers under the same load, in turn, so that a busy moment of the machine
strikes them alike. What is compared are medians over the rounds."""
import dataclasses
import statistics
import time

from machine import BenchError

WARM_SECONDS = 0.25


@dataclasses.dataclass
class Cell:
    """One server under one number of connections."""
    who: str
    chats: int
    start: object  # without argument; gives a Server
    speaks: str
    robot: object = None  # the Server behind it
    server: object = None
    cpu_us: list = dataclasses.field(default_factory=list)
    whole_us: list = dataclasses.field(default_factory=list)  # with robot and generator
    rate: list = dataclasses.field(default_factory=list)
    p50_us: list = dataclasses.field(default_factory=list)
    p99_us: list = dataclasses.field(default_factory=list)
    p999_us: list = dataclasses.field(default_factory=list)

    def median(self, what):
        return statistics.median(getattr(self, what))

    def measure(self, machine, order):
        load = machine.load(self.speaks, self.server.port, self.chats)
        load.open(self.chats)
        load.order(f"talk {WARM_SECONDS}")
        beside = [load, *([self.robot] if self.robot else [])]
        before, rest = self.server.cpu_ns(), sum(other.cpu_ns() for other in beside)
        out = load.order(order)
        used = self.server.cpu_ns() - before
        rest = sum(other.cpu_ns() for other in beside) - rest
        load.end()
        machine.started.remove(load.process)
        if out["refusals"] or out["lost"]:
            raise BenchError(f"{self.who}: {out['refusals']} refused, {out['lost']} lost")
        self.cpu_us.append(used / 1000 / out["answers"])
        self.whole_us.append((used + rest) / 1000 / out["answers"])
        for key in ("rate", "p50_us", "p99_us", "p999_us"):
            getattr(self, key).append(out[key])

    def figures(self):
        return {"who": self.who, "chats": self.chats, "rounds": len(self.cpu_us),
                **{key: round(self.median(key), 2)
                   for key in ("cpu_us", "whole_us", "rate", "p50_us", "p99_us", "p999_us")},
                "cpu_us_all": [round(x, 2) for x in self.cpu_us],
                "rate_all": [round(x) for x in self.rate]}


def contest(machine, cells, rounds, order):
    """Measure each cell once a round, forwards and backwards in turn. Each has its own server, so
    that none finds what another one left."""
    mark = machine.mark()
    for cell in cells:
        cell.server = cell.start()
    time.sleep(0.1)
    for number in range(rounds):
        for cell in cells if number % 2 == 0 else reversed(cells):
            cell.measure(machine, order)
            time.sleep(0.02 + cell.chats / 40000)  # it has noticed that they left
    machine.end_since(mark)
    return {(cell.who, cell.chats): cell for cell in cells}
