#!/usr/bin/env python3
"""chart.py - results.json as results.svg: bars, and the figures that say most. Dark and light."""
import json
import pathlib
import sys
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT = 880, 430
SIZES = (64, 512, 4096)
WHO = {"nginx": "nginx, proxy to a robot", "xiaotud": "xiaotud, the same robot",
       "hello": "xiaotud, robot hello", "echo": "bare echo server"}
FACTS = (  # case, beginning of the row's name, how it reads
    ("crowd", "answered", "of 100,000 chats, silent till then, answered"),
    ("idle", "private memory per idle chat", "bytes of memory per idle chat"),
    ("waiting", "within 0.8 s, connected: p99", "ms: p99 of 10,000 under way, robot of 1 s"),
    ("waiting", "private memory", "KiB per message under way"),
    ("start", "start to first", "ms from exec to the first greeting"),
    ("reload", "reload", "ms to reload under 10,000 chats"),
)
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 14px; font-weight: 600; } .big { font-size: 19px; font-weight: 600; }
.faint { fill: #57606a; font-size: 11px; } .value { fill: #57606a; font-size: 10px; } .axis { stroke: #8c959f; }
.nginx { fill: #0969da; } .xiaotud { fill: #d1242f; } .hello { fill: #e8843c; }
.echo { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3; } .faint, .value { fill: #9198a1; } .nginx { fill: #58a6ff; }
 .xiaotud { fill: #ff6b6b; } .hello { fill: #f0a35e; } .echo { fill: #9198a1; }
}"""


def text(x, y, words, style="", anchor="start"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" class="{style}" text-anchor="{anchor}">'
            f"{escape(words)}</text>")


def short(value):
    return f"{value / 1000:.0f}k" if value >= 10000 else f"{value:.0f}" if value >= 100 \
        else f"{value:.1f}"


def panel(cells, key, title, x, y, width, height):
    """Groups of bars, one group a size."""
    got = {(c["who"], c["chats"]): c[key] for c in cells if c["workers"] == 2}
    most = max([got.get((who, n), 0) for who in WHO for n in SIZES] + [1])
    group, bar = width / len(SIZES), width / len(SIZES) / (len(WHO) + 1)
    yield text(x, y - 26, title, "title")
    yield f'<path class="axis" d="M{x} {y + height}h{width}"/>'
    for i, chats in enumerate(SIZES):
        left = x + i * group + bar / 2
        yield text(left + 2 * bar, y + height + 16, f"{chats:,} chats", "faint", "middle")
        for k, who in enumerate(WHO):
            value = got.get((who, chats))
            if value is None:
                continue
            h = height * value / most
            yield (f'<rect class="{who}" x="{left + k * bar:.1f}" y="{y + height - h:.1f}"'
                   f' width="{bar - 3:.1f}" height="{h:.1f}" rx="2"/>')
            yield text(left + k * bar + bar / 2 - 1, y + height - h - 4, short(value), "value",
                       "middle")


def facts(rows, y):
    for i, (case, name, reads) in enumerate(FACTS):
        found = [r for r in rows if r["case"] == case and r["name"].startswith(name)]
        if not found:
            continue
        x, at = 30 + i % 3 * 285, y + i // 3 * 48
        value = found[0]["value"]
        yield text(x, at, f"{value:,.0f}" if value >= 10 else f"{value:.1f}", "big")
        yield text(x, at + 16, reads, "faint")


def draw(document):
    cells, rows = document["cells"], document["rows"]
    machine = document["machine"]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
             f' width="{WIDTH}" height="{HEIGHT}" role="img">',
             "<title>xiaotud beside nginx and a bare echo server</title>",
             f"<style>{STYLE}</style>",
             *panel(cells, "cpu_us", "CPU per message, \u00b5s (less is better)", 30, 75, 390, 160),
             *panel(cells, "rate", "messages per second (more is better)", 460, 75, 390, 160)]
    for i, (who, words) in enumerate(WHO.items()):
        parts += [f'<rect class="{who}" x="{30 + i * 205}" y="12" width="12" height="12" rx="2"/>',
                  text(48 + i * 205, 22, words)]
    parts += [*facts(rows, 300),
              text(30, HEIGHT - 12, f"2 workers each, {machine['cores']} cores shared with the load"
                   f" and the robot; {machine['cpu']}, Linux {machine['kernel'].split('-')[0]}, "
                   f"{machine['nginx'].split(': ')[-1]}; medians. make bench", "faint"), "</svg>"]
    return "\n".join(parts) + "\n"


def main():
    document = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    (HERE / "results.svg").write_text(draw(document), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
