"""One run of the harness: a bundle and a profile in, a report out. It knows the order of the steps alone."""

import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from bench.bundle.cpu_class import class_of
from bench.bundle.manifest import Bundle
from bench.bundle.variants import Variant
from bench.devices.telemetry import missing_telemetry
from bench.devices.terms import Terms, differences, fewer_threads, run_options, terms_of
from bench.errors import InputError
from bench.harness.alone import alone
from bench.harness.journal import Journal
from bench.harness.plan import (
    Case,
    Plan,
    PlannedEvaluation,
    cases_of,
    cases_of_models,
    controls_of,
    planned_evaluation,
    providers_of,
    refuse_missing,
)
from bench.harness.run_plan import Outcomes, measure
from bench.harness.worker_process import compile_runtimes, probe_confinement
from bench.progress import Progress
from bench.report.measured_bundle import evaluation_of, record_of
from bench.report.schema import Evaluation, Report, Run
from bench.report.summaries import References
from bench.run import proxy
from bench.run.machine_warnings import confinement_warnings, machine_warnings, pinning_warnings
from bench.run.model_set import ModelSet
from bench.run.projected_rows import with_projections
from bench.run.request import QUICK_IMAGES, BenchmarkRequest
from bench.run.rows import RowContext, row_of_case, row_of_missing
from bench.run_config import RunOptions
from bench.runtimes.installed import installed_version, row_of
from bench.system.cpu_time import read_clock_khz
from bench.system.cpus import cpus_for
from bench.system.host import Host, read_host
from bench.system.memory_limit import find_cgroup
from bench.system.sandbox import Confinement
from bench.system.state import HostState, read_state
from bench.system.thread_variables import SetVariable, sentence_on_cleared, set_variables
from device_profiles.facts import Rate
from device_profiles.profile import Profile
from device_profiles.settings import Sampling
from user_files.wording import counted


@dataclass(frozen=True)
class _PreparedRun:
    """A run before anything is measured."""

    subject: Bundle | ModelSet
    profile: Profile
    request: BenchmarkRequest
    host: Host
    state: HostState
    confinement: Confinement
    terms: Terms
    plan: Plan
    evaluation: Evaluation | None
    variables: tuple[SetVariable, ...]

    @property
    def bundle(self) -> Bundle | None:
        """The bundle; None if model files are measured."""
        return self.subject if isinstance(self.subject, Bundle) else None

    @property
    def models(self) -> ModelSet | None:
        """The model files; None if a bundle is measured."""
        return self.subject if isinstance(self.subject, ModelSet) else None

    @cached_property
    def warnings(self) -> list[str]:
        """The warnings that concern every row."""
        pinned = pinning_warnings(self.host, self.variables)
        if self.terms.provenance == "proxy":
            machine = machine_warnings(self.host, self.state)
            return [*machine, *pinned, *fewer_threads(self.terms, self.host)]
        readings, clock_khz = self.profile.readings, read_clock_khz(self.plan.cases[0].cpus)
        return [
            *machine_warnings(self.host, self.state, self.profile.heat),
            *pinned,
            *fewer_threads(self.terms, self.host),
            *differences(self.terms),
            *([] if readings is None else missing_telemetry(readings, self.state, clock_khz)),
        ]


def benchmark(
    subject: Bundle | ModelSet,
    profile: Profile,
    request: BenchmarkRequest,
    progress: Progress,
    on_report: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure a bundle's artifacts, or model files, on this machine.

    `on_report` receives the report before the journal is deleted. If it raises, nothing is lost and the run
    can be resumed. Raises InputError for an unknown variant, and MissingRuntimeError if a variant that the
    request names has no runtime here. Waits while another command measures on this machine.
    """
    with ExitStack() as turn:
        turn.enter_context(alone(progress))
        return _benchmark(_prepare(subject, profile, request), progress, turn.close, on_report)


def _benchmark(
    job: _PreparedRun,
    progress: Progress,
    end_turn: Callable[[], None],
    on_report: Callable[[Report], None],
) -> Report:
    """Measure. `end_turn` lets other commands measure, before `on_report`: a report's reader may stop."""
    request = job.request
    with Journal(_key(job), request.resume) as journal:
        _report_interrupted_run(journal, request, progress)
        if cleared := sentence_on_cleared(job.variables):
            progress.say(cleared)
        try:
            outcomes = measure(
                job.plan, job.host, job.state.available_bytes, journal, progress, request.created
            )
            host_rates = proxy.host_rates(job.plan, outcomes, job.terms, job.host, request.created, progress)
            report = _report(job, outcomes, host_rates)
            end_turn()
            on_report(report)
        except BaseException:
            if journal.state.examined:
                progress.say("what was measured is kept: run the same command with --resume to continue")
            raise
        journal.finish()
    return report


def _prepare(subject: Bundle | ModelSet, profile: Profile, request: BenchmarkRequest) -> _PreparedRun:
    host = read_host()
    terms = terms_of(profile, host)
    variables = set_variables(os.environ, request.keep_environment)
    options = run_options(terms, host, variables)
    cpus = cpus_for(options.threads)
    if isinstance(subject, Bundle):
        plan, evaluation = _plan_of_bundle(subject, profile, terms, options, cpus, request)
    else:
        cases = cases_of_models(subject.models, profile, terms, options, cpus)
        plan, evaluation = _plan(cases, None, profile, terms, options, cpus, request), None
    compile_runtimes(case.format for case in plan.all_cases)
    return _PreparedRun(
        subject=subject,
        profile=profile,
        request=request,
        host=host,
        state=read_state(),
        confinement=probe_confinement(),
        terms=terms,
        plan=plan,
        evaluation=evaluation,
        variables=variables,
    )


def _plan_of_bundle(
    bundle: Bundle,
    profile: Profile,
    terms: Terms,
    options: RunOptions,
    cpus: tuple[int, ...] | None,
    request: BenchmarkRequest,
) -> tuple[Plan, Evaluation]:
    artifacts = bundle.select(request.only)
    if not artifacts:
        raise InputError(f"{bundle.folder} has no artifact, because no export succeeded; export it again")
    if request.only:
        refuse_missing(artifacts)
    pack = bundle.pack()
    evaluated = pack.first(QUICK_IMAGES) if request.quick else pack
    cases = cases_of(bundle, artifacts, profile, terms, options, cpus, request.excluded_formats)
    images = planned_evaluation(bundle, evaluated)
    plan = _plan(cases, images, profile, terms, options, cpus, request)
    return plan, evaluation_of(bundle, evaluated, len(pack))


def _report(job: _PreparedRun, outcomes: Outcomes, host_rates: tuple[Rate, ...]) -> Report:
    return Report(
        schema=2,
        tool=job.request.tool,
        created=job.request.created,
        name=job.request.name or _name(job.subject),
        quick=job.request.quick,
        host=job.host,
        profile=job.profile,
        proxy=proxy.proxy_of(job.plan, job.terms, job.host, host_rates),
        bundle=None if job.bundle is None else record_of(job.bundle),
        models=None if job.models is None else job.models.record,
        evaluation=job.evaluation,
        runs=_projected(job, _rows(job, outcomes), host_rates),
        confinement=job.confinement,
        variables=job.variables,
        warnings=(
            *job.warnings,
            *([] if job.models is None else job.models.warnings),
            *confinement_warnings(job.confinement),
        ),
    )


def _projected(job: _PreparedRun, rows: tuple[Run, ...], host_rates: tuple[Rate, ...]) -> tuple[Run, ...]:
    if not job.terms.is_another:
        return rows
    bundle = None if job.bundle is None else record_of(job.bundle)
    target = proxy.target_of(job.profile, job.terms, job.host, host_rates, bundle)
    return with_projections(rows, target)


def _plan(
    cases: tuple[Case, ...],
    evaluation: PlannedEvaluation | None,
    profile: Profile,
    terms: Terms,
    options: RunOptions,
    cpus: tuple[int, ...] | None,
    request: BenchmarkRequest,
) -> Plan:
    return Plan(
        cases=cases,
        controls=controls_of(options, cpus),
        sampling=_sampling(profile, terms, request),
        evaluation=evaluation,
        sustained_s=request.sustained_s,
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
    )


def _name(subject: Bundle | ModelSet) -> str:
    return subject.manifest.name if isinstance(subject, Bundle) else subject.record.name


def _identity(subject: Bundle | ModelSet) -> tuple[str, ...]:
    """Return what tells a bundle or model files from all others: where they lie, and their hash."""
    if isinstance(subject, Bundle):
        return (str(subject.folder.resolve()), subject.sha256)
    return (*(str(model.file.path.resolve()) for model in subject.models), subject.record.sha256)


def _sampling(profile: Profile, terms: Terms, request: BenchmarkRequest) -> Sampling:
    """Return how long to measure. A proxy is not cooled, because its heat is not the device's."""
    sampling = profile.quick if request.quick else profile.sampling
    return sampling if terms.provenance == "measured" else sampling.model_copy(update={"cool_to_c": None})


def _key(job: _PreparedRun) -> str:
    """Return the key of a run's journal: its inputs and options, a dash, and its machine and runtimes."""
    requested = (job.request.only, job.request.quick, job.request.sustained_s)
    configs = [(case.config.model_dump_json(), case.cpus) for case in job.plan.all_cases]
    runtimes = {case.format: installed_version(row_of(case.format)) for case in job.plan.cases}
    what = (_identity(job.subject), job.profile.model_dump_json(), requested)
    where = (job.host.model_dump_json(), configs, runtimes, job.request.tool)
    return f"{_hash(what)[:32]}-{_hash(where)[:16]}"


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _report_interrupted_run(journal: Journal, request: BenchmarkRequest, progress: Progress) -> None:
    if request.resume and not journal.was_interrupted and journal.was_interrupted_elsewhere:
        progress.say(
            "an interrupted run of the same is kept, but the machine, its kernel or clock settings, a "
            "runtime or edgefit has changed since, so this run starts from the beginning"
        )
    elif request.resume and not journal.was_interrupted:
        progress.say(
            "no run of the same with these options was interrupted, so this run starts from the beginning"
        )
    elif request.resume:
        done = journal.state
        progress.say(
            f"resuming a run that has examined {counted(len(done.examined), 'case')} and measured "
            f"{counted(done.blocks_measured, 'block')}"
        )
        if journal.dropped:
            progress.say(_sentence_on_dropped(journal.dropped))
    elif journal.was_interrupted:
        progress.say(
            "an earlier run with these options was interrupted; this run starts from the beginning, because "
            "--resume is not given"
        )


def _sentence_on_dropped(lines: range) -> str:
    others = len(lines) - 1
    what = "it" if not others else f"it and the {counted(others, 'line')} after it"
    return (
        f"line {lines[0]} of its journal is incomplete or damaged, as a kill or a loss of power leaves it; "
        f"{what} {'are' if others else 'is'} left out, and measured again"
    )


def _rows(job: _PreparedRun, outcomes: Outcomes) -> tuple[Run, ...]:
    context = RowContext(
        evaluation=job.evaluation,
        profile=job.profile,
        provenance=job.terms.provenance,
        quick=job.request.quick,
        cpu_class=class_of(job.host.architecture, job.host.cpu_features),
        warnings=tuple(job.warnings),
        bundle=None if job.bundle is None else record_of(job.bundle),
    )

    def row(case: Case) -> Run:
        judged = None if job.models is None else job.models.record.judged_output
        references = References.of(case.format, case.config.provider, outcomes, judged)
        return row_of_case(case, outcomes[case.id], context, references)

    options = job.plan.cases[0].config.options
    missing = () if job.request.only or job.bundle is None else job.bundle.manifest.missing
    return (
        *(row(case) for case in job.plan.cases),
        *(
            row_of_missing(variant, options.on(provider), job.terms.provenance)
            for variant in missing
            for provider in providers_of(job.profile, Variant.parse(variant.variant).format)
        ),
        *(row(case) for case in job.plan.controls),
    )
