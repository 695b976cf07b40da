"""How right each int8 artifact of a bundle is on each class of CPUs that can be had here.

    tests/benchmarks/int8_by_cpu.py BUNDLE [--images N]

`measured`: on this machine; `emulated`: with the kernels of x86 without VNNI, under qemu-user (Debian:
apt install qemu-user-static), which takes a second or more an image; `simulated`: in float arithmetic, as a
CPU computes whose sums do not saturate. Arm boards are measured by `edgefit bench BUNDLE --on ssh://…`.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.bundle.cpu_class import TARGETS, CpuClass
from bench.bundle.manifest import ArtifactRecord, Bundle, read_bundle
from bench.bundle.variants import Precision
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.table import load_runtime, row_of
from bench.statistics import accuracy
from bench.system.host import cpu_class_here

_EMULATOR = ("qemu-x86_64-static", "-cpu", "Haswell-noTSX")
_FEWER_WHEN_EMULATED = 16


def _logits(bundle: Bundle, artifact: ArtifactRecord, images: int, exact: bool) -> accuracy.Logits:
    options = LoadOptions(
        threads=1,
        provider=row_of(artifact.format).provider,
        engine=artifact.engine,
        foreign_engine=True,
        int8=True,
        exact=exact,
    )
    session = load_runtime(artifact.format).load(bundle.folder / artifact.entry, options)
    pack = bundle.pack().first(images)
    return np.concatenate([session.infer(pack.batch(index)) for index in range(len(pack))])


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--images", type=int, default=624)
    parser.add_argument("--logits", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    bundle = read_bundle(arguments.bundle)
    if arguments.logits:
        artifact = bundle.select([arguments.logits])[0]
        print(json.dumps(_logits(bundle, artifact, arguments.images, exact=False).tolist()))
        return
    reference = bundle.pack().reference_logits
    print(f"{'artifact':<18}{'CPUs':<26}{'how':<11}{'images':>6}{'agreement':>11}{'SQNR dB':>9}")
    for artifact in bundle.manifest.artifacts:
        if artifact.precision is not Precision.INT8:
            continue
        for cpus, how, logits in _on_each_class(bundle, artifact, arguments.images):
            expected = reference[: len(logits)]
            agreement = accuracy.agreement(logits, expected)
            sqnr_db = accuracy.sqnr_db(logits, expected) or float("inf")
            print(
                f"{artifact.variant:<18}{cpus:<26}{how:<11}{len(logits):>6}{agreement:>11.4f}{sqnr_db:>9.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
