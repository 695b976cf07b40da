"""`edgefit doctor`: what a machine can run, and what will disturb a measurement. It parses and prints."""

import json
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


@dataclass(frozen=True)
class _Patient:
    """What is known of a machine. `runtimes`: by format, the version, None with what to do in `missing`.

    `confinement`: see Report; None for a board, on which no worker was started.
    """

    host: "Host"
    state: "HostState"
    meter: "Meter | NoMeter"
    runtimes: dict[str, str | None]
    missing: dict[str, str]
    confinement: "Confinement | None"
    more: dict[str, str]


def doctor(
    on: Annotated[
        str | None,
        typer.Option(metavar="ssh://[user@]host[:port]", help="Look at this board; nothing is put on it."),
    ] = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Say what this machine, or a board, can run, and what will disturb a measurement.

    \b
    Examples:
      edgefit doctor
      edgefit doctor --on ssh://pi@raspberrypi.local
    """
    from rich.markup import escape

    from bench.run.machine_warnings import confinement_warnings, machine_warnings
    from bench.system.power import NoMeter

    output = Output(as_json)
    patient = _here() if on is None else _there(on)
    warnings = machine_warnings(patient.host, patient.state)
    if patient.confinement is not None:
        warnings += confinement_warnings(patient.confinement)
    output.show(_table(patient))
    for sentence in warnings:
        output.show(f"[yellow]warning:[/yellow] {escape(sentence)}")
    if not warnings:
        output.show("nothing here will disturb a measurement that edgefit knows of")
    meter = patient.meter
    document = {
        "host": patient.host.model_dump(),
        "state": patient.state.model_dump(),
        "runtimes": patient.runtimes,
        "energy": None if isinstance(meter, NoMeter) else {"method": meter.method, "domain": meter.domain},
        "energy_reason": meter.reason if isinstance(meter, NoMeter) else None,
        "confinement": None if patient.confinement is None else patient.confinement.model_dump(),
        "warnings": warnings,
    }
    output.document(json.dumps(document))
    if on is not None:
        output.next_step(f"edgefit bench BUNDLE --on {on}")


def _here() -> _Patient:
    from bench.harness.worker_process import ask_confinement
    from bench.runtimes.table import RUNTIMES, installed_version, missing_sentence
    from bench.system.host import read_host
    from bench.system.power import find_meter
    from bench.system.state import read_state

    return _Patient(
        host=read_host(),
        state=read_state(),
        meter=find_meter(),
        runtimes={name: installed_version(row) for name, row in RUNTIMES.items()},
        missing={name: missing_sentence(row) for name, row in RUNTIMES.items()},
        confinement=ask_confinement(),
        more={},
    )


def _there(on: str) -> _Patient:
    """Look at a board; raises BoardError where edgefit could not work there."""
    from bench.remote.job_spec import why_left_out
    from bench.remote.targets import parse_target
    from bench.remote.visits import look_at
    from bench.runtimes.table import RUNTIMES

    found = look_at(parse_target(on))
    found.refuse_unusable()
    facts = found.facts
    brought = "bench brings it"
    return _Patient(
        host=found.host,
        state=found.state,
        meter=found.meter,
        runtimes={name: facts.modules.get(row.needs) for name, row in RUNTIMES.items()},
        missing={name: why_left_out(name, (), found.own_modules) or brought for name in RUNTIMES},
        confinement=None,
        more={
            "disk": f"{facts.disk_free_bytes / 2**30:.1f} GiB free at {facts.store}",
            "edgefit": f"{facts.held_bytes / 2**20:.0f} MiB there: edgefit clean --on {on}"
            if facts.held_bytes
            else "nothing there yet",
        },
    )


def _table(patient: _Patient) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from bench.system.power import NoMeter

    host, state, meter = patient.host, patient.state, patient.meter
    table = Table(box=None, show_header=False, pad_edge=False)
    if host.emulated is not None:
        table.add_row("emulated", escape(f"{host.emulated}: its speed is not the device's"))
    machine = f"{host.board or host.cpu}, {host.architecture}, {host.physical_cores} cores"
    table.add_row("machine", escape(machine))
    table.add_row("features", " ".join(host.cpu_features) or "none that matter to inference")
    table.add_row(
        "memory", f"{state.available_bytes / 2**30:.1f} of {host.memory_bytes / 2**30:.1f} GiB free"
    )
    table.add_row("system", escape(f"{host.os}, kernel {host.kernel}, Python {host.python}"))
    for name, value in patient.more.items():
        table.add_row(name, escape(value))
    table.add_row("governor", host.governor or "the kernel names none")
    table.add_row("hottest", _hottest(state.temperatures))
    measures = meter.reason if isinstance(meter, NoMeter) else f"{meter.method}: {meter.domain}"
    table.add_row("energy", escape(measures))
    table.add_row("sandbox", escape(_sandbox(patient.confinement)))
    table.add_row("accelerators", ", ".join(host.accelerators) or "no driver offers one")
    for name, version in patient.runtimes.items():
        table.add_row(name, version or f"[yellow]missing:[/yellow] {escape(patient.missing[name])}")
    return table


def _sandbox(confinement: "Confinement | None") -> str:
    return "a run there says what artifacts cannot do" if confinement is None else confinement.in_words


def _hottest(temperatures: dict[str, float]) -> str:
    if not temperatures:
        return "the kernel names no temperature"
    name, degrees = max(temperatures.items(), key=lambda zone: zone[1])
    return f"{name} at {degrees:.0f} °C"
