"""How time and memory grow with the input: nothing may grow faster than the input does.

Prints, for each kind of input and size, the CPU time and the peak of memory of a process of its own, and the
exponent of the time since the size before: 1 is in proportion, 2 is quadratic. The start of Python counts, so
exponents of short times are too small. All data are made up and deleted afterwards.

    python tests/benchmarks/growth.py
    python tests/benchmarks/growth.py --cases samples,changed --sizes 10000,100000
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve()
# The modules that make reports lie here.
_TESTS = _HERE.parents[1]
# choose finds no variant within the budget.
_NOTHING_CHOSEN = 11


def _write_folder(folder: Path, images: int) -> None:
    """Write a folder with two classes: small radiographs, all of different bytes, in many sizes."""
    import numpy as np
    from PIL import Image

    for label in ("NORMAL", "PNEUMONIA"):
        (folder / "data" / label).mkdir(parents=True)
    for number in range(images):
        random = np.random.default_rng(number)
        picture = Image.fromarray(random.integers(0, 255, (8, 8), dtype=np.uint8)).resize((48, 48))
        label, suffix = ("NORMAL", "PNEUMONIA")[number % 2], ("png", "jpg")[number // 2 % 2]
        picture.save(folder / "data" / label / f"person{number // 3}_view_{number}.{suffix}")


def _read_folder(folder: Path) -> None:
    """Read it as fine-tuning does: list, compare, decode, and split by patient."""
    from models.progress import Silent
    from models.sources.loaders import prepare_source
    from models.sources.options import SourceOptions

    options = SourceOptions(image_size=32, skip_bad=False, images=0)
    prepare_source(str(folder / "data"), options)(Silent())


def _find_for_export(folder: Path) -> None:
    """List it as export does: three sets without a patient in common, and what is white in them."""
    from export.data.finding import find_data
    from export.data.images import LabelledImages

    found = find_data(str(folder / "data"))
    assert isinstance(found, LabelledImages)
    found.survey()


def _take_for_bench(folder: Path) -> None:
    """List it as bench does for a model file, and read the few images that are used."""
    from bench.bundle.image_folder import list_images, load_images
    from bench.bundle.input_preprocessing import Preprocess

    one = (1.0,) * 3
    preprocess = Preprocess(input_size=(3, 32, 32), resize="squash", mean=one, std=one, channels="rgb")
    load_images(list_images(folder / "data", most=64), preprocess)


def _write_pack(folder: Path, images: int) -> None:
    """Write an evaluation pack of images of 224 pixels, compressed as export does."""
    import numpy as np

    from bench.bundle.evaluation_pack import EvaluationPack, write_pack

    side = 224
    pixels = np.zeros((images, side, side), np.uint8)
    pixels[:, :, 0] = np.arange(images)[:, None] % 251
    logits = np.zeros((images, 2), np.float32)
    write_pack(folder / "pack.npz", EvaluationPack(pixels, np.arange(images) % 2, logits))


def _read_eight(folder: Path) -> None:
    """Read eight images of a pack, as each worker that times does."""
    from bench.bundle.evaluation_pack import open_pack

    pack = open_pack(folder / "pack.npz")
    for index in range(8):
        pack.inputs(index)


def _read_all(folder: Path) -> None:
    """Read all images of a pack, one by one, as the worker that predicts does."""
    from bench.bundle.evaluation_pack import open_pack

    pack = open_pack(folder / "pack.npz")
    for index in range(len(pack)):
        pack.inputs(index)


def _write_samples(folder: Path, samples: int) -> None:
    """Write a report of so many samples in three rows, of 8 processes with 4 blocks each."""
    from making.compared_report import Row, made_report, outcome

    from bench.report.files import write_report

    rows = {}
    for number, name in enumerate(("onnx", "openvino", "torchscript")):
        measured = outcome(Row(10))
        each = samples // (3 * sum(len(process.blocks) for process in measured.processes))
        ns = tuple(10_000_000 + (index * 7919 + number) % 1_000_000 for index in range(each))
        processes = tuple(
            process.model_copy(
                update={"blocks": tuple(block.model_copy(update={"ns": ns}) for block in process.blocks)}
            )
            for process in measured.processes
        )
        rows[f"{name}-fp32"] = measured.model_copy(update={"processes": processes})
    report = made_report(rows)
    write_report(folder / "a.json", report)
    write_report(folder / "b.json", report)


def _write_changed(folder: Path, images: int) -> None:
    """Write a report of so many images, of which int8 changes half, and loses one in five."""
    from making.compared_report import Row, made_report

    from bench.report.files import write_report

    labels = tuple(index % 2 for index in range(images))
    answers = tuple(label ^ (index % 5 == 0) for index, label in enumerate(labels))
    reference = tuple(label ^ (index % 10 in (1, 2, 3)) for index, label in enumerate(labels))
    rows = {"onnx-fp32": Row(10, answers=reference), "onnx-int8": Row(5, answers=answers)}
    report = made_report(rows, labels=labels, reference=reference)
    write_report(folder / "a.json", report)


def _write_rows(folder: Path, files: int) -> None:
    """Write a report of so many model files."""
    from making.model_report import ModelRow, model_report

    from bench.report.files import write_report

    rows = {f"{number}.onnx": ModelRow(5 + number % 7, mib=100 + number % 13) for number in range(files)}
    write_report(folder / "a.json", model_report(rows))


def _write_history(folder: Path, reports: int) -> None:
    """Write so many reports of one name."""
    from making.compared_report import Row, made_report

    from bench.report.files import write_report

    for number in range(reports):
        created = f"2026-01-{1 + number // 24:02d}T{number % 24:02d}:00:00+00:00"
        rows = {"onnx-fp32": Row(10 + number % 3), "onnx-int8": Row(5)}
        write_report(folder / f"{number:03d}.json", made_report(rows, created=created))


def _write_wheel(folder: Path, megabytes: int) -> None:
    with (folder / "wheel").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))


def _write_job_pack(folder: Path) -> None:
    """Write a pack for boards with one large wheel."""
    from bench.filesystem.whole_files import whole_file
    from bench.remote.job_files import File
    from bench.remote.packing import PackIndex, write_archive
    from edgefit.progress import Silence
    from user_files.hashes import sha256_of

    with whole_file(folder / "pack.py") as file:
        index = PackIndex(report="r.json", systems=())
        wheel = File(sha256_of(folder / "wheel"), folder / "wheel")
        write_archive(file, index, [wheel], Silence())


def _no_data(folder: Path, size: int) -> None:
    (folder / "size").write_text(str(size))


def _sustain(folder: Path) -> None:
    """Let a sustained run take so many hours of a faked clock, at 10 ms; write its part of a report."""
    from making.tiny_report import CALM

    from bench.harness.journal import Journal
    from bench.harness.sustained import SustainedPass
    from bench.harness.sustained_blocks import block_of
    from bench.measurements import SustainedBlock, SystemCounters
    from edgefit.progress import Silence

    each_ns, hours = 10_000_000, int((folder / "size").read_text())

    def measure(count: int) -> SustainedBlock:
        counters = SystemCounters(
            elapsed_ns=count * each_ns,
            cpus=1,
            cpu_ns=count * each_ns,
            busy_ns=count * each_ns,
            steal_ns=0,
            preemptions=0,
            clock_khz=1_000_000,
        )
        return block_of((each_ns,) * count, counters)

    with Journal("growth", resume=False) as journal:
        SustainedPass("a", hours * 3600, journal, Silence(), measure, lambda: CALM).run(CALM, each_ns)
    with Journal("growth", resume=True) as journal:
        (folder / "run.json").write_text(journal.state.sustained["a"].model_dump_json())
        journal.finish()


def _edgefit(*arguments: str) -> Callable[[Path], None]:
    """Return an act that runs a command in its own process."""

    def act(folder: Path) -> None:
        os.chdir(folder)
        reports = sorted(path.name for path in folder.glob("*.json"))
        words = [word for given in arguments for word in (reports if given == "REPORTS" else [given])]
        sys.argv = ["edgefit", *words]
        from edgefit.app import app

        app()

    return act


@dataclass(frozen=True)
class Case:
    """One kind of input, and what is done with it."""

    what: str
    """What grows."""
    sizes: tuple[int, ...]
    """The sizes by default."""
    make: Callable[[Path, int], None]
    """Makes the input in a folder."""
    act: Callable[[Path], None]
    """What is measured."""


_REPORT = _edgefit(
    *("report", "a.json", "--html", "a.html", "--csv", "a.csv", "--markdown", "a.md", "--junit", "a.xml")
)
CASES = {
    "folder": Case("images of a folder, read for training", (1000, 10_000), _write_folder, _read_folder),
    "export": Case("images of a folder, found for export", (1000, 10_000), _write_folder, _find_for_export),
    "bench": Case("images of a folder, 64 for bench", (1000, 10_000), _write_folder, _take_for_bench),
    "pack-eight": Case("images of a pack, eight are read", (1000, 10_000), _write_pack, _read_eight),
    "pack-all": Case("images of a pack, all are read", (1000, 10_000), _write_pack, _read_all),
    "samples": Case("samples of a report, shown", (10_000, 100_000, 1_000_000), _write_samples, _REPORT),
    "changed": Case("images of a report, half changed", (1000, 10_000, 100_000), _write_changed, _REPORT),
    "choose": Case(
        "images of a report, chosen from",
        (1000, 10_000, 100_000),
        _write_changed,
        _edgefit("choose", "a.json"),
    ),
    "check": Case(
        "samples of two reports, compared",
        (10_000, 100_000, 1_000_000),
        _write_samples,
        _edgefit("check", "a.json", "--baseline", "b.json"),
    ),
    "rows": Case("rows of a report, chosen from", (100, 1000), _write_rows, _edgefit("choose", "a.json")),
    "history": Case(
        "reports of a history",
        (5, 50),
        _write_history,
        _edgefit("report", "REPORTS", "--history", "--html", "a.html"),
    ),
    "job-pack": Case("megabytes of wheels of a pack", (50, 500), _write_wheel, _write_job_pack),
    "sustained": Case("hours of a sustained run", (1, 6, 24), _no_data, _sustain),
}


@dataclass(frozen=True)
class Measured:
    """What a case took at one size."""

    seconds: float
    peak_mib: float
    written_mb: float
    """The size of all files that it wrote."""


def measure(name: str, size: int, temporary: Path) -> Measured:
    """Make the input and act on it, each in a process of its own; delete both."""
    with tempfile.TemporaryDirectory(dir=temporary, prefix="edgefit-growth-") as made:
        folder, cache = Path(made) / "input", Path(made) / "cache"
        folder.mkdir()
        _run("make", name, size, folder, cache)
        before = _bytes_in(folder)
        used = _run("act", name, size, folder, cache)
        seconds = used.ru_utime + used.ru_stime
        return Measured(seconds, used.ru_maxrss / 1024, (_bytes_in(folder) - before) / 1e6)


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _run(step: str, name: str, size: int, folder: Path, cache: Path) -> resource.struct_rusage:
    """Run one step of a case in a new process, and return what it used."""
    places = os.pathsep.join([str(_TESTS.parent), str(_TESTS), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": places.strip(os.pathsep), "EDGEFIT_CACHE": str(cache)}
    command = [sys.executable, str(_HERE), "--step", step, "--cases", name, "--sizes", str(size)]
    # This process stays small: a child's peak is at least what its parent had when it was started.
    child = subprocess.Popen([*command, "--folder", str(folder)], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, _NOTHING_CHOSEN):
        raise SystemExit(f"{name}, {size}: {step} ended with exit code {child.returncode}")
    return usage


def _step(step: str, case: Case, size: int, folder: Path) -> None:
    if step == "make":
        case.make(folder, size)
    else:
        case.act(folder)


def table(names: list[str], sizes: tuple[int, ...] | None, temporary: Path) -> None:
    """Measure the cases, and print a line for each size."""
    print(
        "| input | size | CPU seconds | exponent | peak, MiB | written, MB |\n|---|---|---|---|---|---|",
        flush=True,
    )
    for name in names:
        case, earlier = CASES[name], None
        for size in sizes or case.sizes:
            found = measure(name, size, temporary)
            exponent = ""
            if earlier is not None:
                exponent = f"{math.log(found.seconds / earlier[1]) / math.log(size / earlier[0]):.2f}"
            earlier = size, found.seconds
            print(
                f"| {case.what} | {size:,} | {found.seconds:.1f} | {exponent} | {found.peak_mib:.0f} "
                f"| {found.written_mb:.1f} |",
                flush=True,
            )


def main() -> None:
    """Print the table, or run one step of a case in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=",".join(CASES), help=f"some of: {', '.join(CASES)}")
    parser.add_argument("--sizes", help="the sizes, ascending, instead of each case's own")
    parser.add_argument("--temporary", type=Path, default=Path(tempfile.gettempdir()), help="where data lie")
    parser.add_argument("--step", choices=("make", "act"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.cases.split(",")
    sizes = tuple(map(int, arguments.sizes.split(","))) if arguments.sizes else None
    if unknown := set(names) - CASES.keys():
        parser.error(f"there is no case '{min(unknown)}'; choose from {', '.join(CASES)}")
    if arguments.step:
        _step(arguments.step, CASES[names[0]], sizes[0] if sizes else 0, arguments.folder)
    else:
        table(names, sizes, arguments.temporary)


if __name__ == "__main__":
    main()
