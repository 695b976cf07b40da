"""Profiles, and how a machine compares with them, for the terminal. It is pure: it prints nothing."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.devices.matching import Detection, ProfileMatch
from bench.devices.projection.from_published import ISA_RULE
from bench.render.lines import line
from bench.system.host import Host
from device_profiles.facts import Figure, NotFound, Published, Rate
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

_UNITS = {"copy": "GB/s"}


def profiles_view(profiles: Sequence[Profile]) -> RenderableType:
    """List profiles with their descriptions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("profile", no_wrap=True)
    table.add_column("description", ratio=1)
    for profile in profiles:
        table.add_row(line(profile.name), line(profile.description))
    return table


def profile_view(profile: Profile) -> RenderableType:
    """Show all of a profile, each figure with its kind and source."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(ratio=2)
    table.add_column(no_wrap=True)
    table.add_column(ratio=3, style="dim", overflow="fold")
    for cells in _rows(profile):
        table.add_row(*(line(cell) for cell in cells))
    title = line(f"{profile.name}: {profile.description}", "bold")
    return Group(title, *map(line, _remarks(profile)), table)


def detection_view(host: Host, detection: Detection) -> RenderableType:
    """Show which profile this machine matches and why, or the nearest one and what differs."""
    where = f"{host.board or host.cpu}, {host.architecture}, {host.cores_in_words}"
    lines = [line(f"this machine: {where}")]
    for match in detection.matches:
        lines.append(line(f"it matches {match.profile}", "bold green"))
        lines += _compared(match)
    if not detection.matches:
        lines.append(line("it matches no profile", "bold"))
        if detection.nearest is not None:
            lines.append(line(f"the nearest profile is {detection.nearest.profile}"))
            lines += _compared(detection.nearest)
    if host.emulated is not None:
        lines.append(
            line(
                f"it is emulated ({host.emulated}): results are the device's, but its speed is not; "
                "every latency measured here is a proxy",
                "yellow",
            )
        )
    return Group(*lines)


def _compared(profile_match: ProfileMatch) -> list[Text]:
    agrees = [line(f"  agrees   {sentence}") for sentence in profile_match.agrees]
    return agrees + [line(f"  differs  {sentence}", "yellow") for sentence in profile_match.differs]


def _remarks(profile: Profile) -> Iterator[str]:
    if profile.proxy_only is not None:
        yield f"edgefit cannot run on it, so every latency is a proxy: {profile.proxy_only}"
    if profile.processor is not None and not profile.processor.multiplies_int8_fast:
        slow, fast = ISA_RULE
        yield f"the CPU has no int8 dot product; expect int8 to be {slow} to {fast} times as fast as fp32"


_Cells = tuple[str, str, str, str]


def _rows(profile: Profile) -> Iterator[_Cells]:
    if (match := profile.match) is not None:
        boards = " or ".join(f"its board model begins with '{name}'" for name in match.board)
        cpus = " or ".join(f"its CPU's name contains '{name}'" for name in match.cpu)
        yield "matched by", ", and ".join(filter(None, (boards, cpus))), "", ""
    if (processor := profile.processor) is not None:
        yield "core", f"{processor.core} ({processor.architecture}, {processor.family})", "", ""
        yield _figure("cores", processor.cores)
        yield _figure("clock", processor.clock_mhz, " MHz")
        yield _figure("features", processor.features)
    if (memory := profile.memory) is not None:
        yield _figure("memory", memory.sizes_mb, " MiB")
        yield _figure("left free", memory.left_free_mb, " MiB")
        if memory.bandwidth_gb_s is not None:
            yield _figure("bandwidth", memory.bandwidth_gb_s, " GB/s")
    for rate in profile.rates:
        yield _rate(rate)
    for accelerator in profile.accelerators:
        yield "accelerator", f"{accelerator.name}, memory {accelerator.memory}", "", ""
        if accelerator.peak is not None:
            yield _figure("  peak", accelerator.peak)
    for system in profile.systems:
        yield "system", f"{system.name}: Python {system.python}, glibc {system.glibc}", "", system.source
    if profile.heat is not None:
        yield _figure("throttles at", profile.heat.throttles_at_c, " °C")
    if (readings := profile.readings) is not None:
        interfaces = (readings.clock, readings.temperature, readings.throttling, readings.power)
        yield "readings", ", ".join(name for name in interfaces if name), "", readings.source
    for format_name, choice in profile.runtimes.items():
        runs = ", ".join(choice.providers) or f"not at all: {choice.reason}"
        yield format_name, runs, "", choice.install or ""
    for latency in profile.published:
        yield _published(latency)
    for name, sampling in (("sampling", profile.sampling), ("--quick", profile.quick)):
        yield name, _sampling(sampling), sampling.kind, sampling.source
    yield "threads", str(profile.threads), "", ""
    if profile.memory_cap_mb is not None:
        yield "memory cap", f"{profile.memory_cap_mb} MiB per case", "", ""
    limits = profile.budget
    figures = (
        ("p95", limits.p95_ms, "ms"),
        ("memory", limits.memory_mb, "MiB"),
        ("size", limits.size_mb, "MB"),
    )
    shown = [f"{name} {limit:g} {unit}" for name, limit, unit in figures if limit is not None]
    shown += [f"retention {limits.retention:g}"] if limits.retention is not None else []
    yield "budget", ", ".join(shown) or "no limits", limits.kind, limits.source


def _figure(name: str, figure: Figure | NotFound, unit: str = "") -> _Cells:  # type: ignore[type-arg]
    if isinstance(figure, NotFound):
        return name, "not found", "", figure.not_found
    value = figure.value
    between = " or " if unit else ", "
    shown = between.join(str(part) for part in value) if isinstance(value, tuple) else f"{value}"
    shown = f"{value:g}" if isinstance(value, float) else shown
    return name, f"{shown}{unit}", figure.kind, _source(figure.source, figure.conditions)


def _rate(rate: Rate) -> _Cells:
    cores = f"{rate.cores} core{'' if rate.cores == 1 else 's'}"
    after = f", after {rate.after_load_s:g} s of load" if rate.after_load_s else ""
    name = f"{rate.operation} {rate.precision or ''}".strip()
    value = f"{rate.value:g} {_UNITS.get(rate.operation, 'GMAC/s')} on {cores}{after}"
    meanwhile = [f"{rate.clock_mhz:g} MHz"] if rate.clock_mhz is not None else []
    meanwhile += [f"{rate.temperature_c:g} °C"] if rate.temperature_c is not None else []
    meanwhile += (
        [f"relative range of the samples {rate.relative_range:.0%}"]
        if rate.relative_range is not None
        else []
    )
    meanwhile += [rate.runtime] if rate.runtime is not None else []
    conditions = "; ".join([*([rate.conditions] if rate.conditions else []), *meanwhile])
    return name, value, rate.kind, _source(rate.source, conditions or None)


def _published(latency: Published) -> _Cells:
    count = latency.threads
    threads = "" if count is None else f", {count} thread{'' if count == 1 else 's'}"
    what = f"{latency.network} {latency.image_size} {latency.precision} on {latency.provider}{threads}"
    source = _source(latency.source, latency.conditions)
    return latency.runtime, f"{latency.ms:g} ms  {what}", latency.kind, source


def _source(source: str, conditions: str | None) -> str:
    return source if conditions is None else f"{conditions}; {source}"


def _sampling(sampling: Sampling) -> str:
    processes = ", ".join(map(str, sampling.check_after_processes))
    noun = "process" if processes == "1" else "processes"
    blocks = f"{sampling.blocks} blocks of {sampling.block_samples}"
    cool = "" if sampling.cool_to_c is None else f", after cooling to {sampling.cool_to_c:g} °C"
    return f"{processes} {noun}, {blocks}, {sampling.time_limit_s:g} s per group{cool}"
