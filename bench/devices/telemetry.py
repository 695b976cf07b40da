"""Whether a device reports what its profile says it reports. Pure: it takes values."""

from bench.system.state import HostState
from device_profiles.facts import Readings


def missing_telemetry(readings: Readings, state: HostState, clock_khz: int | None) -> list[str]:
    """Return a sentence for each reading that the device should report and does not, with a remedy.

    Energy is not among them: if it cannot be measured, each row says why.
    """
    sentences = []
    if readings.clock is not None and clock_khz is None:
        sentences.append("the clock cannot be read (cpufreq), so changes of the clock are not detected")
    if readings.temperature is not None and not state.temperatures:
        sentences.append("no temperature can be read (/sys/class/thermal), so heat is not detected")
    if not _reports_throttling(readings, state):
        remedy = {
            "vcgencmd": "install raspi-utils, and add this user to the group 'video'",
            "cooling-devices": "the kernel has no /sys/class/thermal/cooling_device*/stats",
            "x86-throttle-counts": "the kernel has no thermal_throttle counters",
            None: "",
        }[readings.throttling]
        sentences.append(f"throttling cannot be read ({readings.throttling}): {remedy}")
    return sentences


def _reports_throttling(readings: Readings, state: HostState) -> bool:
    match readings.throttling:
        case "vcgencmd":
            return state.throttled_bits is not None
        case "cooling-devices":
            return any(name.startswith("cooling by") for name in state.throttle_counts)
        case "x86-throttle-counts":
            return any(name.endswith("throttle") for name in state.throttle_counts)
        case None:
            return True
