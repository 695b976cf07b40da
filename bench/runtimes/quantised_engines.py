"""Torch's quantised engines: on which CPUs int8 TorchScript made for one may run. It knows no torch."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.cpu_class import ARM_MACHINES, VNNI, X86_MACHINES


@dataclass(frozen=True)
class QuantisedEngine:
    """The CPUs on which one engine of torch runs."""

    cpu: str
    """The target it is for, see cpu_class.TARGETS."""
    machines: frozenset[str]
    """The architectures, as `platform.machine()` names them, in lower case."""
    needs: frozenset[str]
    """CPU flags, of which the CPU must have one."""


# The best engine comes first. Torch packs weights for an engine when it loads a file. A file whose sums never
# saturate runs with every engine; a file with weights of full range needs an engine that adds in 32 bits.
ENGINES: Mapping[str, QuantisedEngine] = {
    "onednn": QuantisedEngine("x86-vnni", X86_MACHINES, needs=VNNI),
    "x86": QuantisedEngine("x86", X86_MACHINES, needs=frozenset()),
    "qnnpack": QuantisedEngine("arm", ARM_MACHINES, needs=frozenset()),
}


def choose_engine(machine: str, cpu_flags: frozenset[str]) -> str | None:
    """Return the best engine for a machine (`platform.machine()`) and its CPU's flags, if there is one."""
    return next((name for name in ENGINES if engine_incompatibility(name, machine, cpu_flags) is None), None)


def portable_engine(machine: str) -> str | None:
    """Return the engine that runs portable files on a machine, VNNI or not; None if there is none."""
    return next(
        (name for name, engine in ENGINES.items() if machine.lower() in engine.machines and not engine.needs),
        None,
    )


def engine_for(cpu: str) -> str | None:
    """Return the engine that a file made for a target (see cpu_class.TARGETS) needs; None for `portable`."""
    return next((name for name, engine in ENGINES.items() if engine.cpu == cpu), None)


def engine_incompatibility(
    name: str,
    machine: str,
    cpu_flags: frozenset[str],
    foreign: bool = False,
    machine_name: str = "this machine",
) -> str | None:
    """Return why an artifact made for an engine must not run on a machine; None if it may.

    `foreign`: the artifact is only verified here. An engine of another architecture can do that if torch has
    it, but not one whose sums saturate here. `machine_name`: the machine's name in the sentence.
    """
    if name not in ENGINES:
        return f"it was made for a quantised engine '{name}' that edgefit does not know"
    engine = ENGINES[name]
    if machine.lower() not in engine.machines and not foreign:
        made_for = _family(engine.machines)
        return f"it was made for {made_for} (quantised engine '{name}'), but {machine_name} is {machine}"
    if engine.needs and not engine.needs & cpu_flags:
        return (
            f"it was made for CPUs with VNNI (quantised engine '{name}'); on {machine_name} its sums saturate"
        )
    return None


def _family(machines: frozenset[str]) -> str:
    return "Arm" if machines is ARM_MACHINES else "x86"
