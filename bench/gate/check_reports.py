"""`edgefit check` of two reports: the gate judges what they contain. Nothing is measured. Pure."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from bench.bundle.model_set import InputsRecord
from bench.gate.class_reasons import ClassNames
from bench.gate.document import Checked, Conditions
from bench.gate.findings import Finding
from bench.gate.judging import Compared, Side, judge, notes_on_classes
from bench.gate.judging_outputs import OTHER_INPUTS, evaluated_inputs, notes_on_outputs
from bench.gate.judging_times import Times
from bench.gate.multiplicity import TWO_REPORTS
from bench.gate.options import CheckOptions
from bench.gate.reasons import NOT_COMPARABLE, OtherMachine
from bench.report.comparability import (
    input_words,
    require_as_many_classes,
    require_same_outputs,
    subject_differences,
    takes_other_inputs,
    why_not_in_its_place,
)
from bench.report.conditions import (
    differing_conditions,
    differing_instructions,
    differing_memory_conditions,
    differing_systems,
    ratio_through_controls,
)
from bench.report.joint_runs import have_same_images, took_turns, why_not_same_answers
from bench.report.outputs import judged_outputs
from bench.report.predictions import as_values, labels_of
from bench.report.schema import BundleRecord, Evaluation, Report, Run
from bench.report.versions import differing_versions
from bench.run_config import RunOptions
from bench.statistics.latency import Latency

_RETENTION = "compare the retention that each report shows"
_OF_REPORTS = (
    "the two reports were measured at different times: latencies are compared through their control "
    "workloads, and load times are not compared; what is measured together allows a narrower limit"
)
_OF_ONE_RUN = (
    "the two reports are of one run: latencies are compared through its control workload, and load times are "
    "not compared; edgefit compare pairs the blocks of such reports, which gives narrower intervals"
)


def check_reports(
    candidate: Report, baseline: Report, options: CheckOptions, tool: str, created: str
) -> Checked:
    """Compare a candidate's report with a baseline's.

    Whatever their conditions leave comparable is judged. Raises InputError if their classes differ, or for an
    unknown variant.
    """
    require_same_outputs(candidate.subject, baseline.subject)
    require_as_many_classes(candidate, baseline)
    rows = [[run for run in report.runs if run.is_variant] for report in (baseline, candidate)]
    variants = options.selected(run.variant for runs in rows for run in runs)
    before, after = ([run for run in runs if run.variant in variants] for runs in rows)
    are_files = candidate.models is not None
    compared = [_compared(candidate, baseline, new, old) for old, new in _paired(before, after, are_files)]
    findings = judge(compared, options.limits, TWO_REPORTS)
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
            variables=candidate.variables,
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
    compared = partial(
        compared,
        latency=latency,
        memory_gap=_memory_gap(candidate, baseline, new, old),
        other_machine=_other_machine(candidate, baseline),
    )
    if isinstance(evaluation, str):
        return compared(labels=evaluation, inputs=_inputs(candidate, baseline, new, old))
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
        return times(f"{NOT_COMPARABLE}{'; '.join(differing)}", comparable=False)
    return times(ratio_through_controls(candidate, baseline, new, old))


def _memory_gap(candidate: Report, baseline: Report, new: Run, old: Run) -> str | None:
    """Return why two memory peaks cannot be compared; None if they can."""
    differing = differing_memory_conditions(candidate, baseline, new, old)
    return f"{NOT_COMPARABLE}{'; '.join(differing)}" if differing else None


def _other_machine(candidate: Report, baseline: Report) -> OtherMachine | None:
    """Return how the two machines differ; None if they are alike."""
    instructions = differing_instructions(candidate, baseline)
    is_other = bool(instructions) or candidate.host.cpu != baseline.host.cpu
    return OtherMachine(instructions) if is_other else None


def _shared_evaluation(candidate: Report, baseline: Report) -> Evaluation | str:
    """Return the evaluation of the images that both reports evaluated: the first images of one pack, or of
    two packs that are known to hold the same ones.

    Return a sentence instead, where there is none.
    """
    if candidate.evaluation is None or baseline.evaluation is None:
        return "model files are measured without labels"
    if candidate.bundle is not None and baseline.bundle is not None:
        is_known = have_same_images(candidate.evaluation, baseline.evaluation)
        is_same = is_known and why_not_same_answers(candidate, baseline) is None
        if not is_same and takes_other_inputs(candidate.bundle, baseline.bundle):
            inputs = f"{candidate.bundle.input_words}, was {baseline.bundle.input_words}"
            return f"{NOT_COMPARABLE}the networks take different inputs: {inputs}; {_RETENTION}"
        if not is_same and candidate.bundle.pack_sha256 != baseline.bundle.pack_sha256:
            return _of_other_images(candidate.bundle, baseline.bundle)
    return min(candidate.evaluation, baseline.evaluation, key=lambda evaluation: evaluation.images)


def _of_other_images(candidate: BundleRecord, baseline: BundleRecord) -> str:
    """Return why answers to different images cannot be compared, and what can."""
    if why_not_in_its_place(candidate, baseline) is None:
        return (
            f"{NOT_COMPARABLE}the reports evaluated different images; check the two bundles instead, and "
            "both answer the baseline's images"
        )
    return (
        f"{NOT_COMPARABLE}the reports evaluated different images, and the two bundles cannot answer each "
        f"other's; {_RETENTION}"
    )


def _inputs(candidate: Report, baseline: Report, new: Run, old: Run) -> InputsRecord | str | None:
    """Return the inputs that both model files were run with, or why their outputs cannot be compared."""
    if candidate.models is None or new.completed is None or old.completed is None:
        return None
    if new.completed.inputs_sha256 != old.completed.inputs_sha256:
        return _of_other_inputs(candidate, baseline, new, old)
    return next(model.values for model in candidate.models.models if model.name == new.variant)


def _of_other_inputs(candidate: Report, baseline: Report, new: Run, old: Run) -> str:
    """Return why outputs for different inputs cannot be compared, and what can be done."""
    after, before = candidate.model_of(new), baseline.model_of(old)
    if after is None or before is None or input_words(after) == input_words(before):
        return OTHER_INPUTS
    inputs = f"{input_words(after)}, was {input_words(before)}"
    return f"{NOT_COMPARABLE}the two were run with different inputs: {inputs}"


def _notes_on_outputs(compared: Sequence[Compared], findings: Sequence[Finding]) -> list[str]:
    """Return what the comparison of outputs is worth, once for all model files."""
    inputs = (files.inputs for files in compared if isinstance(files.inputs, InputsRecord))
    return notes_on_outputs(findings, next(inputs, None))


def _notes(candidate: Report, baseline: Report) -> list[str]:
    return [
        *differing_versions(candidate, baseline),
        *subject_differences(candidate.subject, baseline.subject),
        *_of_systems(candidate, baseline),
        _OF_ONE_RUN if took_turns(candidate, baseline) else _OF_REPORTS,
    ]


def _of_systems(candidate: Report, baseline: Report) -> list[str]:
    """Return the differences between two machines that leave their numbers comparable, and what they mean."""
    differing = differing_systems(candidate, baseline)
    notes = [f"another system: {'; '.join(differing)}"] if differing else []
    if instructions := differing_instructions(candidate, baseline):
        notes.append(
            f"the CPUs have other instruction sets ({', '.join(instructions)}), so that a runtime may round "
            "otherwise: an image may change its class by the CPU alone"
        )
    return notes
