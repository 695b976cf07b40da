"""Whether a report has the warnings that follow from its figures."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.bundle.cpu_class import class_of
from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.devices.terms import differences, fewer_threads, terms_of
from bench.harness.plan import Case, ModelInputs
from bench.report.schema import Report, Run
from bench.report.summaries import References
from bench.run.machine_warnings import confinement_warnings, machine_warnings, pinning_warnings
from bench.run.projected_rows import with_projections
from bench.run.proxy import target_of
from bench.run.rows import RowContext, row_of_case
from bench.system.state import HostState
from bench.verify.document import VerifiedPart, part

# A machine about which only its own properties can be said.
_CALM = HostState(
    busy_share=0,
    steal_share=0,
    available_bytes=1 << 40,
    swap_used_bytes=0,
    swapped_in_bytes=0,
    on_battery=False,
    temperatures={},
    throttle_counts={},
    throttled_bits=None,
)
_NO_INPUTS = ModelInputs(pack=Path(), sha256="", count=1, output_names=(), has_open_axes=False)


def warnings_part(report: Report, bundle: Bundle | None, is_of_this_version: bool) -> VerifiedPart:
    """Derive the warnings again, and look for each."""
    if not is_of_this_version:
        gap = f"edgefit {report.tool} may have worded them otherwise"
        return part("warnings", None, gaps=[gap])
    of_run = _of_run(report)
    wrong = [f'there is no warning "{warning}"' for warning in of_run if warning not in report.warnings]
    artifacts = {} if bundle is None else {each.variant: each for each in bundle.manifest.artifacts}
    count = len(of_run)
    for run in _derived(report, artifacts):
        stored = next(each for each in report.runs if each.case == run.case)
        count += len(run.warnings)
        wrong += [
            f'{run.case}: there is no warning "{warning}"'
            for warning in run.warnings
            if warning not in stored.warnings
        ]
    gaps = ["load, heat, power and swap of the machine before the run, which no report has"]
    if bundle is None and report.bundle is not None:
        gaps.append("what follows from the bundle's manifest: name it with --bundle")
    return part("warnings", f"{count} that follow from the figures are there", wrong, gaps)


def _of_run(report: Report) -> list[str]:
    """Return the warnings about the whole run that follow from its machine alone."""
    terms = terms_of(report.profile, report.host)
    is_measured = terms.provenance == "measured"
    return [
        *machine_warnings(report.host, _CALM),
        *pinning_warnings(report.host, report.variables),
        *fewer_threads(terms, report.host),
        *(differences(terms) if is_measured else []),
        *([] if report.confinement is None else confinement_warnings(report.confinement)),
    ]


def _derived(report: Report, artifacts: dict[str, ArtifactRecord]) -> Iterator[Run]:
    """Yield each completed variant with its warnings, derived as `edgefit bench` does."""
    context = RowContext(
        evaluation=report.evaluation,
        profile=report.profile,
        provenance=terms_of(report.profile, report.host).provenance,
        quick=report.quick,
        cpu_class=class_of(report.host.architecture, report.host.cpu_features),
        bundle=report.bundle,
    )
    outcomes = {run.case: run.outcome for run in report.runs}
    judged = None if report.models is None else report.models.judged_output
    rows = []
    for run in report.runs:
        if run.completed is None or not run.is_variant:
            continue
        references = References.of(run.format, run.config.provider, outcomes, judged)
        cases = _cases(report, run, artifacts.get(run.variant))
        first, *others = [row_of_case(case, run.completed, context, references) for case in cases]
        certain = [warning for warning in first.warnings if all(warning in row.warnings for row in others)]
        rows.append(first.model_copy(update={"warnings": tuple(certain)}))
    yield from _with_those_of_projections(report, rows)


def _with_those_of_projections(report: Report, rows: list[Run]) -> list[Run]:
    terms = terms_of(report.profile, report.host)
    if not terms.is_another:
        return rows
    rates = () if report.proxy is None else report.proxy.host_rates
    return list(with_projections(rows, target_of(report.profile, terms, report.host, rates, report.bundle)))


def _cases(report: Report, run: Run, artifact: ArtifactRecord | None) -> list[Case]:
    """Return the case of a row. Without its manifest there are two that it may be: with a recipe that
    explains all that ran in float, and without a recipe."""
    case = Case(
        variant=run.variant,
        format=run.format,
        entry=Path(),
        files=(),
        engine=None,
        config=run.config,
        cpus=None,
        inputs=(),
        size_bytes=run.size_bytes or 0,
        precision=run.precision,
        digest=None,
        excluded_modules=() if artifact is None else artifact.excluded_modules,
        artifact=artifact,
        model=None if report.models is None else _NO_INPUTS,
    )
    if artifact is not None or report.models is not None:
        return [case]
    executed = None if run.completed is None else run.completed.executed
    in_float = [] if executed is None else [each for each in executed.operators if each.precision != "int8"]
    explained = replace(case, excluded_modules=tuple(operator.name for operator in in_float))
    return [explained, replace(case, model=_NO_INPUTS)]
