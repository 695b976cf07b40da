"""Networks side by side: reports of one run in, their comparison out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bundle.model_set import NetworkCounts
from bench.bundle.variants import Variant, choose
from bench.choose.candidates import Candidate, JudgedBy, ranked_and_others
from bench.choose.pareto import front
from bench.compare.against import against
from bench.compare.document import NetworkComparison, NetworkRow
from bench.errors import InputError
from bench.report.comparability import subject_differences
from bench.report.joint_runs import took_turns, why_not_same_answers
from bench.report.schema import Report, Run
from bench.runtimes.providers import case_id
from bench.statistics.wilson import wilson_interval


@dataclass(frozen=True)
class _Named:
    """A row of a report, and what it is called among those of all networks."""

    network: str
    name: str
    report: Report
    run: Run


def compare_networks(reports: Sequence[Report], baseline: str | None = None) -> NetworkComparison:
    """Compare the networks of reports of one run.

    `baseline`: the network, or the row, that the others are compared with; None for the first network. Raises
    InputError if the reports were not measured together, are of one network, or lack the baseline.
    """
    if not reports:
        raise InputError("the comparison has no report; compare the networks again")
    _require_one_run(reports)
    rows = [named for report in reports for named in _rows_of(report)]
    networks = tuple(dict.fromkeys(row.network for row in rows))
    if len(networks) < 2:
        raise InputError(
            f"'{networks[0]}' is the only network; give two or more bundles or model files to compare"
        )
    name = networks[0] if baseline is None else _chosen(baseline, networks, rows)
    judged: JudgedBy = "accuracy" if _are_comparable(reports) else "nothing"
    ranked, others = ranked_and_others([(row.name, row.report, row.run) for row in rows], judged)
    best = {candidate.name for candidate in front(ranked)}
    first = reports[0]
    return NetworkComparison(
        tool=first.tool,
        created=first.created,
        profile=first.profile.name,
        cpu=first.host.cpu,
        quick=first.quick,
        networks=networks,
        baseline=name,
        judged_by=judged,
        rows=tuple(
            _row(row, rows, name, on_front=row.name in best, not_ranked=dict(others).get(row.name))
            for row in rows
        ),
        notes=tuple(_notes(reports, name)),
    )


def _require_one_run(reports: Sequence[Report]) -> None:
    first, *others = reports
    for report in (first, *others):
        if report.joint_run is None or not took_turns(report, first):
            raise InputError(
                f"the report '{report.name}' was not measured together with the others; measure the networks "
                "with edgefit compare, and give all reports that it wrote"
            )


def _rows_of(report: Report) -> list[_Named]:
    variants = [run for run in report.runs if run.is_variant]
    if report.models is not None:
        return [_Named(run.variant, run.case, report, run) for run in variants]
    return [_Named(report.name, f"{report.name}/{run.case}", report, run) for run in variants]


def _chosen(baseline: str, networks: Sequence[str], rows: Sequence[_Named]) -> str:
    """Return the name of a network or of a row; raises InputError if there is none of that name."""
    return choose(baseline, list(dict.fromkeys([*networks, *(row.name for row in rows)])), "baseline")


def _are_comparable(reports: Sequence[Report]) -> bool:
    """Tell whether all networks have accuracy, of the same images."""
    first, *others = reports
    has_accuracy = all(each.evaluation is not None and each.evaluation.gap is None for each in reports)
    return has_accuracy and all(why_not_same_answers(each, first) is None for each in others)


def _row(
    row: _Named, rows: Sequence[_Named], baseline: str, on_front: bool, not_ranked: str | None
) -> NetworkRow:
    run, summary, figures = row.run, row.run.summary, row.run.accuracy
    opposite = _opposite(row, rows, baseline)
    counts = _counts(row)
    projected = run.projected
    right = None if figures is None else figures.top1
    images = None if figures is None or right is None else figures.images
    is_one_decision = figures is not None and figures.decided == figures.images
    auc = None if figures is None else figures.macro_auc if figures.auc is None else figures.auc
    return NetworkRow(
        name=row.name,
        network=row.network,
        case=run.case,
        format=run.format,
        precision=run.precision,
        config=run.config,
        runtime=run.runtime,
        provenance=run.provenance,
        status=run.status,
        reason=run.reason,
        p50_ns=None if summary is None else summary.latency.p50_ns,
        p50_ci95_ns=None if summary is None else summary.latency.p50_ci95_ns,
        projected_ns=None if projected is None else (projected.low_ns, projected.high_ns),
        memory_bytes=None if run.completed is None else run.completed.memory.highest_bytes,
        size_bytes=run.size_bytes,
        images=images,
        accuracy=right,
        accuracy_ci95=wilson_interval(round(right * images), images)
        if right is not None and images is not None and is_one_decision
        else None,
        auc=auc,
        macs=None if counts is None else counts.macs,
        parameters=None if counts is None else counts.parameters,
        on_front=on_front,
        not_ranked=not_ranked,
        against=against(_candidate(row), _candidate(opposite)) if isinstance(opposite, _Named) else None,
        against_gap=opposite if isinstance(opposite, str) else None,
    )


def _candidate(row: _Named) -> Candidate:
    return Candidate(row.name, row.report, row.run)


def _counts(row: _Named) -> NetworkCounts | None:
    model = row.report.model_of(row.run)
    if model is not None:
        return model.counts
    return None if row.report.bundle is None else row.report.bundle.counts


def _opposite(row: _Named, rows: Sequence[_Named], baseline: str) -> _Named | str | None:
    """Return the row to compare one with, or why there is none; None for the baseline itself."""
    if baseline in (row.network, row.name):
        return None
    own = [each for each in rows if baseline in (each.network, each.name)]
    same = own if len(own) == 1 else [each for each in own if _kind(each) == _kind(row)]
    if row.run.status != "completed":
        return f"it was {row.run.status}"
    if not same:
        return f"{baseline} has no {case_id(*_kind(row))}"
    if same[0].run.status != "completed":
        return f"{same[0].name} was {same[0].run.status}"
    return same[0]


def _kind(row: _Named) -> tuple[str, str]:
    """Return the format and precision of a row, as variants are called, and its provider."""
    precision = row.run.precision
    assert precision is not None
    return str(Variant(row.run.format, precision)), row.run.config.provider


def _notes(reports: Sequence[Report], baseline: str) -> list[str]:
    """Return what differs between each bundle and the baseline's, and what is not compared for that."""
    names = {named.name: report for report in reports for named in _rows_of(report)}
    networks = {named.network: report for report in reports for named in _rows_of(report)}
    first = networks.get(baseline) or names[baseline]
    notes = []
    for report in reports:
        if report is first or report.bundle is None or first.bundle is None:
            continue
        notes += [f"{report.name}: {each}" for each in subject_differences(report.bundle, first.bundle)]
        if (reason := why_not_same_answers(report, first)) is not None:
            notes.append(f"the accuracy of {report.name} is not compared with {first.name}'s: {reason}")
    return notes
