"""Whether a device tells about itself what its profile says it does. Pure: values in, sentences out."""

from bench.system.state import HostState
from device_profiles.facts import Readings


def missing_telemetry(readings: Readings, state: HostState, clock_khz: int | None) -> list[str]:
    """Return a sentence for each thing that the device should tell of itself and does not, with a remedy.

    Energy is not among them: where it cannot be measured each row says why.
    """
    found = []
    if readings.clock is not None and clock_khz is None:
        found.append("the clock cannot be read here (cpufreq), so a change of it goes unseen")
    if readings.temperature is not None and not state.temperatures:
        found.append("no temperature can be read here (/sys/class/thermal), so heat goes unseen")
    if not _tells_throttling(readings, state):
        remedy = {
            "vcgencmd": "install raspi-utils, and add this user to the group 'video'",
            "cooling-devices": "the kernel keeps no /sys/class/thermal/cooling_device*/stats",
            "x86-throttle-counts": "the kernel keeps no thermal_throttle counters",
            None: "",
        }[readings.throttling]
        found.append(
            f"whether this device slows itself down cannot be read ({readings.throttling}): {remedy}"
        )
    return found


def _tells_throttling(readings: Readings, state: HostState) -> bool:
    match readings.throttling:
        case "vcgencmd":
            return state.throttled_bits is not None
        case "cooling-devices":
            return any(name.startswith("cooling by") for name in state.throttle_counts)
        case "x86-throttle-counts":
            return any(name.endswith("throttle") for name in state.throttle_counts)
        case None:
            return True
