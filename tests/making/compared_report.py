"""Reports with known latencies, sizes, memory and answers, for tests of choosing and of the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bundle.cpu_class import CpuClass
from bench.bundle.manifest import read_bundle
from bench.bundle.variants import CONTROL_VARIANT
from bench.devices.terms import Provenance
from bench.harness.plan import Case
from bench.measurements import Block, Completed, End, NoEnergy, Outcome, ProcessMemory, ProcessTiming
from bench.report.files import write_report
from bench.report.measured_bundle import record_of
from bench.report.schema import BundleRecord, Evaluation, Report
from bench.report.summaries import References
from bench.run.rows import RowContext, row_of_case
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from device_profiles.loading import load_profile
from making.tiny_report import BUNDLE, HOST, MIB, case_of, executed, make_report, ms_to_ns

IMAGES = 1000
_PASSES = 4
RIGHT, WRONG = (2.0, -1.0), (-1.0, 2.0)


@dataclass(frozen=True)
class Row:
    """What a row has: `noise` multiply the latency of each process; `wrong`: images it calls class 1.

    `answers`: the class it gives each image, in the place of that.
    """

    ms: float
    mib: float = 100
    size: int = 9_000_000
    wrong: int = 0
    noise: Sequence[float] = (1.0,) * 8
    provider: str = "cpu"
    answers: tuple[int, ...] | None = None


def timed(row: Row) -> tuple[ProcessTiming, ...]:
    """A process for each factor of noise, whose blocks all have the same level."""
    return tuple(
        ProcessTiming(
            group=0,
            repetition=repetition,
            import_ns=1,
            load_ns=20,
            cached_share=1.0,
            first_inference_ns=30,
            warm_up_ns=(1, 1, 1),
            steady=True,
            blocks=tuple(
                Block(pass_index=pass_index, position=pass_index, ns=(ms_to_ns(row.ms * factor),) * 30)
                for pass_index in range(_PASSES)
            ),
        )
        for repetition, factor in enumerate(row.noise)
    )


def outcome(row: Row, precision: str = "fp32", images: int = IMAGES, classes: int = 2) -> Completed:
    """A completed case."""
    peak = int(row.mib * MIB)
    return Completed(
        runtime="test 1",
        processes=timed(row),
        ended=End.NARROW,
        memory=ProcessMemory(runtime_bytes=1, loaded_bytes=peak, peak_bytes=peak, proportional_bytes=None),
        logits=_logits(row.answers or tuple(int(index < row.wrong) for index in range(images)), classes),
        executed=executed(precision),
        energy=NoEnergy(reason="no meter"),
    )


def _logits(answers: Sequence[int], classes: int = 2) -> tuple[tuple[float, ...], ...]:
    if classes == len(RIGHT):
        return tuple(WRONG if answer else RIGHT for answer in answers)
    return tuple(tuple(2.0 * (index == answer) for index in range(classes)) for answer in answers)


def made_report(
    rows: Mapping[str, Row | Outcome],
    profile: str = "laptop-cpu",
    provenance: Provenance = "measured",
    control: Row | None = None,
    images: int = IMAGES,
    labels: tuple[int, ...] | None = None,
    reference: tuple[int, ...] | None = None,
    classes: tuple[str, ...] = BUNDLE.classes,
    **changes: object,
) -> Report:
    """A report with these rows by variant; every image is of class 0, and the reference right on all.

    `labels`, `reference`: each image's class and what the reference says, in the place of that.
    `classes`: their names.
    """
    labels = labels or (0,) * images
    images = len(labels)
    evaluation = Evaluation(
        labels=labels,
        reference_logits=_logits(reference or labels, len(classes)),
        positive_class=1 if len(classes) == len(RIGHT) else None,
        pack_images=images,
    )
    outcomes: dict[str, tuple[Case, Outcome]] = {}
    for variant, row in rows.items():
        case = case_of(variant)
        if isinstance(row, Row):
            case = replace(case, size_bytes=row.size, config=RunConfig(provider=row.provider, threads=2))
            outcomes[variant] = case, outcome(row, variant.rpartition("-")[2], images, len(classes))
        else:
            outcomes[variant] = case, row
    control_row = outcome(control or Row(1.0)).model_copy(update={"logits": None, "executed": None})
    outcomes[CONTROL_VARIANT] = case_of(CONTROL_VARIANT), control_row
    known = load_profile(profile)
    measured = bundle(classes=classes)
    context = RowContext(
        evaluation=evaluation,
        profile=known,
        provenance=provenance,
        quick=False,
        cpu_class=CpuClass.X86,
        bundle=measured,
    )
    by_case = {case.id: found for case, found in outcomes.values()}
    runs = tuple(
        row_of_case(case, found, context, References.of(case.format, case.config.provider, by_case))
        for case, found in outcomes.values()
    )
    update = {"profile": known, "evaluation": evaluation, "runs": runs, "quick": False, "warnings": ()}
    return make_report().model_copy(update=update | {"host": HOST, "bundle": measured} | changes)


def bundle(**changes: object) -> BundleRecord:
    """The bundle of such a report, changed."""
    return BUNDLE.model_copy(update=changes)


def report_of(bundle_folder: Path, variant: str) -> Path:
    """Write a report beside a bundle that says that a variant of it was measured."""
    measured, path = read_bundle(bundle_folder), bundle_folder.with_name("measured.json")
    rows = {variant: Row(10, provider=FORMATS[variant.partition("-")[0]].provider)}
    write_report(path, made_report(rows, images=len(measured.pack()), bundle=record_of(measured)))
    return path
