"""The sentences of a report: conditions, controls, projections, warnings. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.bundle.model_set import ModelFileRecord
from bench.devices.projection.projected import Factor, Projected
from bench.render.columns import Column
from bench.render.text import merge, noun_of, sparkline
from bench.report.outputs_words import not_compared
from bench.report.schema import BundleRecord, Proxy, Report, Run, Sustained
from bench.units import mib, ms
from device_profiles.facts import Published
from user_files.wording import counted

_SPARKLINE_WIDTH = 30
_SHORT_MS = 0.1


@dataclass(frozen=True)
class Remark:
    """A sentence about some rows of a report, or about all of them."""

    kind: Literal["not completed", "outputs not compared", "warning"]
    """Whether it says why rows did not complete, why outputs were not compared, or warns about them."""
    cases: str
    """The cases that it is about; empty if it is about all of them."""
    sentence: str
    """The reason or the warning."""


def conditions(report: Report) -> list[str]:
    """Return the conditions that every number of this report depends on."""
    host = report.host
    configs = [run.config for run in report.runs if run.is_variant]
    # The line of each model file has its batch.
    options = sorted({config.label if report.models is None else config.options.label for config in configs})
    gpus = f", {', '.join(host.accelerators)}" if host.accelerators else ""
    limit = f" ({host.may_use})" if host.may_use is not None else ""
    host_line = (
        f"profile {report.profile.name} on {host.board or host.cpu}, {host.cores_in_words}{limit}{gpus}, "
        f"{host.os}; {' or '.join(options)}"
    )
    measured = [run.completed for run in report.runs if run.completed is not None]
    cached = sum(completed.predictions_cached_at is not None for completed in measured)
    predictions = f"; {counted(cached, noun_of(report))}: predictions of an earlier run" if cached else ""
    sampling_line = f"{_sampling(report)}{_answers(report)}{predictions}{_timed_outputs(report)}"
    return [
        *_subject_lines(report),
        *_inputs(report),
        *_preparation(report),
        host_line,
        sampling_line,
        *_cleared_variables(report),
    ]


def _timed_outputs(report: Report) -> str:
    """Return how many outputs of timed inferences were compared; nothing for older reports."""
    measured = [run.completed for run in report.runs if run.completed is not None]
    differences = [difference for completed in measured for difference in completed.output_differences]
    if not differences:
        return ""
    largest = max(differences)
    result = "all are equal" if largest == 0 else f"at most {largest:.2g} of the largest value apart"
    return f"; {counted(len(differences), 'output')} of timed inferences compared with untimed ones: {result}"


def _cleared_variables(report: Report) -> list[str]:
    """Return which variables of the environment were cleared; those that were kept are among the options."""
    cleared = [variable.assignment for variable in report.variables if not variable.kept]
    return [f"cleared for the measured processes: {' '.join(cleared)}"] if cleared else []


def _subject_lines(report: Report) -> list[str]:
    """Return what was measured: the network of a bundle, or a line for each model file."""
    bundle, models = report.bundle, report.models
    if bundle is not None:
        return [_network_line(bundle)]
    return [] if models is None else [_model_line(model, report) for model in models.models]


def _network_line(bundle: BundleRecord) -> str:
    """Return a bundle's network, its input, and what it was made from."""
    taken = f" at {bundle.input_words}" if bundle.image_size is not None else f", {bundle.input_words}"
    source = "" if bundle.source is None else f" ({bundle.source.value})"
    return f"{bundle.name}: {bundle.model}{source}{taken}, weights {bundle.weights}, data {bundle.data}"


def _model_line(model: ModelFileRecord, report: Report) -> str:
    """Return a model file's format, its precision by its own graph, its inputs and their batch."""
    inputs = ", ".join(tensor.words for tensor in model.inputs)
    batches = {run.config.batch for run in report.runs if run.variant == model.name}
    batch = " or ".join(str(batch) for batch in sorted(batches)) or "unknown"
    return f"{model.name}: {model.format} {model.precision.value}, {inputs}, batch {batch}"


def _inputs(report: Report) -> list[str]:
    """Return where the inputs of model files come from; nothing for a bundle, which has evaluation images."""
    if report.models is None:
        return []
    values = [model.values for model in report.models.models]
    sources = dict.fromkeys(f"{value.source} for {value.inferences} inferences" for value in values)
    return [f"inputs: {' or '.join(sources)}; no labels, so no accuracy"]


def _preparation(report: Report) -> list[str]:
    """Return how images became inputs, and where that was stated; of model files alike ones together."""
    if report.bundle is not None:
        words = report.bundle.preparation_words
        return [] if words is None else [f"images: {words}"]
    by_words: dict[str, list[str]] = {}
    for model in () if report.models is None else report.models.models:
        if (words := model.values.preparation_words) is not None:
            by_words.setdefault(words, []).append(model.name)
    return [f"images for {', '.join(names)}: {words}" for words, names in by_words.items()]


def _answers(report: Report) -> str:
    """Return what accuracy is based on, and whether the run was short."""
    evaluation, quick = report.evaluation, " (--quick)" if report.quick else ""
    if evaluation is None:
        return quick
    samples = "images" if report.bundle is None else report.bundle.samples
    labels = (
        f", {len(evaluation.reference_logits[0])} labels each" if evaluation.output.kind == "labels" else ""
    )
    on = f"on {evaluation.images} of {evaluation.pack_images} evaluation {samples}{labels}{quick}"
    if evaluation.gap is None:
        positive = report.positive_name
        return f"; accuracy {on}{'' if positive is None else f'; positive class: {positive}'}"
    compared = "SQNR" if evaluation.output.kind == "values" else "agreement with the source"
    return f"; {compared} {on}, and no accuracy: {evaluation.gap}"


def reference_line(report: Report) -> list[str]:
    """Return what the outputs of model files are compared with; nothing where none are."""
    reference = report.reference_case
    if reference is None:
        return []
    items = sorted(
        {output.items for run in report.runs if run.outputs for output in run.outputs.outputs if output.items}
    )
    figures = [f"agreement on {_listed(items)} items"] if items else []
    compared = ", ".join([*figures, "cosine, SQNR"])
    sentence = f"ref.: {reference} is the reference; the outputs of the others are compared with its outputs"
    return [f"{sentence}: {compared}"]


def _sampling(report: Report) -> str:
    summaries = [run.summary for run in report.runs if run.is_variant and run.summary is not None]
    if not summaries:
        return f"no {noun_of(report)} was measured to its end"
    samples = sorted({summary.latency.samples for summary in summaries})
    processes = sorted({summary.latency.processes for summary in summaries})
    caches = sorted({summary.file_cache for summary in summaries if summary.file_cache})
    interval = any(summary.latency.p50_ci95_ns for summary in summaries)
    return (
        f"{_listed(samples)} samples for each {noun_of(report)}, interleaved, in {_listed(processes)} fresh "
        f"{'process' if processes == [1] else 'processes'}: "
        + ("± is the 95 % interval of the median over processes" if interval else "no interval of the median")
        + f"; load and first inference are medians, file cache {' or '.join(caches) or 'unknown'}"
    )


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(str(number) for number in numbers) or "no"


def sensitivity_line(report: Report, shown: Sequence[Column]) -> list[str]:
    """Return which class the sensitivity and specificity of a table are about; nothing without them."""
    figures = [column.heading for column in shown if column.key in ("sensitivity", "specificity")]
    if report.positive_name is None or not figures:
        return []
    return [f"{' and '.join(figures)}: '{report.positive_name}' is the positive class"]


def controls_line(report: Report) -> list[str]:
    """Return the controls: the harness's own cost (null runtime), the machine's speed (control workload)."""
    texts = [_control(run) for run in report.runs if not run.is_variant and run.summary is not None]
    return [" · ".join(texts)] if texts else []


def _control(run: Run) -> str:
    assert run.summary is not None
    assert run.completed is not None
    p50_ms = ms(run.summary.latency.p50_ns)
    time = f"{p50_ms * 1000:.1f} µs" if p50_ms < _SHORT_MS else f"{p50_ms:.2f} ms"
    memory = mib(run.completed.memory.highest_bytes)
    return f"{run.variant} ({run.runtime}): {time}, {memory:.0f} MiB, {run.provenance}"


def sustained(report: Report) -> list[str]:
    """Return for each sustained run its sparkline and the latency at which it settles."""
    return [
        _sustained(run, run.summary.sustained)
        for run in report.runs
        if run.summary is not None and run.summary.sustained is not None
    ]


def _sustained(run: Run, measured: Sustained) -> str:
    after = measured.settled_after_s
    settled = "does not settle"
    if after is not None:
        settled = f"settles at {ms(measured.settled_ns):.2f} ms after {after:.0f} s"
    drawing = sparkline([point.p50_ns for point in measured.points], _SPARKLINE_WIDTH)
    return (
        f"sustained {measured.seconds:.0f} s  {run.case:<16} {drawing}  "
        f"{ms(measured.points[0].p50_ns):.2f} ms at first, {settled}, "
        f"drift {measured.drift:+.0%}, {run.provenance}"
    )


def remarks(report: Report) -> list[Remark]:
    """Return why rows did not complete, what was not compared, then warnings: about some rows, about all."""
    not_completed = [
        Remark("not completed", cases, reason)
        for reason, cases in grouped(
            (run.reason or "", f"{run.case} {run.status}") for run in report.runs if run.status != "completed"
        )
    ]
    gaps = ((not_compared(report, run), run.case) for run in report.runs)
    outputs = [
        Remark("outputs not compared", cases, reason)
        for reason, cases in grouped((reason, case) for reason, case in gaps if reason is not None)
    ]
    completed = [run for run in report.runs if run.status == "completed"]
    counts = Counter(sentence for run in completed for sentence in set(run.warnings))
    shared = [sentence for sentence, count in counts.items() if count == len(completed) > 1]
    general = list(dict.fromkeys([*report.warnings, *shared]))
    own = merge(
        (run.case, sentence) for run in completed for sentence in run.warnings if sentence not in general
    )
    return [
        *not_completed,
        *outputs,
        *(Remark("warning", cases, sentence) for cases, sentence in own),
        *(Remark("warning", "", sentence) for sentence in general),
    ]


def proxy_terms(report: Report) -> list[str]:
    """Return why this run is a proxy for the device, and how its memory was limited."""
    proxy = report.proxy
    if proxy is None:
        return []
    host, processor, profile = report.host, report.profile.processor, report.profile
    if profile.proxy_only is not None:
        why = f"edgefit does not run on {profile.name} ({profile.proxy_only}); this ran on {host.cpu}"
    elif proxy.emulated is not None:
        why = f"this machine is emulated ({proxy.emulated})"
    else:
        device = "" if processor is None else f" ({processor.core}, {processor.cores.value} cores)"
        here = f"{host.cpu} ({host.architecture}, {host.physical_cores} cores)"
        why = f"{here} is not a {profile.name}{device}"
    return [f"proxy: {why}; its latencies are not the device's", *_memory(report, proxy)]


def _memory(report: Report, proxy: Proxy) -> list[str]:
    if proxy.memory_limit_bytes is None:
        return []
    enforced = {
        "control group": "a control group of the kernel enforces it while a case loads and first infers",
        "measured peak": "it is compared with the measured peak, because no control group can be made here",
        None: "",
    }[proxy.memory_held_by]
    limit = (
        f"{mib(proxy.memory_limit_bytes):.0f} MiB, {proxy.memory_limit_is or 'as on ' + report.profile.name}"
    )
    return [f"memory limit of a case: {limit}; {enforced}"]


def projected_text(run: Run) -> str:
    """Return a row's projected range for the table, or `–`."""
    return "–" if run.projected is None else _range(run.projected)


def projections(report: Report) -> list[str]:
    """Return the factors of each projected range, the reasons for none, and what others have published."""
    rows = [run for run in report.runs if run.is_variant]
    if all(run.projection is None for run in rows):
        return []
    projected = [(run, run.projected) for run in rows if run.projected is not None]
    lines = []
    if projected:
        sentence = "ranges, not measurements; ×÷ gives the uncertainty factor of a step"
        lines.append(f"projected for {report.profile.name}: {sentence}")
    for basis in dict.fromkeys(_basis(projection) for _, projection in projected):
        lines.append(f"  from {basis}:")
        steps = (
            (_steps(projection), run.case) for run, projection in projected if _basis(projection) == basis
        )
        lines += [f"    {cases}: {sentence}" for sentence, cases in grouped(steps)]
    reasons = ((run.projection_reason, run.case) for run in rows if run.projection_reason is not None)
    lines += [f"not projected: {cases}: {sentence}" for sentence, cases in grouped(reasons)]
    return lines + _published(report, rows)


def _basis(projected: Projected) -> str:
    return f"{ms(projected.basis_ns):.4g} ms, {projected.basis}"


def _steps(projected: Projected) -> str:
    return f"{_range(projected)} ms = {' '.join(_factor(factor) for factor in projected.factors)}"


def _factor(factor: Factor) -> str:
    value = "" if factor.value == 1 else f"× {factor.value:.2g} "
    uncertainty = "" if factor.reach == 1 else f"×÷ {factor.reach:.3g} "
    return f"{value}{uncertainty}({factor.what})"


def _range(projected: Projected) -> str:
    return f"{_bound(projected.low_ns)}–{_bound(projected.high_ns)}"


def _bound(ns: float) -> str:
    """Write a bound in ms with two digits, or as a whole number: a range is not more exact."""
    value = ms(ns)
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _published(report: Report, rows: Sequence[Run]) -> list[str]:
    figures = ((figure_of(run.nearest_published), run.case) for run in rows if run.nearest_published)
    lines = [f"  nearest to {cases}: {sentence}" for sentence, cases in grouped(figures)]
    if not lines and report.bundle is None:
        return []  # figures are published of networks, and a file does not say which one it is
    if not lines:
        return [f"published for {report.profile.name}: no figure is known"]
    return [f"published for {report.profile.name}, measured by others:", *lines]


def figure_of(published: Published) -> str:
    """Write a published latency with its conditions and its source."""
    threads = "" if published.threads is None else f" with {published.threads} threads"
    conditions = f"; {published.conditions}" if published.conditions else ""
    network = f"{published.network} {published.image_size} {published.precision}"
    case = f"{published.runtime} {network} on {published.provider}{threads}"
    return f"{published.ms:g} ms, {case}{conditions} ({published.source})"


def grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Merge (sentence, case) pairs with the same sentence into (sentence, cases) pairs."""
    groups: dict[str, list[str]] = {}
    for sentence, case in pairs:
        groups.setdefault(sentence, []).append(case)
    return [(sentence, ", ".join(cases)) for sentence, cases in groups.items()]
