"""`edgefit check` of two reports: the gate judges what they contain. Nothing is measured. Pure."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from bench.bundle.model_set import InputsRecord, ModelSetRecord
from bench.gate.class_reasons import ClassNames
from bench.gate.document import Checked, Conditions
from bench.gate.findings import Finding
from bench.gate.judging import Compared, Side, Times, judge, notes_on_classes
from bench.gate.judging_outputs import OTHER_INPUTS, evaluated_inputs, notes_on_outputs
from bench.gate.options import CheckOptions
from bench.report.comparability import (
    differing_conditions,
    paired_models,
    ratio_through_controls,
    require_as_many_classes,
    require_same_task,
    subject_differences,
    why_not_in_its_place,
)
from bench.report.outputs import judged_outputs
from bench.report.predictions import as_values, labels_of
from bench.report.schema import BundleRecord, Evaluation, Report, Run, Subject
from bench.run_config import RunOptions
from bench.statistics.latency import Latency

_OF_REPORTS = (
    "the two reports were measured at different times: latencies are compared through their control "
    "workloads, and load times are not compared; what is measured together allows a narrower limit"
)


def check_reports(
    candidate: Report, baseline: Report, options: CheckOptions, tool: str, created: str
) -> Checked:
    """Compare a candidate's report with a baseline's.

    Raises InputError if their classes or inputs differ, or for an unknown variant.
    """
    _require_same_task(candidate.subject, baseline.subject)
    require_as_many_classes(candidate, baseline)
    rows = [[run for run in report.runs if run.is_variant] for report in (baseline, candidate)]
    variants = options.selected(run.variant for runs in rows for run in runs)
    before, after = ([run for run in runs if run.variant in variants] for runs in rows)
    are_files = candidate.models is not None
    compared = [_compared(candidate, baseline, new, old) for old, new in _paired(before, after, are_files)]
    findings = judge(compared, options.limits)
    run_options = next((run.config.options for run in (*after, *before)), RunOptions(threads=1))
    return Checked(
        tool=tool,
        created=created,
        compared="reports",
        baseline=baseline.subject,
        candidate=candidate.subject,
        conditions=Conditions(
            host=candidate.host,
            profile=candidate.profile.name,
            provenance="measured" if candidate.proxy is None else "proxy",
            options=run_options,
            confinement=candidate.confinement,
        ),
        limits=options.limits,
        strict=options.strict,
        findings=findings,
        notes=(
            *_notes(candidate, baseline),
            *_notes_on_outputs(compared, findings),
            *notes_on_classes(compared, options.limits),
        ),
        warnings=tuple(dict.fromkeys([*candidate.warnings, *baseline.warnings])),
    )


def _require_same_task(candidate: Subject, baseline: Subject) -> None:
    """Raise InputError for other classes or other inputs. Of model files, each pair is tested."""
    if not isinstance(candidate, ModelSetRecord) or not isinstance(baseline, ModelSetRecord):
        require_same_task(candidate, baseline)
        return
    for after, before in paired_models(candidate, baseline):
        require_same_task(ModelSetRecord(models=(after,)), ModelSetRecord(models=(before,)))


def _paired(
    before: Sequence[Run], after: Sequence[Run], are_files: bool
) -> list[tuple[Run | None, Run | None]]:
    """Pair the rows of the same case, and the rows of a variant that changed only its provider.

    A single model file on each side is a pair, whatever its name.
    """
    if are_files and len(before) == len(after) == 1:
        return [(before[0], after[0])]
    new = {run.case: run for run in after}
    pairs: list[tuple[Run | None, Run | None]] = []
    counts = (Counter(run.variant for run in before), Counter(run.variant for run in after))
    single = {run.variant: run for run in after if all(count[run.variant] == 1 for count in counts)}
    pairs += [(run, new.get(run.case) or single.get(run.variant)) for run in before]
    paired = [run for _, run in pairs]
    return [*pairs, *((None, run) for run in after if not any(run is other for other in paired))]


def _compared(candidate: Report, baseline: Report, new: Run | None, old: Run | None) -> Compared:
    run = new or old
    assert run is not None
    evaluation = _shared_evaluation(candidate, baseline)
    sides = (_side(old, evaluation), _side(new, evaluation))
    compared = partial(Compared, run.variant, run.config.provider, *sides)
    if new is None or old is None or new.summary is None or old.summary is None:
        return compared()
    latency = _latency(candidate, baseline, new, old, old.summary.latency, new.summary.latency)
    compared = partial(compared, latency=latency)
    if isinstance(evaluation, str):
        return compared(labels=evaluation, inputs=_inputs(candidate, new, old))
    labels = labels_of(evaluation)
    if evaluation.gap is not None or labels is None:
        return compared(inputs=evaluated_inputs(evaluation.images, candidate.subject.sha256))
    names = ClassNames(
        () if baseline.bundle is None else baseline.bundle.classes,
        evaluation.positive_class,
        evaluation.output.kind,
    )
    return compared(labels=labels, output=evaluation.output, class_names=names)


def _side(run: Run | None, evaluation: Evaluation | str) -> Side | None:
    if run is None:
        return None
    measured = run.completed
    if measured is None:
        return Side(run.status, run.reason, run.size_bytes)
    logits = None if measured.logits is None else as_values(measured.logits)
    side = partial(Side, run.status, None, run.size_bytes, (measured.memory.highest_bytes,))
    if logits is None or isinstance(evaluation, str) or evaluation.gap is None:
        return side(logits, measured.outputs)
    return side(None, judged_outputs(logits[: evaluation.images], evaluation.output))


def _latency(
    candidate: Report, baseline: Report, new: Run, old: Run, before: Latency, after: Latency
) -> Times:
    times = partial(Times, before.p50_ns, after.p50_ns)
    if differing := differing_conditions(candidate, baseline, new, old):
        return times(f"not comparable: {'; '.join(differing)}", comparable=False)
    return times(ratio_through_controls(candidate, baseline, new, old))


def _shared_evaluation(candidate: Report, baseline: Report) -> Evaluation | str:
    """Return the evaluation of the images that both reports evaluated: the first images of one pack.

    Return a sentence instead, where there is none.
    """
    if candidate.evaluation is None or baseline.evaluation is None:
        return "model files are measured without labels"
    if _pack_of(candidate) != _pack_of(baseline):
        return _of_other_images(candidate.bundle, baseline.bundle)
    return min(candidate.evaluation, baseline.evaluation, key=lambda evaluation: evaluation.images)


def _of_other_images(candidate: BundleRecord | None, baseline: BundleRecord | None) -> str:
    """Return why answers to different images cannot be compared, and what can."""
    if candidate is None or baseline is None or why_not_in_its_place(candidate, baseline) is None:
        return (
            "not comparable: the reports evaluated different images; check the two bundles instead, and both "
            "answer the baseline's images"
        )
    return (
        "not comparable: the reports evaluated different images, and the two bundles cannot answer each "
        "other's; compare the retention that each report shows"
    )


def _inputs(candidate: Report, new: Run, old: Run) -> InputsRecord | str | None:
    """Return the inputs that both model files were run with, or why their outputs cannot be compared."""
    if candidate.models is None or new.completed is None or old.completed is None:
        return None
    if new.completed.inputs_sha256 != old.completed.inputs_sha256:
        return OTHER_INPUTS
    return next(model.values for model in candidate.models.models if model.name == new.variant)


def _notes_on_outputs(compared: Sequence[Compared], findings: Sequence[Finding]) -> list[str]:
    """Return what the comparison of outputs is worth, once for all model files."""
    inputs = (files.inputs for files in compared if isinstance(files.inputs, InputsRecord))
    return notes_on_outputs(findings, next(inputs, None))


def _pack_of(report: Report) -> str | None:
    return None if report.bundle is None else report.bundle.pack_sha256


def _notes(candidate: Report, baseline: Report) -> list[str]:
    return [*subject_differences(candidate.subject, baseline.subject), _OF_REPORTS]
