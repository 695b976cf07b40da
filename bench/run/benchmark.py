"""One run of the harness: a bundle and a profile in, a report out. It knows the order, not the details."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.bundle.cpu_class import class_of
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.variants import Variant
from bench.devices.telemetry import missing_telemetry
from bench.devices.terms import Terms, differences, fewer_threads, terms_of
from bench.errors import InputError
from bench.harness.journal import Journal
from bench.harness.measure import Outcomes, measure
from bench.harness.plan import Case, Plan, cases_of, controls_of, providers_of, refuse_missing
from bench.harness.worker_process import ask_confinement, compile_runtimes
from bench.progress import Progress
from bench.report.measured_bundle import record_of
from bench.report.schema import Evaluation, Report, Run
from bench.report.summaries import References
from bench.run import proxy
from bench.run.machine_warnings import confinement_warnings, machine_warnings
from bench.run.projected_rows import with_projections
from bench.run.rows import raw_of, row_of_case, row_of_failed_export
from bench.runtimes.table import installed_version, row_of
from bench.system.cpu_time import read_clock_khz
from bench.system.host import Host, cpus_for, read_host
from bench.system.memory_limit import find_cgroup
from bench.system.sandbox import Confinement
from bench.system.state import HostState, read_state
from device_profiles.facts import Rate
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

QUICK_IMAGES = 128


@dataclass(frozen=True)
class BenchmarkOptions:
    """`only`: the variants to measure, all if empty; `quick`: the profile's short sampling and 128 images;
    `name`: the report's, else the bundle's; `sustained_s`: seconds of each case without a pause, None for no
    such pass; `resume`: go on with a run of the same bundle, profile and options that was cut off;
    `left_out`: formats that are not measured here, each with the reason.
    """

    only: tuple[str, ...] = ()
    quick: bool = False
    name: str | None = None
    sustained_s: float | None = None
    resume: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """Everything that is settled before anything is measured."""

    bundle: Bundle
    profile: Profile
    options: BenchmarkOptions
    host: Host
    state: HostState
    confinement: Confinement
    terms: Terms
    plan: Plan
    evaluation: Evaluation
    tool: str
    created: str

    @cached_property
    def warnings(self) -> list[str]:
        """What concerns every row."""
        if self.terms.provenance == "proxy":
            return [*machine_warnings(self.host, self.state), *fewer_threads(self.terms, self.host)]
        readings, clock_khz = self.profile.readings, read_clock_khz(self.plan.cases[0].cpus)
        return [
            *machine_warnings(self.host, self.state, self.profile.heat),
            *fewer_threads(self.terms, self.host),
            *differences(self.terms),
            *([] if readings is None else missing_telemetry(readings, self.state, clock_khz)),
        ]


def benchmark(
    bundle: Bundle,
    profile: Profile,
    options: BenchmarkOptions,
    progress: Progress,
    tool: str,
    created: str,
    on_report: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure a bundle's artifacts on this machine.

    `tool` is edgefit's version, `created` an ISO-8601 time. `on_report` is given the report while the journal
    is still there: if it raises, the run can be resumed and nothing is lost. Raises InputError for an unknown
    variant and MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    job = _prepare(bundle, profile, options, tool, created)
    with Journal(_key(job), options.resume) as journal:
        _say_what_was_cut_off(journal, options, progress)
        try:
            outcomes = measure(job.plan, job.host, job.state.available_bytes, journal, progress, created)
            host_rates = proxy.host_rates(job.plan, outcomes, job.terms, job.host, created, progress)
            report = _report(job, outcomes, host_rates)
            on_report(report)
        except BaseException:
            if journal.found.examined:
                progress.say("cut off: the same command with --resume goes on from here")
            raise
        journal.finish()
    return report


def _prepare(bundle: Bundle, profile: Profile, options: BenchmarkOptions, tool: str, created: str) -> _Job:
    artifacts = bundle.select(options.only)
    if not artifacts:
        raise InputError(f"{bundle.folder}: holds no artifact, for every export failed; export it again")
    if options.only:
        refuse_missing(artifacts)
    pack = bundle.pack()
    judged = pack.first(QUICK_IMAGES) if options.quick else pack
    host = read_host()
    terms = terms_of(profile, host)
    planned = _plan(bundle, artifacts, profile, terms, options, host, len(judged))
    compile_runtimes(case.format for case in planned.everything)
    return _Job(
        bundle=bundle,
        profile=profile,
        options=options,
        host=host,
        state=read_state(),
        confinement=ask_confinement(),
        terms=terms,
        plan=planned,
        evaluation=_evaluation(bundle, judged, len(pack)),
        tool=tool,
        created=created,
    )


def _report(job: _Job, outcomes: Outcomes, host_rates: tuple[Rate, ...]) -> Report:
    return Report(
        schema=2,
        tool=job.tool,
        created=job.created,
        name=job.options.name or job.bundle.manifest.name,
        quick=job.options.quick,
        host=job.host,
        profile=job.profile,
        proxy=proxy.record_of(job.plan, job.terms, job.host, host_rates),
        bundle=record_of(job.bundle),
        evaluation=job.evaluation,
        runs=_projected(job, _rows(job, outcomes), host_rates),
        confinement=job.confinement,
        warnings=(*job.warnings, *confinement_warnings(job.confinement)),
    )


def _projected(job: _Job, rows: tuple[Run, ...], host_rates: tuple[Rate, ...]) -> tuple[Run, ...]:
    if not job.terms.is_another:
        return rows
    model = job.bundle.manifest.model
    target = proxy.target_of(job.profile, job.terms, job.host, host_rates, model)
    return with_projections(rows, target)


def _plan(
    bundle: Bundle,
    artifacts: Sequence[ArtifactRecord],
    profile: Profile,
    terms: Terms,
    options: BenchmarkOptions,
    host: Host,
    images: int,
) -> Plan:
    threads = min(terms.threads, host.usable_cpus)
    cpus = cpus_for(threads)
    return Plan(
        cases=cases_of(bundle, artifacts, profile, terms, threads, cpus, options.left_out),
        controls=controls_of(threads, cpus),
        sampling=_sampling(profile, terms, options),
        pack=(bundle.folder / bundle.manifest.pack.file.path).resolve(),
        pack_sha256=bundle.manifest.pack.file.sha256,
        images=images,
        classes=len(bundle.manifest.model.classes),
        sustained_s=options.sustained_s,
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
    )


def _sampling(profile: Profile, terms: Terms, options: BenchmarkOptions) -> Sampling:
    """Return how long to measure; a proxy is not cooled, as its heat is not the device's."""
    sampling = profile.quick if options.quick else profile.sampling
    return sampling if terms.provenance == "measured" else sampling.model_copy(update={"cool_to_c": None})


def _key(job: _Job) -> str:
    """Return what tells one run's journal from another's."""
    asked = (job.options.only, job.options.quick, job.options.sustained_s)
    runtimes = {case.format: installed_version(row_of(case.format)) for case in job.plan.cases}
    what = (str(job.bundle.folder.resolve()), job.bundle.sha256, job.profile.model_dump_json(), asked)
    where = (job.host.model_dump_json(), job.plan.cases[0].cpus, runtimes, job.tool)
    return hashlib.sha256(repr((what, where)).encode()).hexdigest()[:32]


def _say_what_was_cut_off(journal: Journal, options: BenchmarkOptions, progress: Progress) -> None:
    if options.resume and not journal.was_cut_off:
        progress.say(
            "nothing to resume: no run of this bundle with these options was cut off; beginning anew"
        )
    elif options.resume:
        done = journal.found
        progress.say(
            f"resuming: {len(done.examined)} cases examined, {done.blocks_run} blocks measured before"
        )
    elif journal.was_cut_off:
        progress.say("an earlier run like this was cut off and is begun anew; --resume would have gone on")


def _rows(job: _Job, outcomes: Outcomes) -> tuple[Run, ...]:
    raws = {(case.variant, case.provider): raw_of(outcomes[case.key]) for case in job.plan.everything}

    def row(case: Case) -> Run:
        return row_of_case(
            case,
            outcomes[case.key],
            job.evaluation,
            job.profile,
            job.terms.provenance,
            job.options.quick,
            References.of(case.format, case.provider, raws),
            class_of(job.host.architecture, job.host.cpu_features),
            job.warnings,
        )

    threads = job.plan.cases[0].threads
    failed = () if job.options.only else job.bundle.manifest.failed
    return (
        *(row(case) for case in job.plan.cases),
        *(
            row_of_failed_export(one, provider, threads, job.terms.provenance)
            for one in failed
            for provider in providers_of(job.profile, Variant.parse(one.variant).format)
        ),
        *(row(case) for case in job.plan.controls),
    )


def _evaluation(bundle: Bundle, judged: EvaluationPack, pack_images: int) -> Evaluation:
    return Evaluation(
        labels=tuple(int(label) for label in judged.labels),
        reference_logits=tuple(tuple(float(logit) for logit in row) for row in judged.reference_logits),
        positive_class=bundle.manifest.pack.positive_class,
        pack_images=pack_images,
    )
