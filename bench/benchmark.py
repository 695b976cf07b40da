"""One run of the harness: a bundle and a profile in, a report out. It knows the order, not the details."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.bundle import ArtifactRecord, Bundle
from bench.errors import InputError, MissingRuntimeError
from bench.evaluation_pack import EvaluationPack
from bench.harness.doubts import doubts_of
from bench.harness.journal import Journal
from bench.harness.measure import Outcomes, measure
from bench.harness.plan import Case, Plan, cases_of, companions_of, threads_of
from bench.machine.host import Host, cpus_for, read_host
from bench.machine.state import HostState, read_state
from bench.progress import Progress
from bench.reports.records import BundleRecord, Evaluation, Report, Run
from bench.reports.summaries import References
from bench.rows import raw_of, row_of_case, row_of_failed_export
from bench.runtimes.table import is_installed, missing_sentence, row_of
from device_profiles.profile import Profile

QUICK_IMAGES = 128
_BYTES_PER_MIB = 1 << 20


@dataclass(frozen=True)
class BenchmarkOptions:
    """`only`: the variants to measure, all if empty; `quick`: the profile's short sampling and 128 images;
    `name`: the report's, else the bundle's; `sustained_s`: seconds of each case without a pause, None for no
    such pass; `resume`: go on with a run of the same bundle, profile and options that was cut off.
    """

    only: tuple[str, ...] = ()
    quick: bool = False
    name: str | None = None
    sustained_s: float | None = None
    resume: bool = False


def benchmark(
    bundle: Bundle,
    profile: Profile,
    options: BenchmarkOptions,
    progress: Progress,
    tool: str,
    created: str,
    deliver: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure a bundle's artifacts on this machine.

    `tool` is edgefit's version, `created` an ISO-8601 time. `deliver` is given the report while the journal
    is still there: if it raises, the run can be resumed and nothing is lost. Raises InputError for an unknown
    variant and MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    artifacts = bundle.select(options.only)
    if not artifacts:
        raise InputError(f"{bundle.folder}: holds no artifact, for every export failed; export it again")
    if options.only:
        _refuse_missing(artifacts)
    pack = bundle.pack()
    judged = pack.first(QUICK_IMAGES) if options.quick else pack
    host, state = read_host(), read_state()
    plan = _plan(bundle, artifacts, profile, options, host, len(judged))
    with Journal(_key(bundle, profile, options, host, tool), options.resume) as journal:
        _say_what_was_cut_off(journal, options, progress)
        try:
            outcomes = measure(plan, host, state.available_bytes, journal, progress, created)
            evaluation = _evaluation(bundle, judged, len(pack))
            report = _report(bundle, plan, outcomes, evaluation, profile, options, host, state, tool, created)
            deliver(report)
        except BaseException:
            if journal.found.examined:
                progress.say("cut off: the same command with --resume goes on from here")
            raise
        journal.finish()
    return report


def _report(
    bundle: Bundle,
    plan: Plan,
    outcomes: Outcomes,
    evaluation: Evaluation,
    profile: Profile,
    options: BenchmarkOptions,
    host: Host,
    state: HostState,
    tool: str,
    created: str,
) -> Report:
    return Report(
        schema=1,
        tool=tool,
        created=created,
        name=options.name or bundle.manifest.name,
        quick=options.quick,
        host=host,
        profile=profile,
        bundle=_bundle_record(bundle),
        evaluation=evaluation,
        runs=_rows(bundle, plan, outcomes, evaluation, profile, options, host, state),
        warnings=tuple(doubts_of(host, state)),
    )


def _plan(
    bundle: Bundle,
    artifacts: Sequence[ArtifactRecord],
    profile: Profile,
    options: BenchmarkOptions,
    host: Host,
    images: int,
) -> Plan:
    threads = min(threads_of(profile, host.physical_cores), host.usable_cpus)
    cpus = cpus_for(threads)
    cap = None if profile.memory_cap_mb is None else profile.memory_cap_mb * _BYTES_PER_MIB
    return Plan(
        cases=cases_of(bundle, artifacts, threads, cpus, cap),
        companions=companions_of(threads, cpus),
        sampling=profile.quick if options.quick else profile.sampling,
        pack=(bundle.folder / bundle.manifest.pack.file.path).resolve(),
        pack_sha256=bundle.manifest.pack.file.sha256,
        images=images,
        classes=len(bundle.manifest.model.classes),
        sustained_s=options.sustained_s,
    )


def _key(bundle: Bundle, profile: Profile, options: BenchmarkOptions, host: Host, tool: str) -> str:
    """Return what tells one run's journal from another's."""
    asked = (options.only, options.quick, options.sustained_s)
    parts = (str(bundle.folder.resolve()), bundle.sha256, profile.model_dump_json(), asked)
    return hashlib.sha256(repr((*parts, host.model_dump_json(), tool)).encode()).hexdigest()[:32]


def _say_what_was_cut_off(journal: Journal, options: BenchmarkOptions, progress: Progress) -> None:
    if options.resume and not journal.was_cut_off:
        progress.say(
            "nothing to resume: no run of this bundle with these options was cut off; beginning anew"
        )
    elif options.resume:
        done = journal.found
        progress.say(f"resuming: {len(done.examined)} cases examined, {done.turns} turns taken before")
    elif journal.was_cut_off:
        progress.say("an earlier run like this was cut off and is begun anew; --resume would have gone on")


def _rows(
    bundle: Bundle,
    plan: Plan,
    outcomes: Outcomes,
    evaluation: Evaluation,
    profile: Profile,
    options: BenchmarkOptions,
    host: Host,
    state: HostState,
) -> tuple[Run, ...]:
    raws = {variant: raw_of(outcome) for variant, outcome in outcomes.items()}
    doubts = [*doubts_of(host, state), *_fewer_threads(profile, host)]

    def row(case: Case) -> Run:
        outcome, references = outcomes[case.variant], References.of(case.format, raws)
        return row_of_case(case, outcome, evaluation, profile, plan.sampling, references, doubts)

    threads = plan.cases[0].threads
    failed = () if options.only else bundle.manifest.failed
    return (
        *(row(case) for case in plan.cases),
        *(row_of_failed_export(one, threads, profile) for one in failed),
        *(row(case) for case in plan.companions),
    )


def _fewer_threads(profile: Profile, host: Host) -> list[str]:
    asked = threads_of(profile, host.physical_cores)
    if asked <= host.usable_cpus:
        return []
    sentence = (
        f"the profile asks for {asked} threads and here are {host.usable_cpus} usable CPUs: measured with "
        f"{host.usable_cpus} threads; a machine with {asked} will be faster"
    )
    return [sentence]


def _refuse_missing(artifacts: Sequence[ArtifactRecord]) -> None:
    for artifact in artifacts:
        if not is_installed(row := row_of(artifact.format)):
            raise MissingRuntimeError(f"{artifact.variant}: {missing_sentence(row)}")


def _evaluation(bundle: Bundle, judged: EvaluationPack, pack_images: int) -> Evaluation:
    return Evaluation(
        labels=tuple(int(label) for label in judged.labels),
        reference_logits=tuple(tuple(float(logit) for logit in row) for row in judged.reference_logits),
        positive_class=bundle.manifest.pack.positive_class,
        pack_images=pack_images,
    )


def _bundle_record(bundle: Bundle) -> BundleRecord:
    model = bundle.manifest.model
    return BundleRecord(
        sha256=bundle.sha256,
        name=bundle.manifest.name,
        model=model.arch,
        weights=model.weights,
        data=model.data,
        image_size=model.image_size,
        classes=model.classes,
        pack_sha256=bundle.manifest.pack.file.sha256,
    )
