"""What a look at a board tells: whether edgefit can work there, which machine it is and how it stands.

The board sends facts and small files; they mean here what they mean on any machine. It asks for nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from bench.errors import BoardError
from bench.record import Record
from bench.runtimes.table import RUNTIMES
from bench.system.cpu_time import CpuTime, read_cpu_time, read_governor
from bench.system.host import Host, read_host
from bench.system.power import Meter, NoMeter, find_meter
from bench.system.snapshot import SystemSnapshot
from bench.system.state import HostState
from bench.system.thermal import THROTTLED, read_temperatures, read_throttle_counts, read_throttled_bits

# What the readers of bench/system look at.
_PATTERNS = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/vmstat",
    "/proc/device-tree/model",
    "/sys/firmware/devicetree/base/model",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    "/sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list",
    "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count",
    "/sys/class/thermal/thermal_zone*/type",
    "/sys/class/thermal/thermal_zone*/temp",
    "/sys/class/thermal/cooling_device*/type",
    "/sys/class/thermal/cooling_device*/stats/total_trans",
    "/sys/class/power_supply/*/type",
    "/sys/class/power_supply/*/status",
    "/sys/class/powercap/intel-rapl:[0-9]*/name",
    "/sys/class/powercap/intel-rapl:[0-9]*/energy_uj",
    "/sys/class/powercap/intel-rapl:[0-9]*/max_energy_range_uj",
    "/sys/class/hwmon/hwmon*/name",
    "/sys/class/hwmon/hwmon*/in[0-9]_label",
    "/sys/class/hwmon/hwmon*/in[0-9]_input",
    "/sys/class/hwmon/hwmon*/curr[0-9]_input",
    "/sys/class/drm/card*/device/vendor",
    "/dev/nvidia[0-9]*",
    "/dev/nvgpu",
    "/dev/nvhost-*gpu",
    "/dev/dxg",
    "/etc/nv_tegra_release",
)
_PMIC = "pmic_read_adc"
_TEGRA = "/etc/nv_tegra_release"
_BYTES_PER_PAGE = 4096  # as psutil counts swap
_KIB = 1024
_MIB = 1 << 20
# Alive together, resident on x86-64: the harness (50 MiB), the null runtime (34), the control workload and an
# artifact (80 to 120 each).
_LEAST_MEMORY_BYTES = 320 * _MIB

WANTED = {
    "patterns": list(_PATTERNS),
    "vcgencmd": [THROTTLED, _PMIC],
    "modules": {row.needs: row.needs for row in RUNTIMES.values()} | {"numpy": "numpy"},
}
"""What the agent is asked to look at."""


class ProbeFacts(Record):
    """What the agent's look tells; see bench.remote.agent.probing."""

    python: tuple[int, int, int]
    implementation: str
    abi_flags: str
    bits: int
    architecture: str
    libc: tuple[str, Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]] | None
    system: str
    kernel: str
    os: str
    usable_cpus: Annotated[tuple[int, ...], Field(min_length=1)]
    programs_above: tuple[str, ...]
    emulated: str | None
    store: str
    may_write: bool
    held_bytes: int
    disk_free_bytes: int
    modules: dict[str, str]
    files: dict[str, str]
    vcgencmd: dict[str, str]
    stat_before: str
    watched_s: float


@dataclass(frozen=True)
class BoardProbe:
    """A board that was looked at. `name`: what to call it."""

    name: str
    facts: ProbeFacts

    @property
    def uses_system_packages(self) -> bool:
        """Whether its runtimes are packages of its system: a Jetson's, which no index offers."""
        return _TEGRA in self.facts.files

    @property
    def own_modules(self) -> "dict[str, str] | None":
        """The modules of those packages with their versions; None if its runtimes are brought."""
        return self.facts.modules if self.uses_system_packages else None

    @property
    def python(self) -> str:
        """Its Python's version, such as 3.11."""
        return "{}.{}".format(*self.facts.python)

    @cached_property
    def host(self) -> Host:
        """Its fingerprint."""
        with self._recorded() as root:
            return read_host(self._seen(root))

    @cached_property
    def state(self) -> HostState:
        """How it stood when it was looked at."""
        with self._recorded() as root:
            busy_share, steal_share = self._shares(root)
            return HostState(
                busy_share=busy_share,
                steal_share=steal_share,
                available_bytes=self._memory["MemAvailable"],
                swap_used_bytes=self._memory["SwapTotal"] - self._memory["SwapFree"],
                swapped_in_bytes=_table(self.facts.files.get("/proc/vmstat", "")).get("pswpin", 0)
                * _BYTES_PER_PAGE,
                on_battery=self._is_on_battery,
                temperatures=read_temperatures(root),
                throttle_counts=read_throttle_counts(root),
                throttled_bits=read_throttled_bits(self.facts.vcgencmd.get),
                governor=read_governor(root),
            )

    @cached_property
    def meter(self) -> Meter | NoMeter:
        """What would measure energy there."""
        with self._recorded() as root:
            return find_meter(root, lambda: self.facts.vcgencmd.get(_PMIC))

    def why_unusable(self) -> str | None:
        """Return why edgefit cannot work there, with the remedy; None if nothing is known against it."""
        facts = self.facts
        if facts.system != "Linux":
            return f"runs {facts.system}; edgefit measures on boards with Linux"
        if facts.bits != 64:
            return (
                f"its Python is a {facts.bits}-bit one, for which no runtime is published:"
                " install the 64-bit edition of its system"
            )
        if facts.implementation != "CPython" or "t" in facts.abi_flags:
            return (
                f"its python3 is {facts.implementation}{facts.abi_flags}: the runtimes need the usual CPython"
            )
        if facts.libc is None or facts.libc[0] != "glibc":
            return "its C library is not glibc, for which the runtimes are built: use Debian, Ubuntu or alike"
        if not facts.may_write:
            return (
                f"{facts.store} cannot be written by this user; set XDG_CACHE_HOME there, or be another user"
            )
        if self._memory["MemTotal"] < _LEAST_MEMORY_BYTES:
            has, needs = self._memory["MemTotal"] // _MIB, _LEAST_MEMORY_BYTES // _MIB
            return f"has {has} MiB of memory, and a measurement needs {needs} at least: use a larger board"
        return None

    def refuse_unusable(self) -> None:
        """Raise BoardError if edgefit cannot work there."""
        if (reason := self.why_unusable()) is not None:
            raise BoardError(f"{self.name}: {reason}")

    @cached_property
    def _memory(self) -> dict[str, int]:
        listed = _table(self.facts.files.get("/proc/meminfo", ""))
        names = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
        return {name: listed.get(name, 0) * _KIB for name in names}

    @property
    def _is_on_battery(self) -> bool:
        files = self.facts.files
        supplies = [
            path.removesuffix("type") for path in files if path.startswith("/sys/class/power_supply/")
        ]
        return any(
            files.get(f"{one}type", "").strip() == "Battery"
            and files.get(f"{one}status", "").strip() == "Discharging"
            for one in supplies
        )

    def _shares(self, root: Path) -> tuple[float, float]:
        after = read_cpu_time(None, root)
        before = _cpu_time_of(self.facts.stat_before)
        if before is None or after is None:
            return 0.0, 0.0
        elapsed_ns = self.facts.watched_s * 1e9 * max(1, len(self.facts.usable_cpus))
        busy, steal = after.busy_ns - before.busy_ns, after.steal_ns - before.steal_ns
        return min(1.0, busy / elapsed_ns), min(1.0, steal / elapsed_ns)

    def _seen(self, root: Path) -> SystemSnapshot:
        facts = self.facts
        return SystemSnapshot(
            root=root,
            architecture=facts.architecture,
            processor="",
            kernel=facts.kernel,
            os=facts.os,
            python=".".join(str(one) for one in facts.python),
            usable_cpus=facts.usable_cpus,
            memory_bytes=self._memory["MemTotal"],
            programs_above=facts.programs_above,
            available_emulated=facts.emulated,
        )

    @contextmanager
    def _recorded(self) -> Iterator[Path]:
        """Yield a folder in which the board's files lie where they lay there."""
        with tempfile.TemporaryDirectory(prefix="edgefit-") as folder:
            root = Path(folder)
            for path, text in self.facts.files.items():
                _write(root, path, text)
            yield root


def probed(name: str, answer: Any) -> BoardProbe:
    """Check what the agent answered to a look."""
    try:
        return BoardProbe(name, ProbeFacts.model_validate(answer, strict=False))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        raise BoardError(f"{name}: its look cannot be read: {where}: {first['msg']}") from None


def _write(root: Path, path: str, text: str) -> None:
    place = (root / path.lstrip("/")).resolve()
    if not place.is_relative_to(root.resolve()):
        raise BoardError(f"'{path}' is no path on a board")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _cpu_time_of(stat: str) -> CpuTime | None:
    with tempfile.TemporaryDirectory(prefix="edgefit-") as folder:
        _write(Path(folder), "/proc/stat", stat)
        return read_cpu_time(None, Path(folder))


def _table(text: str) -> dict[str, int]:
    """Return the numbers of a file with a name and a number in each line."""
    pairs = (line.replace(":", " ").split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) > 1 and pair[1].isdecimal()}
