"""One run of the harness: bundles or model files in, reports out. It knows the order of the steps alone."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from bench.bundle.cpu_class import class_of
from bench.bundle.manifest import Bundle
from bench.bundle.variants import Variant
from bench.devices.telemetry import missing_telemetry
from bench.devices.terms import Terms, differences, fewer_threads, run_options, terms_of
from bench.harness.alone import alone
from bench.harness.journal import Journal
from bench.harness.plan import (
    Case,
    Plan,
    controls_of,
    providers_of,
)
from bench.harness.run_plan import Outcomes, measure
from bench.harness.worker_process import compile_runtimes, probe_confinement
from bench.progress import Progress
from bench.report.schema import Report, Run
from bench.report.summaries import References
from bench.run import proxy
from bench.run.announced_time import sentence_on_time
from bench.run.machine_warnings import confinement_warnings, machine_warnings, pinning_warnings
from bench.run.model_set import ModelSet
from bench.run.parts import MeasuredSubject, ReportPart, part_of
from bench.run.projected_rows import with_projections
from bench.run.request import BenchmarkRequest
from bench.run.rows import RowContext, row_of_case, row_of_missing
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

    parts: tuple[ReportPart, ...]
    profile: Profile
    request: BenchmarkRequest
    host: Host
    state: HostState
    confinement: Confinement
    terms: Terms
    plan: Plan
    variables: tuple[SetVariable, ...]
    is_joint: bool
    """Whether networks are compared."""

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

    @property
    def joint_run(self) -> str | None:
        """What tells the run from all others, in the reports of all that took turns in it."""
        return _hash((_key(self), self.request.created)) if self.is_joint else None


def benchmark(
    subject: Bundle | ModelSet,
    profile: Profile,
    request: BenchmarkRequest,
    progress: Progress,
    on_report: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure a bundle's artifacts, or model files, on this machine: see benchmark_together."""
    with ExitStack() as turn:
        turn.enter_context(alone(progress))
        job = _prepare([MeasuredSubject(subject)], profile, request, is_joint=False)
        (report,) = _benchmark(job, progress, turn.close, lambda reports: on_report(reports[0]))
    return report


def benchmark_together(
    measured: Sequence[MeasuredSubject],
    profile: Profile,
    request: BenchmarkRequest,
    progress: Progress,
    on_reports: Callable[[Sequence[Report]], None] = lambda _reports: None,
) -> tuple[Report, ...]:
    """Measure bundles and model files on this machine, all of them taking turns. Return a report for each.

    `on_reports` receives the reports before the journal is deleted. If it raises, nothing is lost and the run
    can be resumed. Raises InputError for an unknown variant, and MissingRuntimeError if a variant that the
    request names has no runtime here. Waits while another command measures on this machine.
    """
    with ExitStack() as turn:
        turn.enter_context(alone(progress))
        job = _prepare(measured, profile, request, is_joint=True)
        return _benchmark(job, progress, turn.close, on_reports)


def _benchmark(
    job: _PreparedRun,
    progress: Progress,
    end_turn: Callable[[], None],
    on_reports: Callable[[Sequence[Report]], None],
) -> tuple[Report, ...]:
    """Measure. `end_turn` lets other commands measure, before `on_reports`: their reader may stop."""
    request = job.request
    with Journal(_key(job), request.resume) as journal:
        _report_interrupted_run(journal, request, progress)
        if cleared := sentence_on_cleared(job.variables):
            progress.say(cleared)
        progress.say(sentence_on_time(job.plan))
        try:
            outcomes = measure(
                job.plan, job.host, job.state.available_bytes, journal, progress, request.created
            )
            host_rates = proxy.host_rates(job.plan, outcomes, job.terms, job.host, request.created, progress)
            reports = tuple(_report(job, part, outcomes, host_rates) for part in job.parts)
            end_turn()
            on_reports(reports)
        except BaseException:
            if journal.state.examined:
                progress.say("what was measured is kept: run the same command with --resume to continue")
            raise
        journal.finish()
    return reports


def _prepare(
    measured: Sequence[MeasuredSubject], profile: Profile, request: BenchmarkRequest, is_joint: bool
) -> _PreparedRun:
    host = read_host()
    terms = terms_of(profile, host)
    variables = set_variables(os.environ, request.keep_environment)
    options = run_options(terms, host, variables)
    cpus = cpus_for(options.threads)
    parts = tuple(part_of(each, profile, terms, options, cpus, request, is_joint) for each in measured)
    cases = tuple(case for part in parts for case in part.cases)
    plan = Plan(
        cases=cases,
        controls=controls_of(options, cpus),
        sampling=_sampling(profile, terms, request),
        seconds=request.seconds,
        sustained_s=request.sustained_s,
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
    )
    compile_runtimes(case.format for case in plan.all_cases)
    return _PreparedRun(
        parts=parts,
        profile=profile,
        request=request,
        host=host,
        state=read_state(),
        confinement=probe_confinement(),
        terms=terms,
        plan=plan,
        variables=variables,
        is_joint=is_joint,
    )


def _report(job: _PreparedRun, part: ReportPart, outcomes: Outcomes, host_rates: tuple[Rate, ...]) -> Report:
    return Report(
        schema=2,
        tool=job.request.tool,
        created=job.request.created,
        name=job.request.name or part.name,
        quick=job.request.quick,
        seconds=job.request.seconds,
        host=job.host,
        profile=job.profile,
        proxy=proxy.proxy_of(job.plan, job.terms, job.host, host_rates),
        bundle=part.bundle_record,
        models=part.models_record,
        evaluation=part.evaluation,
        runs=_projected(job, part, _rows(job, part, outcomes), host_rates),
        confinement=job.confinement,
        variables=job.variables,
        joint_run=job.joint_run,
        warnings=(
            *job.warnings,
            *([] if part.models is None else part.models.warnings),
            *confinement_warnings(job.confinement),
        ),
    )


def _projected(
    job: _PreparedRun, part: ReportPart, rows: tuple[Run, ...], host_rates: tuple[Rate, ...]
) -> tuple[Run, ...]:
    if not job.terms.is_another:
        return rows
    target = proxy.target_of(job.profile, job.terms, job.host, host_rates, part.bundle_record)
    return with_projections(rows, target)


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
    requested = (job.request.only, job.request.quick, job.request.sustained_s, job.request.seconds)
    configs = [(case.config.model_dump_json(), case.cpus) for case in job.plan.all_cases]
    runtimes = {case.format: installed_version(row_of(case.format)) for case in job.plan.cases}
    identities = tuple(_identity(part.measured.subject) for part in job.parts)
    subject = identities[0] if len(identities) == 1 else identities
    what = (subject, job.profile.model_dump_json(), requested)
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


def _rows(job: _PreparedRun, part: ReportPart, outcomes: Outcomes) -> tuple[Run, ...]:
    context = RowContext(
        evaluation=part.evaluation,
        profile=job.profile,
        provenance=job.terms.provenance,
        quick=job.request.quick,
        cpu_class=class_of(job.host.architecture, job.host.cpu_features),
        warnings=tuple(job.warnings),
        bundle=part.bundle_record,
    )
    cases = (*part.cases, *job.plan.controls)
    own = {case.row: outcomes[case.id] for case in cases}

    def row(case: Case) -> Run:
        judged = None if part.models is None else part.models.record.judged_output
        references = References.of(case.format, case.config.provider, own, judged)
        return row_of_case(case, own[case.row], context, references)

    options = part.cases[0].config.options
    missing = () if job.request.only or part.bundle is None else part.bundle.manifest.missing
    return (
        *(row(case) for case in part.cases),
        *(
            row_of_missing(variant, options.on(provider), job.terms.provenance)
            for variant in missing
            for provider in providers_of(job.profile, Variant.parse(variant.variant).format)
        ),
        *(row(case) for case in job.plan.controls),
    )
