"""Whether the conditions of a report follow from its machine and profile, and its projections from both."""

from collections.abc import Iterator

from bench.bundle.signature import batch_of
from bench.devices.terms import Terms, run_options, terms_of
from bench.harness.plan import providers_of
from bench.report.files import first_difference
from bench.report.schema import Report, Run
from bench.run.projected_rows import with_projections
from bench.run.proxy import target_of
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import row_of
from bench.verify.document import VerifiedPart, part
from device_profiles.loading import shipped_profiles
from device_profiles.profile import Profile


def conditions_part(report: Report) -> VerifiedPart:
    """Compare provenance, threads, providers and runtimes with what machine and profile give."""
    terms = terms_of(report.profile, report.host)
    wrong = [*_of_proxy(report, terms)]
    for run in report.runs:
        wrong += [f"{run.case}: {sentence}" for sentence in _of_row(report, run, terms)]
    checked = (
        f"'{terms.provenance}' follows from the machine and profile {report.profile.name}; threads, batch, "
        "variables, provider, runtime and precision of each row are those of its case"
    )
    return part("conditions", checked, wrong, _of_profile(report.profile))


def _of_profile(profile: Profile) -> list[str]:
    """Say that a profile is the user's own: its name is no proof of what it holds."""
    if profile in shipped_profiles():
        return []
    return [f"the profile {profile.name}, which is not, or not so, one that comes with this edgefit"]


def _of_proxy(report: Report, terms: Terms) -> Iterator[str]:
    if (report.proxy is not None) != (terms.provenance == "proxy"):
        given = "null" if report.proxy is None else "given"
        yield f"'proxy' is {given}, and the machine makes provenance {terms.provenance}"
        return
    if report.proxy is None:
        return
    if report.proxy.emulated != report.host.emulated:
        yield "'proxy.emulated' is not that of the machine"
    if report.proxy.memory_limit_bytes != terms.memory_limit_bytes:
        yield "'proxy.memory_limit_bytes' is not that of the profile"
    match = terms.profile_match
    if match is not None and len(report.proxy.differs) != len(match.differs):
        yield f"'proxy.differs' names {len(report.proxy.differs)} properties, and {len(match.differs)} differ"


def _of_row(report: Report, run: Run, terms: Terms) -> Iterator[str]:
    if run.provenance != terms.provenance:
        yield f"provenance is {run.provenance}, and the machine makes it {terms.provenance}"
    options = run_options(terms, report.host, report.variables)
    if run.config.options != options:
        yield f"measured with {run.config.options.label}, and the profile gives {options.label} here"
    if run.is_variant:
        yield from _of_variant(report, run)


def _of_variant(report: Report, run: Run) -> Iterator[str]:
    assert run.precision is not None
    model = report.model_of(run)
    if model is None and run.variant != f"{run.format}-{run.precision.value}":
        yield f"variant is {run.variant}, format {run.format} and precision {run.precision.value}"
    batch = 1 if model is None else batch_of(model.inputs, model.signature.outputs)
    if run.config.batch != batch:
        yield f"batch is {run.config.batch}, and the file's is {batch}"
    if run.format not in FORMATS:
        yield f"'{run.format}' is no format"
        return
    if run.config.provider not in providers_of(report.profile, run.format):
        yield f"ran on {run.config.provider}, which the profile does not name for {run.format}"
    runtime, needs = run.runtime, row_of(run.format).needs
    if runtime is not None and not runtime.startswith(f"{needs} "):
        yield f"ran on {runtime}, and {run.format} runs on {needs}"


def projections_part(report: Report, is_of_this_version: bool) -> VerifiedPart:
    """Project each row again from the profile and what is published."""
    terms = terms_of(report.profile, report.host)
    projected = [
        run for run in report.runs if run.projection is not None or run.nearest_published is not None
    ]
    if not terms.is_another:
        wrong = [f"{run.case}: is projected, and this is no proxy for a device" for run in projected]
        return (
            part("projections", "none is needed", wrong) if wrong else part("projections", "there are none")
        )
    ranges = "each range follows from its own basis and factors"
    if not is_of_this_version:
        gap = f"the basis of each, because edgefit {report.tool} may have known other published figures"
        return part("projections", ranges, gaps=[gap])
    rates = () if report.proxy is None else report.proxy.host_rates
    target = target_of(report.profile, terms, report.host, rates, report.bundle)
    wrong = [
        f"{run.case}: '{key}' is not what profile and published figures give"
        for run, again in zip(report.runs, with_projections(report.runs, target), strict=True)
        for key in ("projection", "nearest_published")
        if first_difference(run.model_dump()[key], again.model_dump()[key]) is not None
    ]
    return part("projections", f"{len(projected)} rows from profile, rates and published figures", wrong)
