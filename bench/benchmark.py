"""One run of the harness: a bundle and a profile in, a report out. It knows the order, not the details."""

from dataclasses import dataclass

from bench.bundle import ArtifactRecord, Bundle
from bench.errors import InputError, MissingRuntimeError
from bench.evaluation_pack import EvaluationPack
from bench.harness.doubts import doubts_of
from bench.harness.measure import measure
from bench.harness.plan import Plan, cases_of, threads_of
from bench.host import Host, cpus_for, read_host, read_state
from bench.progress import Progress
from bench.reports.records import BundleRecord, Evaluation, Report
from bench.rows import row_of_case, row_of_failed_export
from bench.runtimes.table import is_installed, missing_sentence, row_of
from device_profiles.profile import Profile

QUICK_IMAGES = 128


@dataclass(frozen=True)
class BenchmarkOptions:
    """`only`: the variants to measure, all if empty; `quick`: the profile's short sampling and 128 images;
    `name`: the report's, else the bundle's.
    """

    only: tuple[str, ...] = ()
    quick: bool = False
    name: str | None = None


def benchmark(
    bundle: Bundle, profile: Profile, options: BenchmarkOptions, progress: Progress, tool: str, created: str
) -> Report:
    """Measure a bundle's artifacts on this machine.

    `tool` is edgefit's version, `created` an ISO-8601 time. Raises InputError for an unknown variant and
    MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    artifacts = bundle.select(options.only)
    if not artifacts:
        raise InputError(f"{bundle.folder}: holds no artifact, for every export failed; export it again")
    if options.only:
        _refuse_missing(artifacts)
    pack = bundle.pack()
    judged = pack.first(QUICK_IMAGES) if options.quick else pack
    host, state = read_host(), read_state()
    threads = _threads(profile, host)
    plan = Plan(
        cases=cases_of(bundle, artifacts, threads, cpus_for(threads)),
        sampling=profile.quick if options.quick else profile.sampling,
        pack=(bundle.folder / bundle.manifest.pack.file.path).resolve(),
        images=len(judged),
        classes=len(bundle.manifest.model.classes),
    )
    outcomes = measure(plan, state.available_bytes, progress)
    evaluation = _evaluation(bundle, judged, len(pack))
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
        runs=(
            *(row_of_case(case, outcomes[case.variant], evaluation, profile) for case in plan.cases),
            *(
                row_of_failed_export(one, threads, profile)
                for one in bundle.manifest.failed
                if not options.only
            ),
        ),
        warnings=tuple(doubts_of(host, state)),
    )


def _threads(profile: Profile, host: Host) -> int:
    threads = threads_of(profile, host.physical_cores)
    if threads > host.usable_cpus:
        raise InputError(
            f"profile {profile.name} asks for {threads} threads, and here are {host.usable_cpus} usable "
            "CPUs; give a profile with fewer 'threads'"
        )
    return threads


def _refuse_missing(artifacts: list[ArtifactRecord]) -> None:
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
