"""What passed, beside what passed before."""

import json

from .libraries import INTEROP

PATH = INTEROP / "results.json"


def recorded():
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def compare(before, now):
    """Lines on scenarios that passed before and do not now, and on those that pass for the first time."""
    lost, won = [], []
    for pair, outcomes in now.items():
        known = before.get(pair, {})
        for name, outcome in outcomes.items():
            if known.get(name) == "pass" and outcome != "pass":
                lost.append(f"{pair} {name}")
            if known.get(name) != "pass" and outcome == "pass":
                won.append(f"{pair} {name}")
    return lost, won


def record(before, now):
    """Takes over what was played; a pass is never taken back."""
    merged = {pair: dict(outcomes) for pair, outcomes in before.items()}
    for pair, outcomes in now.items():
        known = merged.setdefault(pair, {})
        for name, outcome in outcomes.items():
            if known.get(name) != "pass":
                known[name] = outcome
    PATH.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n")


def table(now):
    """Scenarios down, pairs across."""
    marks = {"pass": "pass", "fail": "FAIL", "unsupported": "-"}
    names = []
    for outcomes in now.values():
        names += [name for name in outcomes if name not in names]
    width = max([len(name) for name in names], default=0)
    lines = [" " * width + "  " + "  ".join(now)]
    for name in names:
        cells = [marks.get(outcomes.get(name), "").ljust(len(pair)) for pair, outcomes in now.items()]
        lines.append(name.ljust(width) + "  " + "  ".join(cells))
    return "\n".join(lines)
