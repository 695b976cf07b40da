"""A report made of values written down here, for tests of reading and rendering."""

from pathlib import Path

from bench.harness.plan import Case
from bench.host import Host
from bench.measurements import (
    Block,
    Completed,
    Failed,
    FailureKind,
    Memory,
    Outcome,
    ProcessTiming,
    Skipped,
    Stage,
)
from bench.reports.records import BundleRecord, Evaluation, Report
from bench.rows import row_of_case
from device_profiles.profile import load_profile

MS = 1_000_000
MIB = 1 << 20

HOST = Host(
    cpu="Test CPU",
    board=None,
    architecture="x86_64",
    physical_cores=2,
    usable_cpus=2,
    cpu_features=("avx2",),
    memory_bytes=8 << 30,
    os="Test OS",
    kernel="1",
    python="3.11",
    governor=None,
)
EVALUATION = Evaluation(
    labels=(0, 1, 1, 0),
    reference_logits=((2.0, -1.0), (-1.0, 2.0), (-0.5, 0.5), (1.0, 0.0)),
    positive_class=1,
    pack_images=8,
)


def completed(ms: int, flipped: bool = False, warnings: tuple[str, ...] = ()) -> Completed:
    """A case whose samples are `ms` to `ms + 3` milliseconds; `flipped`: it gets the third image wrong."""
    third = (0.5, -0.5) if flipped else (-0.4, 0.5)
    return Completed(
        runtime="test 1",
        processes=(
            ProcessTiming(
                wave=0,
                import_ns=10 * MS,
                load_ns=20 * MS,
                first_inference_ns=30 * MS,
                blocks=(
                    Block(turn=0, ns=(ms * MS, (ms + 1) * MS)),
                    Block(turn=3, ns=((ms + 2) * MS, (ms + 3) * MS)),
                ),
            ),
        ),
        memory=Memory(runtime_bytes=60 * MIB, loaded_bytes=80 * MIB, peak_bytes=90 * MIB),
        logits=((2.0, -1.0), (-1.0, 2.1), third, (1.0, 0.1)),
        warnings=warnings,
    )


OUTCOMES: dict[str, Outcome] = {
    "onnx-fp32": completed(10),
    "onnx-int8": completed(4, flipped=True, warnings=("a [doubt] of its own",)),
    "openvino-fp32": Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV\nlast words"),
    "torchscript-int8": Skipped(
        reason="torch is not installed here; install it with: pip install 'edgefit[x]'"
    ),
}


def make_report(outcomes: dict[str, Outcome] | None = None, name: str = "tiny") -> Report:
    """Return a report with a row for each outcome."""
    profile = load_profile("laptop-cpu")
    return Report(
        schema=1,
        tool="0",
        created="2026-01-01T00:00:00+00:00",
        name=name,
        quick=False,
        host=HOST,
        profile=profile,
        bundle=BundleRecord(
            sha256="0" * 64,
            name="tiny",
            model="mobilenet_v2",
            weights="none",
            data="noise",
            image_size=32,
            classes=("normal", "pneumonia"),
            pack_sha256="1" * 64,
        ),
        evaluation=EVALUATION,
        runs=tuple(
            row_of_case(_case(variant), outcome, EVALUATION, profile)
            for variant, outcome in (outcomes or OUTCOMES).items()
        ),
        warnings=("the machine [hums]",),
    )


def _case(variant: str) -> Case:
    return Case(
        variant=variant,
        format=variant.partition("-")[0],
        entry=Path("model"),
        engine=None,
        provider="cpu",
        threads=2,
        cpus=None,
        image_size=32,
        size_bytes=9_000_000 if variant.endswith("fp32") else 2_500_000,
    )
