"""What makes a measurement doubtful, in words with a remedy. Pure: values in, sentences out."""

from bench.host import Host, HostState

_BUSY_SHARE = 0.1
_LITTLE_MEMORY = 1 << 30


def doubts_of(host: Host, state: HostState) -> list[str]:
    """Return a sentence for each thing about this machine that will disturb a measurement."""
    found = []
    if state.busy_share > _BUSY_SHARE:
        found.append(f"other work uses {state.busy_share:.0%} of the CPUs: end it, or trust ratios only")
    if host.governor in ("powersave", "conservative", "ondemand", "schedutil"):
        found.append(
            f"the clock governor is '{host.governor}', so clocks change under load:"
            " sudo cpupower frequency-set -g performance"
        )
    if state.on_battery:
        found.append("the machine runs on battery, which slows it down: plug it in")
    if state.swap_used_bytes and state.available_bytes < _LITTLE_MEMORY:
        found.append("memory is short and swap is in use: close other programs")
    return found
