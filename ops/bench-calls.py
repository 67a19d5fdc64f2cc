#!/usr/bin/env python3
"""bench-calls.py CALLGRIND COUNT: who calls whom, and how often, as lld takes it (--call-graph-ordering-file), out of what
callgrind counted of COUNT enrollments. For ops/bench."""

import collections
import re
import sys

# Who is called less than once in so many enrollments is not called for their sake.
ENROLLMENTS_MAX = 4


def main() -> None:
    path, enrollments = sys.argv[1], int(sys.argv[2])
    names: dict[str, str] = {}
    calls: collections.Counter[tuple[str, str]] = collections.Counter()
    caller = callee = ""

    def name(reference: str) -> str:
        # A name stands once, behind its number; afterwards the number alone. Recursion adds 'N.
        number, _, text = reference.partition(" ")
        if text:
            names[number] = re.sub(r"'\d+$", "", text)
        return names[number]

    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("fn="):
                caller = name(line[3:].rstrip("\n"))
            elif line.startswith("cfn="):
                callee = name(line[4:].rstrip("\n"))
            elif line.startswith("calls="):
                calls[caller, callee] += int(line[6:].split()[0])
    for pair, count in calls.items():
        # What has no name is known by its address.
        is_named = not any(" " in one or one.startswith("0x") for one in pair)
        if is_named and pair[0] != pair[1] and ENROLLMENTS_MAX * count >= enrollments:
            print(*pair, count)


main()
