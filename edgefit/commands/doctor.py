"""`edgefit doctor`: what a machine can run, and what will disturb a measurement. It parses and prints."""

import json
import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output

if TYPE_CHECKING:
    from rich.table import Table

    from bench.system.host import Host
    from bench.system.power import Meter, NoMeter
    from bench.system.sandbox import Confinement
    from bench.system.state import HostState
    from bench.system.thread_variables import SetVariable


@dataclass(frozen=True)
class _MachineReport:
    """What edgefit found out about this machine or a board."""

    host: "Host"
    state: "HostState"
    meter: "Meter | NoMeter"
    runtimes: dict[str, str | None]
    """The version of each format's runtime; None if it is missing."""
    missing: dict[str, str]
    """What to do about each runtime, if it is missing."""
    confinement: "Confinement | None"
    """How artifacts are confined; None for a board, where no worker was started."""
    variables: "tuple[SetVariable, ...]"
    """The variables of the environment there that change how libraries compute or allocate."""
    extra_rows: dict[str, str]
    """Rows that only a board has."""


def doctor(
    on: Annotated[
        str | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Check this board instead of this machine. edgefit installs nothing on it.",
        ),
    ] = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show what this machine or a board can run, and what will disturb a measurement.

    \b
    Examples:
      edgefit doctor
      edgefit doctor --on ssh://pi@raspberrypi.local
    """
    from bench.render.lines import line_of
    from bench.run.machine_warnings import confinement_warnings, machine_warnings, pinning_warnings
    from bench.system.power import NoMeter

    output = Output(as_json)
    machine = _this_machine() if on is None else _board(on)
    warnings = machine_warnings(machine.host, machine.state)
    warnings += pinning_warnings(machine.host, machine.variables)
    if machine.confinement is not None:
        warnings += confinement_warnings(machine.confinement)
    output.show(_table(machine))
    for sentence in warnings:
        output.show(line_of(("warning:", "yellow"), f" {sentence}"))
    if not warnings:
        output.show("edgefit found nothing that will disturb a measurement")
    meter = machine.meter
    document = {
        "host": machine.host.model_dump(),
        "state": machine.state.model_dump(),
        "runtimes": machine.runtimes,
        "energy": None if isinstance(meter, NoMeter) else {"method": meter.method, "domain": meter.domain},
        "energy_reason": meter.reason if isinstance(meter, NoMeter) else None,
        "variables": [variable.model_dump() for variable in machine.variables],
        "confinement": None if machine.confinement is None else machine.confinement.model_dump(),
        "warnings": warnings,
    }
    output.document(json.dumps(document))
    if on is not None:
        output.next_step(f"edgefit bench BUNDLE --on {shlex.quote(on)}")


def _this_machine() -> _MachineReport:
    from bench.harness.worker_process import probe_confinement
    from bench.runtimes.formats import FORMATS
    from bench.runtimes.installed import installed_version, missing_sentence
    from bench.system.host import read_host
    from bench.system.operating_system import require_linux
    from bench.system.power import find_meter
    from bench.system.state import read_state
    from bench.system.thread_variables import set_variables

    require_linux("edgefit doctor")
    return _MachineReport(
        host=read_host(),
        state=read_state(),
        meter=find_meter(),
        runtimes={name: installed_version(row) for name, row in FORMATS.items()},
        missing={name: missing_sentence(row) for name, row in FORMATS.items()},
        confinement=probe_confinement(),
        variables=set_variables(os.environ),
        extra_rows={},
    )


def _board(on: str) -> _MachineReport:
    """Probe a board; raises BoardError if edgefit cannot measure there."""
    from bench.remote.board import probe_board
    from bench.remote.job_spec import exclusion_reason
    from bench.remote.targets import parse_target
    from bench.runtimes.formats import FORMATS
    from bench.system.thread_variables import set_variables
    from bench.units import mib

    probe = probe_board(parse_target(on))
    probe.refuse_unusable()
    facts = probe.facts
    installed_later = "edgefit bench --on installs it"
    removal = f"edgefit clean --on {shlex.quote(on)}"
    return _MachineReport(
        host=probe.host,
        state=probe.state,
        meter=probe.meter,
        runtimes={name: facts.modules.get(row.needs) for name, row in FORMATS.items()},
        missing={
            name: exclusion_reason(name, (), probe.system_modules) or installed_later for name in FORMATS
        },
        confinement=None,
        variables=set_variables(facts.variables),
        extra_rows={
            "disk": f"{facts.disk_free_bytes / 2**30:.1f} GiB free at {facts.store}",
            "edgefit": f"{mib(facts.store_bytes):.0f} MiB; remove it with: {removal}"
            if facts.store_bytes
            else "not installed yet",
        },
    )


def _table(machine: _MachineReport) -> "Table":
    from rich.table import Table

    from bench.render.lines import line, line_of
    from bench.system.power import NoMeter

    host, state, meter = machine.host, machine.state, machine.meter
    table = Table(box=None, show_header=False, pad_edge=False)
    if host.emulated is not None:
        table.add_row("emulated", line(f"{host.emulated}: its speed is not the device's"))
    table.add_row("machine", line(f"{host.board or host.cpu}, {host.architecture}"))
    table.add_row("cores", line(host.cores_in_words))
    table.add_row("threads", line(_threads(host)))
    table.add_row("features", line(" ".join(host.cpu_features) or "none that speed up inference"))
    table.add_row(
        "memory", f"{state.available_bytes / 2**30:.1f} of {host.memory_bytes / 2**30:.1f} GiB free"
    )
    table.add_row("system", line(f"{host.os}, kernel {host.kernel}, Python {host.python}"))
    for name, value in machine.extra_rows.items():
        table.add_row(name, line(value))
    table.add_row("environment", line(_variables(machine.variables)))
    table.add_row("governor", line(host.governor or "the kernel reports none"))
    table.add_row("hottest", line(_hottest(state.temperatures)))
    energy = meter.reason if isinstance(meter, NoMeter) else f"{meter.method}: {meter.domain}"
    table.add_row("energy", line(energy))
    table.add_row("confinement", line(_confinement(machine.confinement)))
    table.add_row("accelerators", line(", ".join(host.accelerators) or "no driver reports one"))
    for name, version in machine.runtimes.items():
        missing = line_of(("missing:", "yellow"), f" {machine.missing[name]}")
        table.add_row(name, missing if version is None else line(version))
    return table


def _threads(host: "Host") -> str:
    """Return how many threads an inference gets by default, and which CPUs edgefit may use."""
    may_use = host.may_use or f"edgefit may use all {host.usable_cpus} CPUs"
    return f"{host.threads} for an inference; {may_use}"


def _variables(variables: "tuple[SetVariable, ...]") -> str:
    if not variables:
        return "sets no variable that decides threads or kernels"
    return ", ".join(
        f"{variable.assignment} ({'kept' if variable.kept else 'cleared'})" for variable in variables
    )


def _confinement(confinement: "Confinement | None") -> str:
    return "a run on the board reports it" if confinement is None else confinement.in_words


def _hottest(temperatures: dict[str, float]) -> str:
    if not temperatures:
        return "the kernel reports no temperature"
    name, degrees = max(temperatures.items(), key=lambda zone: zone[1])
    return f"{name} at {degrees:.0f} °C"
