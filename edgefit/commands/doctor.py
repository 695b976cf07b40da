"""`edgefit doctor`: what this machine can run, and what will disturb a measurement. It parses and prints."""

import json

from edgefit.options import AsJson
from edgefit.terminal import Output


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can run, and what will disturb a measurement."""
    from rich.markup import escape
    from rich.table import Table

    from bench.harness.doubts import doubts_of
    from bench.machine.energy import NoMeter, find_meter
    from bench.machine.host import read_host
    from bench.machine.state import read_state
    from bench.runtimes.table import RUNTIMES, installed_version, missing_sentence

    output = Output(as_json)
    host, state = read_host(), read_state()
    doubts, meter = doubts_of(host, state), find_meter()
    runtimes = {name: installed_version(row) for name, row in RUNTIMES.items()}
    table = Table(box=None, show_header=False, pad_edge=False)
    if host.emulated is not None:
        table.add_row("emulated", escape(f"{host.emulated}: its speed is not the device's"))
    table.add_row("machine", f"{host.board or host.cpu}, {host.architecture}, {host.physical_cores} cores")
    table.add_row("features", " ".join(host.cpu_features) or "none that matter to inference")
    table.add_row(
        "memory", f"{state.available_bytes / 2**30:.1f} of {host.memory_bytes / 2**30:.1f} GiB free"
    )
    table.add_row("system", f"{host.os}, kernel {host.kernel}, Python {host.python}")
    table.add_row("governor", host.governor or "the kernel names none")
    table.add_row("hottest", _hottest(state.temperatures))
    measures = meter.reason if isinstance(meter, NoMeter) else f"{meter.method}: {meter.domain}"
    table.add_row("energy", escape(measures))
    table.add_row("accelerators", ", ".join(host.accelerators) or "no driver offers one")
    for name, version in runtimes.items():
        table.add_row(
            name, version or f"[yellow]missing:[/yellow] {escape(missing_sentence(RUNTIMES[name]))}"
        )
    output.show(table)
    for sentence in doubts:
        output.show(f"[yellow]warning:[/yellow] {escape(sentence)}")
    if not doubts:
        output.show("nothing here will disturb a measurement that edgefit knows of")
    document = {
        "host": host.model_dump(),
        "state": state.model_dump(),
        "runtimes": runtimes,
        "energy": None if isinstance(meter, NoMeter) else {"method": meter.method, "domain": meter.domain},
        "energy_reason": meter.reason if isinstance(meter, NoMeter) else None,
        "warnings": doubts,
    }
    output.document(json.dumps(document))


def _hottest(temperatures: dict[str, float]) -> str:
    if not temperatures:
        return "the kernel names no temperature"
    name, degrees = max(temperatures.items(), key=lambda zone: zone[1])
    return f"{name} at {degrees:.0f} °C"
