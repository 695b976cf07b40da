"""`edgefit check` of two model files. They are one pair, whatever their names and their formats."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.bundle.model_set import InputsRecord, ModelSetRecord
from bench.devices.terms import run_options, terms_of
from bench.gate.check_job import CheckJob
from bench.gate.document import Checked
from bench.gate.judging_outputs import OTHER_INPUTS
from bench.gate.options import CheckOptions
from bench.gate.paired_runs import sampling_of
from bench.gate.side_by_side import check_side_by_side
from bench.harness.plan import Case, Plan, PlannedModel, cases_of_models
from bench.progress import Progress
from bench.report.comparability import require_same_task, subject_differences
from bench.run.model_inputs import InputsSource, RandomInputs
from bench.run.model_set import ModelSet, Shapes
from bench.system.cpus import cpus_for
from bench.system.host import read_host
from bench.system.memory_limit import find_cgroup
from bench.system.thread_variables import set_variables
from device_profiles.profile import Profile

# 125 are the fewest that can show the smallest agreement (see bench.statistics.accuracy.least_agreement).
RANDOM_ITEMS = 128


@contextmanager
def opened_models(
    candidate: Path,
    baseline: Path,
    shapes: Shapes,
    source: InputsSource | None = None,
    judged_output: str | None = None,
) -> Iterator[tuple[PlannedModel, PlannedModel]]:
    """Open a candidate and a baseline, which may be the same file, with enough inputs to compare outputs.

    `source` has their inputs; None: random values. `judged_output`: the only output that is judged. Raises
    the errors of ModelSet.
    """
    is_same = candidate.exists() and baseline.exists() and candidate.samefile(baseline)
    paths = [candidate] if is_same else [candidate, baseline]
    with ModelSet(paths, shapes, source or RandomInputs(RANDOM_ITEMS), judged_output) as models:
        yield models.models[0], models.models[-1]


def check_models(
    candidate: PlannedModel,
    baseline: PlannedModel,
    profile: Profile,
    options: CheckOptions,
    progress: Progress,
    tool: str,
    created: str,
) -> Checked:
    """Compare a candidate model file with a baseline model file on this machine.

    Raises InputError if their inputs differ in number, type or shape.
    """
    return check_side_by_side(_job(candidate, baseline, profile, options), progress, tool, created)


def _job(
    candidate: PlannedModel, baseline: PlannedModel, profile: Profile, options: CheckOptions
) -> CheckJob:
    """Settle which cases are compared, and how. Raises the errors of check_models."""
    after, before = (ModelSetRecord(models=(model.record,)) for model in (candidate, baseline))
    require_same_task(after, before)
    host = read_host()
    terms = terms_of(profile, host)
    variables = set_variables(os.environ, options.keep_environment)
    common = run_options(terms, host, variables)
    cpus = cpus_for(common.threads)
    name = candidate.file.path.name
    candidate_cases, baseline_cases = (
        {case.id: case for case in cases_of_models([model.named(name)], profile, terms, common, cpus)}
        for model in (candidate, baseline)
    )
    return CheckJob(
        compared="models",
        candidate=after,
        baseline=before,
        profile=profile,
        options=options,
        host=host,
        terms=terms,
        run_options=common,
        variables=variables,
        plan=Plan(
            cases=tuple(baseline_cases.values()),
            controls=(),
            sampling=sampling_of(profile.sampling),
            memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
        ),
        baseline_cases=_with_only_provider(baseline_cases, candidate_cases),
        candidate_cases=candidate_cases,
        inputs=_inputs(candidate, baseline),
        notes=tuple(subject_differences(after, before)),
    )


def _with_only_provider(baseline: Mapping[str, Case], candidate: Mapping[str, Case]) -> Mapping[str, Case]:
    """Return the baseline's cases by the candidate's ids: a single one is paired on any provider."""
    if len(baseline) == len(candidate) == 1:
        return dict(zip(candidate, baseline.values(), strict=True))
    return baseline


def _inputs(candidate: PlannedModel, baseline: PlannedModel) -> InputsRecord | str:
    """Return the inputs of both, or why their outputs cannot be compared."""
    values = candidate.record.values
    return values if values.sha256 == baseline.record.values.sha256 else OTHER_INPUTS
