"""What a run on a proxy adds to the report: this host's rates, the proxy record, the projection's target.

It measures only by calibration, and knows no row.
"""

from bench.bundle.source_record import SourceKind
from bench.devices.projection.projected import ProjectionTarget
from bench.devices.projection.publications import scaling_between
from bench.devices.terms import Terms
from bench.errors import CalibrationError
from bench.harness.calibration import measure_rates
from bench.harness.plan import Plan
from bench.harness.run_plan import Outcomes
from bench.progress import Progress
from bench.report.schema import BundleRecord, MemoryHolder, Proxy
from bench.system.host import Host
from device_profiles.facts import Rate
from device_profiles.loading import shipped_profiles
from device_profiles.profile import Profile


def host_rates(
    plan: Plan, outcomes: Outcomes, terms: Terms, host: Host, created: str, progress: Progress
) -> tuple[Rate, ...]:
    """Measure this machine's own rates, where projections will be based on them."""
    ran = [case for case in plan.cases if outcomes[case.id].status == "completed"]
    formats = list(dict.fromkeys(case.format for case in ran))
    if not formats or not terms.is_another or host.emulated is not None:
        return ()
    source = f"edgefit bench, {created[:10]}, this host"
    try:
        return tuple(measure_rates(formats, plan.cases[0].config, source, progress))
    except CalibrationError as error:  # the measurements before it must not be lost
        progress.say(
            f"this machine's rates could not be measured ({error}); some rows will have no projection"
        )
        return ()


def proxy_of(plan: Plan, terms: Terms, host: Host, rates: tuple[Rate, ...]) -> Proxy | None:
    """Return how this machine differs from the profile's device, and how its memory was limited."""
    if terms.provenance == "measured":
        return None
    limit, match = terms.memory_limit, terms.profile_match
    memory_held_by: MemoryHolder = "measured peak" if plan.memory_cgroup is None else "control group"
    return Proxy(
        agrees=() if match is None else match.agrees,
        differs=() if match is None else match.differs,
        emulated=host.emulated,
        memory_limit_bytes=None if limit is None else limit.count,
        memory_limit_is=None if limit is None else limit.origin,
        memory_held_by=None if limit is None else memory_held_by,
        host_rates=rates,
    )


def _network(bundle: BundleRecord) -> str:
    """Return the network's name as published figures have it; nothing where a source does not say which one
    it is."""
    if bundle.source is None:
        return bundle.model
    return bundle.model.rpartition("/")[2] if bundle.source is SourceKind.TORCHVISION else ""


def target_of(
    profile: Profile, terms: Terms, host: Host, rates: tuple[Rate, ...], bundle: BundleRecord | None
) -> ProjectionTarget:
    """Return the device that a run's rows are projected to, with the known rates of other devices.

    `bundle`: what was measured, whose network's published latencies are the nearest; None for model files, of
    which no name of a network is known.
    """
    profiles = shipped_profiles()
    return ProjectionTarget(
        device=profile,
        profiles=profiles,
        scaling=scaling_between(profiles),
        threads=terms.threads,
        host_rates=rates,
        host_features=host.cpu_features,
        emulated=host.emulated,
        network="" if bundle is None else _network(bundle),
        image_size=0 if bundle is None else bundle.image_size or 0,
    )
