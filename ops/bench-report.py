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

# What is measured in rounds, by what one of it is.
GROUPS = {
    "enrollments": {
        "fresh": "fresh mutual TLS 1.3 for each",
        "burst": "the same, 1,024 devices at once",
        "kept": "kept alive, 10 a connection",
        "resumed": "resumed session for each",
        "paced": "at 80 % of the highest rate",
        "overload": "asked for twice that rate",
        "held": "with 2,000 connections open",
        "large": "ten million certificates in the record",
    },
    "gateways' questions": {"authorize": "at a rate, kept alive"},
    "operators' searches": {
        "search-prefix": "by the beginning of a DeviceID",
        "search-serial": "by serial number",
        "search-key": "by key",
        "search-credential": "by credential",
    },
    "by turns, fresh": {"turn-this": "this build", "turn-other": "the other one"},
    "revocations": {"revocation-few": "with few revoked", "revocation-many": "with many revoked"},
}
KINDS = {kind: label for kinds in GROUPS.values() for kind, label in kinds.items()}
# Measured once with each number of revoked certificates.
COMPLETE = {"complete-few": "few", "complete-many": "many"}
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
    complete = {COMPLETE[one["kind"]]: one for one in rounds if one["kind"] in COMPLETE}
    results = {}
    for kind in KINDS:
        measured = [one for one in raw if one["kind"] == kind]
        if measured:
            results[kind] = {field: spread([one[field] for one in measured]) for field in FIELDS}
            results[kind]["failed"] = sum(one["failed"] for one in measured)
            peaks = [one["serverPeakBytes"] for one in measured if "serverPeakBytes" in one]
            if peaks:
                results[kind]["serverPeakBytes"] = max(peaks)
            if "cpuShare" in measured[0]:
                results[kind]["cpuShare"] = spread([one["cpuShare"] for one in measured])
            if "revocation" in measured[0]:
                names = measured[0]["revocation"]
                results[kind]["revocation"] = {name: spread([one["revocation"][name] for one in measured]) for name in names}
    summary = summarize(results, raw, answers, complete)
    with open(f"{folder}/results.json", "w", encoding="utf-8") as file:
        everything = {
            "machine": machine,
            "summary": summary,
            "results": results,
            "rounds": raw,
            "ocsp": answers,
            "listOfAll": complete,
        }
        json.dump(everything, file, indent=1)
    with open(f"{folder}/results.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "round", *FIELDS, "failed", "serverPeakBytes"])
        for one in raw:
            writer.writerow(
                [one["kind"], one["round"], *(one[field] for field in FIELDS), one["failed"], one.get("serverPeakBytes")]
            )
    enrollments = [one for one in raw if one["kind"] in GROUPS["enrollments"]]
    if enrollments:
        with open(f"{folder}/plot.svg", "w", encoding="utf-8") as file:
            file.write(plot(enrollments, machine))
    for group, kinds in GROUPS.items():
        if not any(kind in results for kind in kinds):
            continue
        print(f"    {group:40} {'a second':>18} {'CPU ms each':>20} {'/ floor':>18} {'p50 ms':>20} {'p99 ms':>24}")
        for kind in kinds:
            if kind in results:
                print(f"    {KINDS[kind]:40} {row(results[kind])}")
    floors = [one["floorMilliseconds"] for one in raw]
    if floors:
        print(f"    the floor: {cell(spread(floors), 3, 0)} ms of CPU")
    for kind in GROUPS["revocations"]:
        for name, values in results.get(kind, {}).get("revocation", {}).items():
            print(f"    {KINDS[kind]}, {name}: {cell(values, 0 if values['max'] >= 1000 else 1, 0)}")
    for name, one in complete.items():
        print(f"    the list of all with {name} revoked: " + ", ".join(f"{key} {shown(one[key])}" for key in LISTED))
    for name, value in summary.items():
        print(f"    {name}: {value:.3g}" if value < 10 else f"    {name}: {value:.1f}")
    return 1 if any(result["failed"] for kind, result in results.items() if kind != "overload") else 0


# Of the list of all, as CompleteListCost in muster-sim has it.
LISTED = [
    "revoked",
    "shards",
    "octets",
    "loneSeconds",
    "loneCPUMilliseconds",
    "againSeconds",
    "behindMilliseconds",
    "fetchMilliseconds",
    "signSeconds",
    "serverPeakBytes",
]


def summarize(results, raw, answers, complete):
    """The figures that are asked of it, as far as they were measured."""
    summary = {}

    def add(name, kind, figure):
        if kind in results:
            summary[name] = figure(results[kind])

    add("serverOverFloor", "fresh", lambda fresh: fresh["ratio"]["median"])
    add("pacedP99Milliseconds", "paced", lambda paced: paced["p99Milliseconds"]["median"])
    add("heldPeakMegabytes", "held", lambda held: held["serverPeakBytes"] / 1e6)
    if "fresh" in results:
        best = results["fresh"]["perSecond"]["median"]
        add("overloadOverBest", "overload", lambda overload: overload["perSecond"]["median"] / best)
        add("largeOverEmpty", "large", lambda large: large["perSecond"]["median"] / best)
    if answers:
        summary["ocspOverHealth"] = statistics.median(one["ratio"] for one in answers)
        summary["ocspPerSecond"] = statistics.median(one["perSecond"] for one in answers)
    add("authorizeP99Milliseconds", "authorize", lambda asked: asked["p99Milliseconds"]["median"])
    add("authorizeCPUShare", "authorize", lambda asked: asked["cpuShare"]["median"])
    searches = [results[kind]["p99Milliseconds"]["median"] for kind in GROUPS["operators' searches"] if kind in results]
    if searches:
        summary["searchP99Milliseconds"] = max(searches)
    few, many = results.get("revocation-few"), results.get("revocation-many")
    if few and many:
        # In floors, since some minutes lie between the two.
        summary["revocationCPUManyOverFew"] = many["ratio"]["median"] / few["ratio"]["median"]
        summary["revocationLatencyManyOverFew"] = many["p50Milliseconds"]["median"] / few["p50Milliseconds"]["median"]
    this, other = ([one for one in raw if one["kind"] == kind] for kind in GROUPS["by turns, fresh"])
    if this:
        for name, field in [("thisCPUOverOther", "cpuMilliseconds"), ("thisRateOverOther", "perSecond")]:
            summary[name] = statistics.median(here[field] / there[field] for here, there in zip(this, other))
    if len(complete) == len(COMPLETE):
        both = complete["many"]["loneCPUMilliseconds"] / max(complete["few"]["loneCPUMilliseconds"], 0.001)
        summary["loneRevocationCPUManyOverFew"] = both
        summary["listOfAllSeconds"] = complete["many"]["loneSeconds"]
        summary["manyRevokedPeakMegabytes"] = complete["many"]["serverPeakBytes"] / 1e6
    return summary


def row(result):
    return " ".join(
        [
            cell(result["perSecond"], 0, 18),
            cell(result["cpuMilliseconds"], 3, 20),
            cell(result["ratio"], 2, 18),
            cell(result["p50Milliseconds"], 2, 20),
            cell(result["p99Milliseconds"], 1, 24),
        ]
    )


def shown(value):
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"


def cell(values, digits, width):
    text = f"{values['median']:.{digits}f} [{values['min']:.{digits}f}-{values['max']:.{digits}f}]"
    return f"{text:>{width}}"


def plot(raw, machine):
    """The server's CPU time for one enrollment, round by round, with the floor as a line."""
    kinds = [kind for kind in GROUPS["enrollments"] if any(one["kind"] == kind for one in raw)]
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
