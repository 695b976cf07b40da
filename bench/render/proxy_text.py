"""What a report says of the device that its machine stands in for: terms, projections, publications. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from bench.devices.projection.projected import Factor, Projected
from bench.report.schema import Proxy, Report, Run
from device_profiles.facts import Published

Names = Mapping[tuple[str, str], str]


def terms(report: Report) -> list[str]:
    """Say that this machine is not the device, how it was held to it, and what its latencies are not."""
    found = report.proxy
    if found is None:
        return []
    host, processor, profile = report.host, report.profile.processor, report.profile
    if profile.proxy_only is not None:
        what = f"edgefit does not run on {profile.name} ({profile.proxy_only}), and {host.cpu} stands in"
    elif found.emulated is not None:
        what = f"this machine is emulated ({found.emulated})"
    else:
        device = "" if processor is None else f" ({processor.core}, {processor.cores.value} cores)"
        here = f"{host.cpu} ({host.architecture}, {host.physical_cores} cores)"
        what = f"{here} is no {profile.name}{device}"
    return [f"proxy: {what}; its latencies are not the device's", *_memory(report, found)]


def _memory(report: Report, found: Proxy) -> list[str]:
    if found.memory_limit_mb is None:
        return []
    held = {
        "control group": "held to while it loads and first infers, by a control group of the kernel",
        "measured peak": "judged by the measured peak, as no control group can be made here",
        None: "",
    }[found.memory_held_by]
    limit = f"{found.memory_limit_mb:.0f} MiB, {found.memory_limit_is or 'as on ' + report.profile.name}"
    return [f"memory of a case: {limit}; {held}"]


def projected_text(run: Run) -> str:
    """Return a row's projected range for the table, `–` where there is none."""
    return "–" if run.projected_ms is None else _range(run.projected_ms)


def projections(report: Report, names: Names) -> list[str]:
    """Say of each range what it is made of, of each row without one why, and what others have published."""
    rows = [run for run in report.runs if run.is_variant]
    if all(run.projected_ms is None and run.projection_reason is None for run in rows):
        return []
    found = [(run, run.projected_ms) for run in rows if run.projected_ms is not None]
    lines = []
    if found:
        sentence = "ranges and not measurements; ×÷ is by which factor a step may be off"
        lines.append(f"projected for {report.profile.name}: {sentence}")
    for basis in dict.fromkeys(_basis(one) for _, one in found):
        lines.append(f"  from {basis}:")
        said = ((_steps(one), names[run.case]) for run, one in found if _basis(one) == basis)
        lines += [f"    {called}: {sentence}" for sentence, called in grouped(said)]
    reasons = ((run.projection_reason, names[run.case]) for run in rows if run.projection_reason is not None)
    lines += [f"not projected: {called}: {sentence}" for sentence, called in grouped(reasons)]
    return lines + _published(report, rows, names)


def _basis(found: Projected) -> str:
    return f"{found.basis_ms:.4g} ms, {found.basis}"


def _steps(found: Projected) -> str:
    return f"{_range(found)} ms = {' '.join(_factor(factor) for factor in found.factors)}"


def _factor(factor: Factor) -> str:
    value = "" if factor.value == 1 else f"× {factor.value:.2g} "
    reach = "" if factor.reach == 1 else f"×÷ {factor.reach:.3g} "
    return f"{value}{reach}({factor.what})"


def _range(found: Projected) -> str:
    return f"{_ms(found.low)}–{_ms(found.high)}"


def _ms(value: float) -> str:
    """Write a bound with two digits or whole: a range is no more exact."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _published(report: Report, rows: Sequence[Run], names: Names) -> list[str]:
    said = ((figure_of(run.nearest_published), names[run.case]) for run in rows if run.nearest_published)
    lines = [f"  nearest to {called}: {sentence}" for sentence, called in grouped(said)]
    if not lines:
        return [f"published of {report.profile.name}: nothing is known"]
    return [f"published of {report.profile.name}, measured by others:", *lines]


def figure_of(one: Published) -> str:
    """Write a published latency with its conditions and its source."""
    threads = "" if one.threads is None else f" with {one.threads} threads"
    conditions = f"; {one.conditions}" if one.conditions else ""
    case = f"{one.runtime} {one.network} {one.image_size} {one.precision} on {one.provider}{threads}"
    return f"{one.ms:g} ms, {case}{conditions} ({one.source})"


def grouped(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Merge what is said of several rows in the same words."""
    groups: dict[str, list[str]] = {}
    for sentence, name in said:
        groups.setdefault(sentence, []).append(name)
    return [(sentence, ", ".join(called)) for sentence, called in groups.items()]
