"""How much memory and time fine-tuning and the export of a heavy network take, stage by stage.

Prints for each stage its seconds, its CPU seconds, and the peak of memory of all processes together, as their
proportional set sizes (PSS), which are sampled every second. Without --data, radiographs are drawn: few to
train on, and as many of the others as an export uses at most. Nothing is kept unless --folder is given.

    python tests/benchmarks/heavy_networks.py --arch densenet121
    python tests/benchmarks/heavy_networks.py --arch resnet50 --data FILE.npz --formats onnx --precisions int8
"""

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from edgefit.jobs import export_run, finetune_network
from export.options import ALL_PRECISIONS, MIN_RETENTION, ExportOptions
from models.options import FinetuneOptions
from models.synthetic.radiograph import CLASSES, dataset_seeds, render_many

_SECONDS_BETWEEN_SAMPLES = 1.0
_DRAWN_SIZE = 64
_STEPS = re.compile(r" \d+/\d+")
# Calibration reads 256 training images, the search 512 validation images, and the verification 512 others.
_DRAWN = {"train": 320, "val": 512, "test": 512}


@dataclass
class Stage:
    """What one stage took."""

    name: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.seconds:>9.1f}{self.cpu_seconds:>9.1f}{self.peak_bytes / 1e9:>8.2f}  {self.name}"


class _Stages:
    """A receiver of progress that names each stage to the process that measures."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._stage = pipe, ""

    def begin(self, task: str, total: int) -> None:
        """Name a task, which begins anew where its number of steps becomes known."""
        if task != self._stage:
            self._stage = task
            self._pipe.send(task)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Name what several processes do at once, without how far each of them is."""
        if not steps and (stage := _STEPS.sub("", note)) != self._stage:
            self._stage = stage
            self._pipe.send(stage)

    def say(self, sentence: str) -> None:
        """Ignore a sentence."""

    def say_always(self, sentence: str) -> None:
        """Ignore a sentence."""


@dataclass
class _Tree:
    """A process and all that it starts."""

    root: psutil.Process
    cpu: dict[int, float] = field(default_factory=dict)
    """The CPU seconds of each process, by its number; those that have ended keep their last figure."""

    def sample(self) -> int:
        """Note the CPU seconds, and return the bytes of memory."""
        total = 0
        with suppress(psutil.Error):
            for process in (self.root, *self.root.children(recursive=True)):
                with suppress(psutil.Error):  # it has ended
                    times = process.cpu_times()
                    self.cpu[process.pid] = times.user + times.system
                    total += process.memory_full_info().pss
        return total

    @property
    def cpu_seconds(self) -> float:
        return sum(self.cpu.values())


def _measured(job: Callable[[_Stages], object]) -> list[Stage]:
    """Run a job in a process of its own, and return its stages."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(job, sender))
    process.start()
    sender.close()
    assert process.pid is not None
    stages = _watched(_Tree(psutil.Process(process.pid)), receiver)
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"{stages[-1].name}: ended with exit code {process.exitcode}")
    return stages


def _run(job: Callable[[_Stages], object], pipe: Connection) -> None:
    job(_Stages(pipe))


def _watched(tree: _Tree, pipe: Connection) -> list[Stage]:
    """Sample until the process closes the pipe."""
    stages = [Stage("start")]
    began = time.perf_counter()
    cpu = 0.0
    while True:
        name = _next_stage(pipe)
        stages[-1].peak_bytes = max(stages[-1].peak_bytes, tree.sample())
        now = time.perf_counter()
        stages[-1].seconds += now - began
        stages[-1].cpu_seconds += tree.cpu_seconds - cpu
        began, cpu = now, tree.cpu_seconds
        if name is None:
            return stages
        if name:
            stages.append(Stage(name))
            print(stages[-2], flush=True)


def _next_stage(pipe: Connection) -> str | None:
    """Return the stage that begins now, nothing if none does for a while, or None at the end."""
    try:
        return str(pipe.recv()) if pipe.poll(_SECONDS_BETWEEN_SAMPLES) else ""
    except EOFError:
        return None


def _draw(file: Path) -> None:
    """Write generated radiographs in the form of MedMNIST."""
    images, labels = render_many(dataset_seeds(0, sum(_DRAWN.values())), _DRAWN_SIZE)
    arrays: dict[str, npt.NDArray[np.integer[Any]]] = {}
    first = 0
    for split, count in _DRAWN.items():
        arrays[f"{split}_images"] = images[first : first + count]
        arrays[f"{split}_labels"] = labels[first : first + count]
        first += count
    np.savez(file, classes=np.array(CLASSES), **arrays)  # type: ignore[arg-type]


def show(title: str, stages: Sequence[Stage]) -> None:
    whole = Stage(
        f"{title}, the whole",
        sum(stage.seconds for stage in stages),
        sum(stage.cpu_seconds for stage in stages),
        max(stage.peak_bytes for stage in stages),
    )
    print(stages[-1], whole, sep="\n", flush=True)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder of the results, which is deleted unless it was given."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--arch", default="densenet121")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--data")
    parser.add_argument("--weights", default="none")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--formats", help="names, with commas; all that are installed")
    parser.add_argument("--precisions", default=",".join(ALL_PRECISIONS))
    parser.add_argument("--min-retention", type=float, default=MIN_RETENTION, help="0: no search for int8")
    parser.add_argument(
        "--folder", type=Path, help="where the results are kept; a run in it is exported again"
    )
    return parser.parse_args()


def main() -> None:
    """Fine-tune and export, and print what each stage took."""
    options = _parse()
    if sys.platform != "linux":
        raise SystemExit("PSS is known on Linux only")
    print(f"{'seconds':>9}{'CPU s':>9}{'GB':>8}  stage of {options.arch} at {options.image_size} px")
    with _folder(options.folder) as folder:
        run = folder / "run"
        if not run.exists():
            _finetune(options, folder, run)
        formats = options.formats and options.formats.split(",")
        precisions = options.precisions.split(",")
        bundle = folder / "bundle"
        show("export", export_stages(run, bundle, formats, precisions, options.min_retention))


def export_stages(
    run: Path,
    bundle: Path,
    formats: Sequence[str] | None,
    precisions: Sequence[str] = ALL_PRECISIONS,
    min_retention: float = MIN_RETENTION,
) -> list[Stage]:
    """Export a run folder, and return what each stage took."""
    options = ExportOptions(
        source=str(run),
        formats=None if formats is None else tuple(formats),
        precisions=tuple(precisions),
        min_retention=min_retention,
    )
    return _measured(lambda stages: export_run(options, bundle, None, True, stages))


def _finetune(options: argparse.Namespace, folder: Path, run: Path) -> None:
    data = options.data
    if data is None:
        data = str(folder / "drawn.npz")
        _draw(Path(data))
    finetune = FinetuneOptions(
        data=data,
        arch=options.arch,
        weights=options.weights,
        image_size=options.image_size,
        epochs=options.epochs,
    )
    show("fine-tuning", _measured(lambda stages: finetune_network(finetune, run, None, False, stages)))


if __name__ == "__main__":
    main()
