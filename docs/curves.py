#!/usr/bin/env python3
"""Curves of `tundish bench` lines as one SVG (no library needed): cost against what a case's variants count.

    tundish bench tokenize --repeat 3 | docs/curves.py OUT.svg CASE[=TITLE]...

CASE names the lines whose case begins with it and goes on with the number on the x axis ("length 10 KB"); several are panels
side by side. The bars go from the least to the greatest of the repeats. A line of another thread count is a curve of its own; a CASE
named "threads:NAME" has the threads on the x axis and the lines of case NAME.
"""
import json
import math
import re
import sys
from html import escape

W, H, LEFT, BELOW, TOP, GAP = 300, 210, 52, 40, 34, 24
COLOURS = ["#2a78d6", "#1baf7a", "#eda100", "#8e63ce"]
STYLE = """text{font:12px system-ui,sans-serif;fill:#52514e}.t{font-weight:600;fill:#0b0b0b}.a{stroke:#c3c2b7}.g{stroke:#e1e0d9}svg{background:#fcfcfb}
@media(prefers-color-scheme:dark){text{fill:#c3c2b7}.t{fill:#fff}.a{stroke:#383835}.g{stroke:#2c2c2a}svg{background:#1a1a19}}"""


def points(lines, case):
    """{curve's name: [(x, value, least, greatest)]}"""
    curves = {}
    for r in lines:
        if case.startswith("threads:"):
            if r["case"] != case[8:]:
                continue
            x, name = r["threads"], ""
        else:
            m = re.fullmatch(re.escape(case) + r" (\d+)\D*", r["case"])
            if not m:
                continue
            x, name = int(m.group(1)), f"{r['threads']} thread{'s' if r['threads'] > 1 else ''}"
        curves.setdefault(name, []).append((x, r["value"], r.get("minimum", r["value"]), r.get("maximum", r["value"])))
    return {k: sorted(v) for k, v in curves.items()}


def short(x):
    return f"{x // 1000}k" if x >= 10000 and x % 1000 == 0 else f"{x:,}"


def panel(out, at, title, unit, axis, curves):
    every = [p for c in curves.values() for p in c]
    if not every:
        sys.exit(f"no lines for '{title}'")
    low, high = math.log(min(p[0] for p in every)), math.log(max(p[0] for p in every))
    step = 10 ** math.floor(math.log10(max(p[3] for p in every)))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if max(p[3] for p in every) / s <= 6)
    top = math.ceil(max(p[3] for p in every) / step) * step
    px = lambda x: at + LEFT + (math.log(x) - low) / ((high - low) or 1) * (W - LEFT - 14)
    py = lambda y: TOP + (1 - y / top) * (H - TOP - BELOW)
    out.append(f'<text class="t" x="{at + LEFT}" y="16">{escape(title)}, {escape(unit)}</text>')
    for i in range(round(top / step) + 1):
        y = py(i * step)
        out.append(f'<line class="{"a" if i == 0 else "g"}" x1="{at + LEFT}" x2="{at + W - 8}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text x="{at + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(round(i * step)) if step >= 1 else i * step}</text>')
    xs = sorted({p[0] for p in every})
    for x in xs:
        out.append(f'<text x="{px(x):.1f}" y="{H - BELOW + 16}" text-anchor="middle">{short(x)}</text>')
    out.append(f'<text x="{at + LEFT + (W - LEFT) / 2:.0f}" y="{H - 6}" text-anchor="middle">{escape(axis)}</text>')
    for i, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{px(x):.1f},{py(v):.1f}" for x, v, _, _ in curve)}"/>')
        for x, v, least, most in curve:
            out.append(f'<line stroke="{colour}" x1="{px(x):.1f}" x2="{px(x):.1f}" y1="{py(least):.1f}" y2="{py(most):.1f}"/>'
                       f'<circle cx="{px(x):.1f}" cy="{py(v):.1f}" r="4" fill="{colour}"><title>{short(x)}: {v:.4g} {escape(unit)}</title></circle>')
        if len(curves) > 1:
            out.append(f'<text x="{px(curve[-1][0]):.1f}" y="{py(curve[-1][1]) - 9:.1f}" text-anchor="end">{escape(name)}</text>')


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    out, panels = [], sys.argv[2:]
    for i, spec in enumerate(panels):
        case, _, title = spec.partition("=")
        title, _, axis = title.partition("|")
        unit = next((r["unit"] for r in lines if r["case"].startswith(case.removeprefix("threads:"))), "")
        panel(out, i * (W + GAP), title or case, unit, axis, points(lines, case))
    width = len(panels) * (W + GAP) - GAP
    with open(sys.argv[1], "w") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {H}" width="{width}" height="{H}"><style>{STYLE}</style>\n' +
                "\n".join(out) + "\n</svg>\n")


main()
