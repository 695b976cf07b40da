"""How often the gate of two model files is right: `python tests/benchmarks/model_file_gate.py MODEL FOLDER`.

MODEL is an ONNX file with one image input of at least 28 × 28 pixels. It is checked against a copy with other
names of nodes, which differs in bytes alone, and against a copy that extra convolutions make 10 % slower; the
true ratio is measured at leisure first. The two kinds take turns. Every run is kept in FOLDER/runs.jsonl, so
that the same command goes on after a break. Run it alone on the machine.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).parents[1]))

from making.changed_bundle import slowed

from bench.gate.check_models import check_models, opened_models
from bench.gate.document import Checked
from bench.gate.findings import Quantity
from bench.gate.options import CheckOptions, Limits
from device_profiles.loading import load_profile
from edgefit.progress import progress

SLOWDOWN = 1.10
# A first guess from which the number of convolutions that slows by so much is found.
PROBES = (4, 16)


def check(candidate: Path, baseline: Path, options: CheckOptions) -> Checked:
    """Run the gate as `edgefit check` does."""
    profile = load_profile("laptop-cpu")
    with opened_models(candidate, baseline, {}) as models, progress() as watcher:
        return check_models(*models, profile, options, watcher, "0", "now")


def latency_ratio(checked: Checked) -> float:
    """Candidate ÷ baseline."""
    ratios = [finding.ratio for finding in checked.findings if finding.quantity is Quantity.LATENCY]
    assert ratios[0] is not None
    return ratios[0]


def renamed(model: Path, target: Path) -> Path:
    """Copy a model with other names of nodes: other bytes, the same function."""
    copy = onnx.load(model)
    for index, node in enumerate(copy.graph.node):
        node.name = f"renamed_{index}"
    onnx.save(copy, target)
    return target


def slower(model: Path, target: Path, convolutions: int) -> Path:
    """Copy a model with so many convolutions more."""
    copy = onnx.load(model)
    slowed(convolutions)(copy)
    onnx.save(copy, target)
    return target


def made_slower(model: Path, folder: Path) -> Path:
    """Return the copy that is 10 % slower; measure how much slower it is."""
    target = folder / "slower.onnx"
    if target.exists():
        return target
    leisure = CheckOptions(seconds=60, limits=Limits(max_slowdown=0))
    low, high = (
        latency_ratio(check(slower(model, folder / "probe.onnx", count), model, leisure)) for count in PROBES
    )
    few, many = PROBES
    # Never more than 10 %: what is slower than that is easier to catch.
    count = max(1, math.floor(few + (SLOWDOWN - low) / (high - low) * (many - few)))
    slower(model, target, count)
    ratio = latency_ratio(check(target, model, leisure))
    print(f"slower.onnx: {count} convolutions more, ratio {ratio:.3f}", flush=True)
    return target


def main() -> None:
    """Run what is missing of both kinds, in turn, and print how many blocked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--equal", type=int, default=60, help="pairs of equal models")
    parser.add_argument("--slower", type=int, default=20, help="pairs of which one is slower")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    kinds = {
        "equal": (renamed(options.model, options.folder / "renamed.onnx"), options.equal),
        "slower": (made_slower(options.model, options.folder), options.slower),
    }
    log = options.folder / "runs.jsonl"
    runs = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = Counter(run["kind"] for run in runs)
    while True:
        # The kind that is furthest behind comes next, so that both see the same hours of the machine.
        kind = min(kinds, key=lambda name: done[name] / max(1, kinds[name][1]))
        candidate, wanted = kinds[kind]
        if done[kind] >= wanted:
            break
        begin = time.monotonic()
        checked = check(candidate, options.model, CheckOptions(seconds=options.seconds))
        run = {
            "kind": kind,
            "exit_code": checked.exit_code,
            "seconds": round(time.monotonic() - begin, 1),
            "verdicts": {finding.quantity.value: finding.verdict.value for finding in checked.findings},
            "ratio": latency_ratio(checked),
        }
        with log.open("a") as file:
            file.write(json.dumps(run) + "\n")
        runs.append(run)
        done[kind] += 1
        print(json.dumps(run), flush=True)
    for name in kinds:
        chosen = [run for run in runs if run["kind"] == name]
        blocked = sum(run["exit_code"] != 0 for run in chosen)
        print(f"{name}: {blocked} of {len(chosen)} blocked")


if __name__ == "__main__":
    main()
