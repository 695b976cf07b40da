"""How right each int8 artifact of a bundle is on each class of CPUs that can be had here.

    tests/benchmarks/int8_by_cpu.py BUNDLE [--images N]
    tests/benchmarks/int8_by_cpu.py BUNDLE [--images N] --board ssh://HOST [--board …] [--with torchscript]

`measured`: on this machine or a board; `emulated`: with the kernels of x86 without VNNI, under qemu-user
(Debian: apt install qemu-user-static), which takes a second or more an image, or on a board that is emulated;
`simulated`: in float arithmetic, as a CPU computes whose sums do not saturate. `--board` measures there
instead of here, by `edgefit bench BUNDLE --on URL --quick`, on the first N images, or 128 if N is more;
`--with` is that command's.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.bundle.cpu_class import TARGETS, CpuClass, class_of
from bench.bundle.evaluation_pack import write_pack
from bench.bundle.manifest import ArtifactRecord, Bundle, describe, read_bundle, write_manifest
from bench.bundle.variants import Precision
from bench.report.files import read_report
from bench.report.schema import Report, Run
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from bench.statistics import accuracy
from bench.system.host import cpu_class_here

_EMULATOR = ("qemu-x86_64-static", "-cpu", "Haswell-noTSX")
_FEWER_WHEN_EMULATED = 16


@dataclass(frozen=True)
class _Row:
    """How right an artifact is on some CPUs. `failed`: why nothing is known, None if it ran."""

    variant: str
    cpus: str
    how: str
    images: int = 0
    agreement: float = 0.0
    sqnr_db: float | None = None
    failed: str | None = None

    def __str__(self) -> str:
        begin = f"{self.variant:<18}{self.cpus:<26}{self.how:<11}"
        if self.failed is not None:
            return f"{begin}  {self.failed}"
        sqnr_db = float("inf") if self.sqnr_db is None else self.sqnr_db
        return f"{begin}{self.images:>6}{self.agreement:>11.4f}{sqnr_db:>9.1f}"


def _logits(bundle: Bundle, artifact: ArtifactRecord, images: int, exact: bool) -> accuracy.Logits:
    options = LoadOptions(
        RunConfig(threads=1, provider=row_of(artifact.format).provider),
        engine=artifact.engine,
        foreign_engine=True,
        precision=Precision.INT8,
        exact=exact,
    )
    session = load_runtime(artifact.format).load(bundle.folder / artifact.entry, options)
    pack = bundle.pack().first(images)
    return np.concatenate([session.infer(pack.inputs(index))[0] for index in range(len(pack))])


def _emulated(bundle: Bundle, artifact: ArtifactRecord, images: int) -> accuracy.Logits:
    command = [*_EMULATOR, sys.executable, __file__, str(bundle.folder), "--images", str(images)]
    answer = subprocess.run(
        [*command, "--logits", artifact.variant], check=True, stdout=subprocess.PIPE, text=True
    )
    return np.array(json.loads(answer.stdout.splitlines()[-1]), dtype=np.float32)


def _on_each_class(
    bundle: Bundle, artifact: ArtifactRecord, images: int
) -> Iterator[tuple[str, str, accuracy.Logits]]:
    here = cpu_class_here()
    if here is not None and (artifact.cpu is None or here in TARGETS[artifact.cpu].classes):
        yield here.description, "measured", _logits(bundle, artifact, images, exact=False)
    if here is CpuClass.X86_VNNI and shutil.which(_EMULATOR[0]):
        few = min(images, _FEWER_WHEN_EMULATED)
        yield CpuClass.X86.description, "emulated", _emulated(bundle, artifact, few)
    yield "no sum saturates", "simulated", _logits(bundle, artifact, images, exact=True)


def _rows_here(bundle: Bundle, images: int) -> Iterator[_Row]:
    reference = bundle.pack().reference_logits
    for artifact in _int8_of(bundle):
        for cpus, how, logits in _on_each_class(bundle, artifact, images):
            expected = reference[: len(logits)]
            yield _Row(
                artifact.variant,
                cpus,
                how,
                len(logits),
                accuracy.agreement(logits, expected),
                accuracy.sqnr_db(logits, expected),
            )


def _rows_of_board(bundle: Bundle, images: int, url: str, formats: Sequence[str]) -> Iterator[_Row]:
    with TemporaryDirectory() as folder:
        shortened = _shortened(bundle, images, Path(folder) / "bundle")
        report = _report_of(shortened, url, formats, Path(folder) / "report.json")
    cpu_class = class_of(report.host.architecture, report.host.cpu_features)
    cpus = report.host.cpu if cpu_class is None else cpu_class.description
    how = "measured" if report.host.emulated is None else "emulated"
    for run in report.runs:
        if run.is_variant:
            yield _row_of_run(run, cpus, how)


def _row_of_run(run: Run, cpus: str, how: str) -> _Row:
    found = run.accuracy
    if found is None or found.agreement is None:
        return _Row(run.variant, cpus, how, failed=f"{run.status}: {run.reason}")
    return _Row(run.variant, cpus, how, found.images, found.agreement, found.sqnr_db)


def _report_of(bundle: Bundle, url: str, formats: Sequence[str], out: Path) -> Report:
    """Have edgefit measure on a board; a variant that fails there is a row of the report."""
    command = [sys.executable, "-m", "edgefit", "bench", str(bundle.folder), "--on", url]
    command += ["--quick", "--out", str(out)]
    command += ["--with", ",".join(formats)] if formats else []
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if not out.exists():
        sys.exit(f"{url}: edgefit bench ended with exit code {done.returncode} and no report")
    return read_report(out)


def _shortened(bundle: Bundle, images: int, folder: Path) -> Bundle:
    """Return a copy of a bundle with int8 and the first images alone: each takes an emulated board long."""
    shutil.copytree(bundle.folder, folder)
    pack, record = bundle.pack().first(images), bundle.manifest.pack
    write_pack(folder / record.file.path, pack)
    shorter = {"file": describe(folder, folder / record.file.path), "images": len(pack)}
    changed = {"pack": record.model_copy(update=shorter), "artifacts": tuple(_int8_of(bundle))}
    write_manifest(folder, bundle.manifest.model_copy(update=changed))
    return read_bundle(folder)


def _int8_of(bundle: Bundle) -> list[ArtifactRecord]:
    return [each for each in bundle.manifest.artifacts if each.precision is Precision.INT8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--images", type=int, default=624)
    parser.add_argument("--board", action="append", default=[], metavar="ssh://…")
    parser.add_argument("--with", action="append", default=[], dest="formats", metavar="FORMAT")
    parser.add_argument("--logits", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    bundle = read_bundle(arguments.bundle)
    if arguments.logits:
        artifact = bundle.select([arguments.logits])[0]
        print(json.dumps(_logits(bundle, artifact, arguments.images, exact=False).tolist()))
        return
    print(f"{'artifact':<18}{'CPUs':<26}{'how':<11}{'images':>6}{'agreement':>11}{'SQNR dB':>9}", flush=True)
    rows = [_rows_of_board(bundle, arguments.images, url, arguments.formats) for url in arguments.board]
    for row in (each for some in rows or [_rows_here(bundle, arguments.images)] for each in some):
        print(row, flush=True)


if __name__ == "__main__":
    main()
