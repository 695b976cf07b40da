"""Derives the summary of a completed case. Pure: it reads no file and no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import numpy as np

from bench.bundle.variants import CONTROL_VARIANT, Precision, Variant
from bench.harness.sustained_blocks import blocks_of
from bench.measurements import Completed, Energy, Executed, Outcome, ProcessTiming, SustainedBlock
from bench.report.figures import figures_of
from bench.report.outputs import compare_outputs
from bench.report.schema import (
    Evaluation,
    OutputsComparison,
    PrecisionRan,
    RelativeLatency,
    Summary,
    Sustained,
    SustainedPoint,
)
from bench.runtimes.providers import case_id
from bench.statistics import latency, precision, processes, steadiness
from bench.statistics.latency import Latency
from bench.units import NS_PER_S


@dataclass(frozen=True)
class References:
    """The cases that a row is compared with. None where one did not complete."""

    control: Completed | None = None
    """The control workload."""
    fp32: Completed | None = None
    """The same format in fp32."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """All outcomes of the run by case id, in the order of its rows."""
    judged: str | None = None
    """The only output of model files that is judged; None: all of them."""

    @classmethod
    def of(
        cls, format_: str, provider: str, outcomes: Mapping[str, Outcome], judged: str | None = None
    ) -> "References":
        """Return the references of a format on a provider.

        `outcomes` has a run's outcomes by case id, in the order of its rows.
        """
        fp32 = outcomes.get(case_id(str(Variant(format_, Precision.FP32)), provider))
        control = outcomes.get(CONTROL_VARIANT)
        return cls(
            control=control if isinstance(control, Completed) else None,
            fp32=fp32 if isinstance(fp32, Completed) else None,
            outcomes=outcomes,
            judged=judged,
        )

    def first_file(self) -> tuple[str, Completed] | None:
        """Return the first model file of the run that completed, and its case. It looks through all rows of a
        bundle in vain, so it is asked for a row with outputs alone."""
        completed = ((case, found) for case, found in self.outcomes.items() if isinstance(found, Completed))
        return next(((case, found) for case, found in completed if found.outputs is not None), None)


def summarise(
    measured: Completed, requested: Precision | None, evaluation: Evaluation | None, references: References
) -> Summary:
    """Derive a row's summary from its measurements. Nothing else derives one.

    `requested` is the requested precision, None for the two controls. `evaluation` is None for model files.
    """
    timed, energy = measured.processes, measured.energy
    return Summary(
        latency=_latency(timed),
        relative_to_control=_relative(measured, references.control),
        relative_to_fp32=_relative(measured, references.fp32 if requested is not None else None),
        import_ns=_median([process.import_ns for process in timed]),
        load_ns=_median([process.load_ns for process in timed]),
        first_inference_ns=_median([process.first_inference_ns for process in timed]),
        file_cache=_file_cache([process.cached_share for process in timed]),
        sustained=None if measured.sustained is None else _sustained(blocks_of(measured.sustained)),
        energy_per_inference_j=energy.joules / energy.inferences if isinstance(energy, Energy) else None,
        precision_ran=None if measured.executed is None else _precision_ran(measured.executed),
        accuracy=None
        if measured.logits is None or evaluation is None
        else figures_of(measured.logits, evaluation),
        outputs=_outputs(measured, references),
    )


def _outputs(measured: Completed, references: References) -> OutputsComparison | None:
    """Compare a model file's outputs with the first file's, if both had the same inputs."""
    if measured.outputs is None or (first := references.first_file()) is None:
        return None
    case, reference = first
    if measured is reference or reference.outputs is None:
        return None
    if measured.inputs_sha256 != reference.inputs_sha256:
        return None
    return compare_outputs(measured.outputs, reference.outputs, case, references.judged)


def _relative(measured: Completed, reference: Completed | None) -> RelativeLatency | None:
    ratio = None if reference is None else processes.ratio(measured.processes, reference.processes)
    if ratio is None:
        return None
    interval = ratio.interval
    return RelativeLatency(
        ratio=ratio.value, ci95=None if interval is None else (interval.low, interval.high)
    )


def _latency(timed: Sequence[ProcessTiming]) -> Latency:
    samples_ns = [ns for process in timed for block in process.blocks for ns in block.ns]
    return latency.summarise(samples_ns, len(timed), processes.interval_of_median(timed))


def _median(values: Sequence[int]) -> float:
    return float(np.median(values))


def _file_cache(shares: Sequence[float | None]) -> Literal["warm", "cold", "partly"] | None:
    cached = [share for share in shares if share is not None]
    if not cached:
        return None
    return "warm" if min(cached) == 1 else "cold" if max(cached) == 0 else "partly"


def _sustained(blocks: Sequence[SustainedBlock]) -> Sustained:
    ends_s = list(accumulate(block.elapsed_ns / NS_PER_S for block in blocks))
    levels = [block.p50_ns for block in blocks]
    settled = steadiness.settle(levels)
    since = settled.since
    return Sustained(
        seconds=ends_s[-1],
        drift=steadiness.drift_of(levels),
        settled_ns=settled.level,
        settled_after_s=None if since is None else (ends_s[since - 1] if since else 0.0),
        points=tuple(SustainedPoint(at_s=at, p50_ns=level) for at, level in zip(ends_s, levels, strict=True)),
    )


def _precision_ran(executed: Executed) -> PrecisionRan:
    return PrecisionRan(
        share_of_macs=precision.share_of_macs(executed.operators),
        share_of_operators=precision.share_of_operators(executed.operators),
        casts=executed.casts,
        quantise=executed.quantise,
        dequantise=executed.dequantise,
        evidence=precision.describe(executed),
    )
