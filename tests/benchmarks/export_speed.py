"""How long an export with search takes, and how much CPU time, beside an earlier version of edgefit.

Exports a run folder with each version, turn by turn, and prints seconds by the clock, CPU seconds of all
processes, and the peak of their memory, stage by stage and for the whole. With --before, the last lines say
whether the bundles of both versions are the same but for times, and the ratios of the medians, before ÷ now.

    python tests/benchmarks/export_speed.py RUN
    python tests/benchmarks/export_speed.py RUN --before FOLDER --turns 3

FOLDER is a checkout of the earlier version, with its environment in FOLDER/.venv.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.heavy_networks import export_stages, show

_HERE = Path(__file__).resolve().parents[2]
_BASE_FORMATS = "onnx,openvino,torchscript"
# What two exports of the same network need not have in common.
_TIMES = ("created", "seconds", "tool")
_NUMBER = ".data/serialization_id"


@dataclass(frozen=True)
class _Turn:
    """One export."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    manifest: str
    """The manifest without times."""


def _child(options: argparse.Namespace) -> None:
    """Export in this process's version, and print what it took as the last line."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        stages = export_stages(options.run, bundle, options.formats.split(","))
        show("export", stages)
        manifest = json.loads((bundle / "manifest.json").read_text())
        for path in bundle.rglob("*.pt"):
            entry = next(file for file in _files(manifest) if file["path"] == str(path.relative_to(bundle)))
            entry["sha256"] = _sums_of(path)
    result = {
        "seconds": sum(stage.seconds for stage in stages),
        "cpu_seconds": sum(stage.cpu_seconds for stage in stages),
        "peak_bytes": max(stage.peak_bytes for stage in stages),
        "manifest": json.dumps(without_times(manifest), sort_keys=True),
    }
    print(json.dumps(result), flush=True)


def _sums_of(archive: Path) -> list[int]:
    """Return a checksum of each file in a TorchScript archive, but of the number that torch gives it: that,
    and the time of each file, depend on when and where it was traced."""
    with zipfile.ZipFile(archive) as opened:
        return [each.CRC for each in opened.infolist() if not each.filename.endswith(_NUMBER)]


def _files(manifest: Any) -> list[Any]:
    return [file for artifact in manifest["artifacts"] for file in artifact["files"]]


def without_times(value: Any) -> Any:
    """Return a JSON value without what differs from one export to the next."""
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items() if key not in _TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def _export(checkout: Path, options: argparse.Namespace) -> _Turn:
    """Export with the version in a checkout; this script and what it imports are always these."""
    command = [str(checkout / ".venv/bin/python"), __file__, str(options.run), "--formats", options.formats]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [*command, "--child"], cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    *lines, result = done.stdout.splitlines()
    print(f"{checkout}:", *lines, sep="\n", flush=True)
    return _Turn(**json.loads(result))


def _compare(before: Sequence[_Turn], now: Sequence[_Turn]) -> None:
    same = len({turn.manifest for turn in (*before, *now)}) == 1
    print(f"the manifests are {'the same' if same else 'NOT the same'} but for times")
    for name in ("seconds", "cpu_seconds", "peak_bytes"):
        old, new = (median(getattr(turn, name) for turn in turns) for turns in (before, now))
        print(f"{name}: {old:.4g} before, {new:.4g} now, ratio {old / new:.2f}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=lambda name: Path(name).resolve(), help="a run folder")
    parser.add_argument("--before", type=lambda name: Path(name).resolve(), help="an earlier checkout")
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--formats", default=_BASE_FORMATS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Export turn by turn."""
    options = _parse()
    if options.child:
        return _child(options)
    if not shutil.which(str(_HERE / ".venv/bin/python")):
        sys.exit(f"{_HERE} has no .venv; run make install there")
    before: list[_Turn] = []
    now: list[_Turn] = []
    for _ in range(options.turns):
        if options.before is not None:
            before.append(_export(options.before, options))
        now.append(_export(_HERE, options))
    if before:
        _compare(before, now)
    return None


if __name__ == "__main__":
    main()
