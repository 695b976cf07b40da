"""`edgefit check` of two reports: what they hold is judged by the gate; nothing is measured. Pure."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from bench.gate.document import Checked, Conditions
from bench.gate.evaluation import Compared, Side, Times, judge
from bench.gate.fitting import notes_of, refuse_other_kind, selected
from bench.gate.options import CheckOptions
from bench.report.comparability import differing_conditions, ratio_through_controls
from bench.report.schema import Report, Run
from bench.statistics.accuracy import Labels

_OF_REPORTS = (
    "two reports, each of its own minutes: latencies are compared by their control workloads, and load "
    "times not at all; two bundles side by side can be held to a narrower limit"
)


def check_reports(
    candidate: Report, baseline: Report, options: CheckOptions, tool: str, created: str
) -> Checked:
    """Hold a candidate's report against a baseline's.

    Raises InputError if they are of other classes or input shape, or for an unknown variant.
    """
    refuse_other_kind(candidate.bundle, baseline.bundle)
    rows = [[run for run in report.runs if run.is_variant] for report in (baseline, candidate)]
    wanted = selected(options.only, [run.variant for one in rows for run in one])
    before, after = ([run for run in one if run.variant in wanted] for one in rows)
    compared = [_compared(candidate, baseline, new, old) for old, new in _paired(before, after)]
    threads = after[0].threads if after else 1
    return Checked(
        tool=tool,
        created=created,
        compared="reports",
        baseline=baseline.bundle,
        candidate=candidate.bundle,
        conditions=Conditions(
            host=candidate.host,
            profile=candidate.profile.name,
            provenance="measured" if candidate.proxy is None else "proxy",
            threads=threads,
            confinement=candidate.confinement,
        ),
        limits=options.limits,
        strict=options.strict,
        findings=judge(compared, options.limits),
        notes=tuple(_notes(candidate, baseline)),
        warnings=tuple(dict.fromkeys([*candidate.warnings, *baseline.warnings])),
    )


def _paired(before: Sequence[Run], after: Sequence[Run]) -> list[tuple[Run | None, Run | None]]:
    """Pair the rows of the same variant and provider, and those of one that only changed its provider."""
    new = {run.case: run for run in after}
    pairs: list[tuple[Run | None, Run | None]] = []
    counts = (Counter(run.variant for run in before), Counter(run.variant for run in after))
    moved = {run.variant: run for run in after if all(count[run.variant] == 1 for count in counts)}
    pairs += [(run, new.get(run.case) or moved.get(run.variant)) for run in before]
    paired = [run for _, run in pairs]
    return [*pairs, *((None, run) for run in after if not any(run is one for one in paired))]


def _compared(candidate: Report, baseline: Report, new: Run | None, old: Run | None) -> Compared:
    known = new or old
    assert known is not None
    compared = partial(Compared, known.variant, known.provider, _side(old), _side(new))
    if new is None or old is None or new.latency_ms is None or old.latency_ms is None:
        return compared()
    return compared(latency=_latency(candidate, baseline, new, old), labels=_labels(candidate, baseline))


def _side(run: Run | None) -> Side | None:
    if run is None:
        return None
    memory = () if run.raw is None else (run.raw.memory.highest_bytes,)
    given = None if run.raw is None else run.raw.logits
    logits = None if given is None else np.asarray(given, dtype=np.float32)
    return Side(run.status, run.reason, run.size_bytes, memory, logits)


def _latency(candidate: Report, baseline: Report, new: Run, old: Run) -> Times:
    assert new.latency_ms is not None
    assert old.latency_ms is not None
    times = partial(Times, old.latency_ms.p50, new.latency_ms.p50)
    if differing := differing_conditions(candidate, baseline, new, old):
        return times(f"not comparable: {'; '.join(differing)}", comparable=False)
    return times(ratio_through_controls(candidate, baseline, new, old))


def _labels(candidate: Report, baseline: Report) -> Labels | str:
    """Return the labels of the images that both reports judged, which are the first ones of a pack."""
    if candidate.bundle.pack_sha256 != baseline.bundle.pack_sha256:
        return (
            "not comparable: the reports judged different evaluation images; check the two bundles, whose "
            "sides both answer the baseline's"
        )
    shorter = min(candidate.evaluation.labels, baseline.evaluation.labels, key=len)
    return np.asarray(shorter, dtype=np.int64)


def _notes(candidate: Report, baseline: Report) -> list[str]:
    return [*notes_of(candidate.bundle, baseline.bundle), _OF_REPORTS]
