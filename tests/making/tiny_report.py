"""A report made of values written down here, for tests of reading and rendering."""

from pathlib import Path

from bench.bundle.cpu_class import CpuClass
from bench.bundle.signature import image_input
from bench.bundle.variants import CONTROL_VARIANT, NULL_VARIANT, Variant
from bench.harness.plan import Case
from bench.measurements import (
    Block,
    Completed,
    End,
    Executed,
    Failed,
    FailureKind,
    NoEnergy,
    Operator,
    Outcome,
    ProcessMemory,
    ProcessTiming,
    Skipped,
    Stage,
)
from bench.report.schema import BundleRecord, Evaluation, Report
from bench.report.summaries import References
from bench.run.rows import RowContext, row_of_case
from bench.run_config import RunConfig
from bench.system.host import Host
from bench.system.state import HostState
from device_profiles.loading import load_profile

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
CALM = HostState(
    busy_share=0.02,
    steal_share=0.0,
    available_bytes=8 << 30,
    swap_used_bytes=0,
    swapped_in_bytes=0,
    on_battery=False,
    temperatures={"cpu": 50.0},
    throttle_counts={"cpu0": 3},
    throttled_bits=0,
)
EVALUATION = Evaluation(
    labels=(0, 1, 1, 0),
    reference_logits=((2.0, -1.0), (-1.0, 2.0), (-0.5, 0.5), (1.0, 0.0)),
    positive_class=1,
    pack_images=8,
)

BUNDLE = BundleRecord(
    sha256="0" * 64,
    name="tiny",
    model="mobilenet_v2",
    weights="none",
    data="noise",
    image_size=32,
    classes=("normal", "pneumonia"),
    pack_sha256="1" * 64,
)


def executed(precision: str = "fp32", macs: int | None = 1000) -> Executed:
    """A graph of one convolution."""
    operator = Operator(name="conv", operation="Conv", precision=precision, macs=macs)
    return Executed(source="a test's graph", operators=(operator,), casts=0, quantise=0, dequantise=0)


def process(
    ms: float, repetition: int = 0, passes: int = 2, steps: tuple[float, ...] = (0, 1)
) -> ProcessTiming:
    """A process with blocks of two samples: `ms` plus the first step, then two more for each pass."""
    return ProcessTiming(
        group=0,
        repetition=repetition,
        import_ns=10 * MS,
        load_ns=20 * MS,
        cached_share=1.0,
        first_inference_ns=30 * MS,
        warm_up_ns=(ms_to_ns(ms),) * 3,
        steady=True,
        blocks=tuple(
            Block(
                pass_index=pass_index,
                position=3 * pass_index,
                ns=tuple(ms_to_ns(ms + 2 * pass_index + step) for step in steps),
            )
            for pass_index in range(passes)
        ),
    )


def ms_to_ns(ms: float) -> int:
    return round(ms * MS)


def completed(ms: int, flipped: bool = False, precision: str = "fp32", **changes: object) -> Completed:
    """A case whose samples are `ms` to `ms + 3` milliseconds; `flipped`: it gets the third image wrong."""
    third = (0.5, -0.5) if flipped else (-0.4, 0.5)
    case = Completed(
        runtime="test 1",
        processes=(process(ms),),
        ended=End.FEW,
        memory=ProcessMemory(
            runtime_bytes=60 * MIB, loaded_bytes=80 * MIB, peak_bytes=90 * MIB, proportional_bytes=70 * MIB
        ),
        logits=((2.0, -1.0), (-1.0, 2.1), third, (1.0, 0.1)),
        executed=executed(precision),
        energy=NoEnergy(reason="no meter"),
    )
    return case.model_copy(update=changes)


def control(ms: float) -> Completed:
    """The null runtime or the control workload: neither accuracy nor precision."""
    return completed(1, processes=(process(ms),), logits=None, executed=None)


OUTCOMES: dict[str, Outcome] = {
    "onnx-fp32": completed(10),
    "onnx-int8": completed(4, flipped=True, precision="int8"),
    "openvino-fp32": Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV\nlast words"),
    "torchscript-int8": Skipped(
        reason="torch is not installed here; install it with: pip install 'edgefit[x]'"
    ),
    NULL_VARIANT: control(0.0005),
    CONTROL_VARIANT: control(2),
}


def make_report(outcomes: dict[str, Outcome] | None = None, name: str = "tiny") -> Report:
    """Return a report with a row for each outcome."""
    profile = load_profile("laptop-cpu")
    outcomes = OUTCOMES if outcomes is None else outcomes
    context = RowContext(
        evaluation=EVALUATION,
        profile=profile,
        provenance="measured",
        quick=True,
        cpu_class=CpuClass.X86,
        warnings=("a [warning] of all",),
        bundle=BUNDLE,
    )
    return Report(
        schema=2,
        tool="0",
        created="2026-01-01T00:00:00+00:00",
        name=name,
        quick=True,
        host=HOST,
        profile=profile,
        bundle=BUNDLE,
        evaluation=EVALUATION,
        runs=tuple(
            row_of_case(
                case_of(variant),
                outcome,
                context,
                References.of(case_of(variant).format, "cpu", outcomes),
            )
            for variant, outcome in outcomes.items()
        ),
        warnings=("the machine [hums]",),
    )


def case_of(variant: str) -> Case:
    """A case that fits the variant's name."""
    precision = Variant.parse(variant).precision if "-" in variant else None
    return Case(
        variant=variant,
        format=variant.partition("-")[0],
        entry=Path("model"),
        files=(),
        engine=None,
        config=RunConfig(provider="cpu", threads=2),
        cpus=None,
        inputs=(image_input(32),),
        size_bytes=9_000_000 if variant.endswith("fp32") else 2_500_000,
        precision=precision,
        digest=None if precision is None else "2" * 64,
    )
