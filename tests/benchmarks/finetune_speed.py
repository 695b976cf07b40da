"""How much faster `edgefit finetune` is than in another checkout, and at what accuracy.

Both run the whole command, turn by turn with one seed after the other, because the machine's speed changes.
The other checkout is a folder with its own environment in `.venv`. CPU seconds are those of user and system
together, of all processes of the command; on a machine with other work, they say more than the wall clock.

    python tests/benchmarks/finetune_speed.py --before ../before --weights bundled
    python tests/benchmarks/finetune_speed.py --before ../before --data FILE.npz --weights FILE --seeds 5
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Turn:
    """What one command took, and the figures of its network."""

    wall: float
    cpu: float
    validation: float
    validation_auc: float
    test: float
    test_auc: float


def main() -> None:
    """Fine-tune in pairs, and print the ratios and both accuracies."""
    options = _parse()
    folders = {"before": options.before, "now": Path(__file__).parents[2]}
    turns: dict[str, list[Turn]] = {"before": [], "now": []}
    for seed in range(options.seeds):
        for name in ("before", "now") if seed % 2 == 0 else ("now", "before"):
            turns[name].append(_run(folders[name], options, seed))
        before, now = turns["before"][-1], turns["now"][-1]
        print(
            f"seed {seed}: wall {before.wall:.1f} s -> {now.wall:.1f} s, ratio {before.wall / now.wall:.2f}; "
            f"CPU {before.cpu:.1f} s -> {now.cpu:.1f} s, ratio {before.cpu / now.cpu:.2f}; "
            f"validation accuracy {before.validation:.4f} -> {now.validation:.4f}"
        )
        sys.stdout.flush()
    print(f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} CPUs")
    _print_summary(turns["before"], turns["now"])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fine-tuning here against another checkout.")
    parser.add_argument("--before", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--image-size", default="96")
    parser.add_argument("--epochs")
    parser.add_argument("--seeds", type=int, default=5)
    return parser.parse_args()


def _run(folder: Path, options: argparse.Namespace, seed: int) -> Turn:
    """Run the command of a checkout; an error ends the script."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        command = [str(folder.resolve() / ".venv/bin/edgefit"), "finetune", "--quiet", "--out", str(out)]
        command += ["--data", options.data, "--weights", options.weights, "--seed", str(seed)]
        command += ["--image-size", options.image_size]
        command += [] if options.epochs is None else ["--epochs", options.epochs]
        began = time.perf_counter()
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(started.pid, 0)
        wall = time.perf_counter() - began
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            sys.exit(f"{' '.join(command)} ended with exit code {started.returncode}")
        metrics = json.loads((out / "run.json").read_text())["metrics"]
    validation, test = metrics["validation"], metrics["test"]
    return Turn(
        wall,
        usage.ru_utime + usage.ru_stime,
        validation["accuracy"]["value"],
        validation["auc"]["value"],
        test["accuracy"]["value"],
        test["auc"]["value"],
    )


def _print_summary(before: list[Turn], now: list[Turn]) -> None:
    def ratio(figure: Callable[[Turn], float]) -> float:
        return statistics.median(figure(old) / figure(new) for old, new in zip(before, now, strict=True))

    print(f"median ratio: wall {ratio(lambda turn: turn.wall):.2f}, CPU {ratio(lambda turn: turn.cpu):.2f}")
    for name in ("validation", "validation_auc", "test", "test_auc"):
        old, new = (statistics.mean(getattr(turn, name) for turn in turns) for turns in (before, now))
        print(f"mean {name.replace('_', ' ')}: {old:.4f} -> {new:.4f}")


if __name__ == "__main__":
    main()
