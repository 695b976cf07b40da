"""Torch's quantised engines: on which CPUs int8 TorchScript made for one may run. It knows no torch."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.cpu_class import ARM_MACHINES, VNNI, X86_MACHINES


@dataclass(frozen=True)
class QuantisedEngine:
    """`cpu`: what a user calls the CPUs it is for, see cpu_class.TARGETS; `machines`: architectures as
    `platform.machine()` says, in lower case; `needs`: CPU flags, one of which there must be.
    """

    cpu: str
    machines: frozenset[str]
    needs: frozenset[str]


# The best first. Torch packs weights for an engine when a file is loaded, so that a file whose sums saturate
# with no engine runs with each of them; one with weights of full range needs one that adds in 32 bits.
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
    name: str, machine: str, cpu_flags: frozenset[str], foreign: bool = False, called: str = "this machine"
) -> str | None:
    """Return why an artifact made for an engine must not run on a machine; None if it may.

    `foreign`: it is only to be verified, which another architecture's engine can be wherever torch has it;
    one whose sums saturate here would give other answers, and cannot. `called`: the machine, in the sentence.
    """
    if name not in ENGINES:
        return f"it was made for a quantised engine '{name}' that edgefit does not know"
    engine = ENGINES[name]
    if machine.lower() not in engine.machines and not foreign:
        made_for = _family(engine.machines)
        return f"it was made for {made_for} (quantised engine '{name}'), and {called} is {machine}"
    if engine.needs and not engine.needs & cpu_flags:
        return f"it was made for CPUs with VNNI (quantised engine '{name}'); on {called} its sums saturate"
    return None


def _family(machines: frozenset[str]) -> str:
    return "Arm" if machines is ARM_MACHINES else "x86"
