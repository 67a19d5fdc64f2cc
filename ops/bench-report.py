"""What ops/bench found, for people: a table, JSON, CSV and a plot; and flame graphs. Python's standard library alone.

python3 bench-report.py table RAW.JSONL MACHINE.JSON FOLDER
python3 bench-report.py flame STACKS FLAME.SVG           STACKS as `perf script -F comm,ip,sym` prints them
"""

import csv
import html
import json
import re
import statistics
import sys

KINDS = {
    "fresh": "fresh mutual TLS 1.3 for each",
    "kept": "kept alive, 10 a connection",
    "resumed": "resumed session for each",
    "paced": "at 80 % of the highest rate",
    "overload": "asked for twice that rate",
    "held": "with 2,000 connections open",
    "large": "ten million certificates in the record",
}
FIELDS = ["perSecond", "cpuMilliseconds", "floorMilliseconds", "ratio", "p50Milliseconds", "p99Milliseconds"]
FRAMES_MAX = 200
FLAME_WIDTH, FLAME_ROW = 1600, 17


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def table(raw_path, machine, folder):
    with open(raw_path, encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    raw = [one for one in rounds if one["kind"] in KINDS]
    answers = [one for one in rounds if one["kind"] == "ocsp"]
    results = {}
    for kind in KINDS:
        measured = [one for one in raw if one["kind"] == kind]
        if measured:
            results[kind] = {field: spread([one[field] for one in measured]) for field in FIELDS}
            results[kind]["failed"] = sum(one["failed"] for one in measured)
            peaks = [one["serverPeakBytes"] for one in measured if "serverPeakBytes" in one]
            if peaks:
                results[kind]["serverPeakBytes"] = max(peaks)
    fresh = results["fresh"]["perSecond"]["median"]
    summary = {
        "serverOverFloor": results["fresh"]["ratio"]["median"],
        "pacedP99Milliseconds": results["paced"]["p99Milliseconds"]["median"],
        "overloadOverBest": results["overload"]["perSecond"]["median"] / fresh,
        "heldPeakMegabytes": results["held"]["serverPeakBytes"] / 1e6,
    }
    if answers:
        summary["ocspOverHealth"] = statistics.median(one["ratio"] for one in answers)
        summary["ocspPerSecond"] = statistics.median(one["perSecond"] for one in answers)
    if "large" in results:
        summary["largeOverEmpty"] = results["large"]["perSecond"]["median"] / fresh
    with open(f"{folder}/results.json", "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "summary": summary, "results": results, "rounds": raw, "ocsp": answers}, file, indent=1)
    with open(f"{folder}/results.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "round", *FIELDS, "failed", "serverPeakBytes"])
        for one in raw:
            writer.writerow(
                [one["kind"], one["round"], *(one[field] for field in FIELDS), one["failed"], one.get("serverPeakBytes")]
            )
    with open(f"{folder}/plot.svg", "w", encoding="utf-8") as file:
        file.write(plot(raw, machine))
    print(f"    {'enrollments':40} {'a second':>18} {'CPU ms each':>20} {'/ floor':>18} {'p99 ms':>18}")
    for kind, result in results.items():
        cells = [
            cell(result["perSecond"], 0, 18),
            cell(result["cpuMilliseconds"], 3, 20),
            cell(result["ratio"], 2, 18),
            cell(result["p99Milliseconds"], 1, 18),
        ]
        print(f"    {KINDS[kind]:40} {' '.join(cells)}")
    print(f"    the floor: {cell(results['fresh']['floorMilliseconds'], 3, 0)} ms of CPU")
    for name, value in summary.items():
        print(f"    {name}: {value:.2f}")
    return 1 if any(result["failed"] for kind, result in results.items() if kind != "overload") else 0


def cell(values, digits, width):
    text = f"{values['median']:.{digits}f} [{values['min']:.{digits}f}-{values['max']:.{digits}f}]"
    return f"{text:>{width}}"


def plot(raw, machine):
    """The server's CPU time for one enrollment, round by round, with the floor as a line."""
    kinds = [kind for kind in KINDS if any(one["kind"] == kind for one in raw)]
    top = max(one["cpuMilliseconds"] for one in raw) * 1.1
    height, left, column = 320, 60, 150
    width = left + column * len(kinds) + 20

    def y(value):
        return 30 + height * (1 - value / top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + 90}" font-family="sans-serif"'
        ' font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="18" font-size="13">Server CPU for one enrollment, ms ({html.escape(machine["cpu"])},'
        f' {html.escape(machine["date"])}); line: cryptography alone</text>',
    ]
    step = 0.1 if top < 1 else 0.25 if top < 3 else 1
    tick = 0.0
    while tick < top:
        parts.append(
            f'<line x1="{left}" x2="{width - 20}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>'
            f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.2f}</text>'
        )
        tick += step
    for index, kind in enumerate(kinds):
        rounds = [one for one in raw if one["kind"] == kind]
        x = left + column * index + 20
        middle = statistics.median(one["cpuMilliseconds"] for one in rounds)
        parts.append(
            f'<rect x="{x}" y="{y(middle):.1f}" width="{column - 40}" height="{y(0) - y(middle):.1f}" fill="#9ecae1"/>'
        )
        for place, one in enumerate(rounds):
            cx = x + (column - 40) * (place + 1) / (len(rounds) + 1)
            parts.append(f'<circle cx="{cx:.1f}" cy="{y(one["cpuMilliseconds"]):.1f}" r="3" fill="#08519c"/>')
            floor = y(one["floorMilliseconds"])
            parts.append(f'<line x1="{cx - 6:.1f}" x2="{cx + 6:.1f}" y1="{floor:.1f}" y2="{floor:.1f}" stroke="#d94801"/>')
        rate = statistics.median(one["perSecond"] for one in rounds)
        parts.append(
            f'<text x="{x + column / 2 - 20}" y="{y(0) + 16}" text-anchor="middle">{kind}</text>'
            f'<text x="{x + column / 2 - 20}" y="{y(0) + 31}" text-anchor="middle">{rate:.0f}/s</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def flame(stacks_path, svg_path):
    """Frames as boxes, callers below, as wide as their share of the samples."""
    root = {"count": 0, "below": {}}
    stack = []

    def add():
        node = root
        node["count"] += 1
        for frame in reversed(stack[:FRAMES_MAX]):
            node = node["below"].setdefault(frame, {"count": 0, "below": {}})
            node["count"] += 1

    with open(stacks_path, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = re.match(r"\s+[0-9a-f]+ (.*)", line)
            if found:
                stack.append(found.group(1).strip())
            elif not line.strip() and stack:
                add()
                stack.clear()
    if stack:
        add()
    boxes, deepest = [], 0

    def draw(node, x, depth):
        nonlocal deepest
        deepest = max(deepest, depth)
        for name, child in sorted(node["below"].items()):
            width = FLAME_WIDTH * child["count"] / max(1, root["count"])
            if width >= 0.6:
                boxes.append((x, depth, width, name, child["count"]))
                draw(child, x, depth + 1)
            x += width

    sys.setrecursionlimit(FRAMES_MAX * 4)
    draw(root, 0, 0)
    height = (deepest + 2) * FLAME_ROW
    with open(svg_path, "w", encoding="utf-8") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{FLAME_WIDTH}" height="{height}" font-family="monospace"'
            ' font-size="11"><rect width="100%" height="100%" fill="white"/>\n'
        )
        for x, depth, width, name, count in boxes:
            y = height - (depth + 1) * FLAME_ROW
            hue = 20 + sum(name.encode()) % 35
            share = 100 * count / root["count"]
            label = html.escape(name[: int(width / 7)]) if width > 30 else ""
            file.write(
                f'<g><title>{html.escape(name)}: {share:.2f} %</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}"'
                f' height="{FLAME_ROW - 1}" fill="hsl({hue},80%,65%)"/><text x="{x + 3:.1f}" y="{y + 12}">{label}</text></g>\n'
            )
        file.write("</svg>\n")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "table":
        sys.exit(table(sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]))
    sys.exit(flame(sys.argv[2], sys.argv[3]))
