"""The probe of a board: whether edgefit can work there, which machine it is and what state it is in.

The board sends facts and small files. The functions that read this machine read them. It sends nothing.
"""

import fnmatch
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from bench.errors import BoardError
from bench.filesystem.temporary_folder import TemporaryFolder
from bench.remote.agent.trial import ANOTHER_FOLDER
from bench.remote.agent_messages import ProbeFacts, ProbeRequest, invalid_answer
from bench.runtimes.formats import FORMATS
from bench.system.cpu_limit import read_throttling
from bench.system.cpu_time import read_cpu_time, read_governor
from bench.system.cpus import CPUSET_FILES, read_cpus
from bench.system.host import Host, read_host
from bench.system.power import Meter, NoMeter, find_meter
from bench.system.snapshot import SystemSnapshot
from bench.system.state import HostState
from bench.system.thermal import THROTTLED, read_temperatures, read_throttle_counts, read_throttled_bits
from bench.system.thread_variables import INHERITED, PREFIXES
from bench.units import BYTES_PER_MIB
from user_files.printable import printable, shortened

# The files that the readers of bench/system read.
_PATTERNS = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/vmstat",
    "/proc/device-tree/model",
    "/sys/firmware/devicetree/base/model",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/sys/devices/cpu_core/cpus",
    "/sys/devices/cpu_atom/cpus",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/isolated",
    "/sys/devices/system/cpu/cpu[0-9]*/cpu_capacity",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    "/sys/devices/system/cpu/cpu[0-9]*/topology/core_cpus_list",
    "/sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id",
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
_LONGEST_PATH = 200  # of a path that is shown
_MOST_DIGITS = len(str(2**64))
# Alive together, resident on x86-64: the harness (50 MiB), the null runtime (34), the control workload and an
# artifact (80 to 120 each).
_LEAST_MEMORY_BYTES = 320 * BYTES_PER_MIB

PROBE_REQUEST = ProbeRequest(
    patterns=_PATTERNS,
    vcgencmd=(THROTTLED, _PMIC),
    modules={**{row.needs: row.needs for row in FORMATS.values()}, "numpy": "numpy"},
    group_files=("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.stat", *CPUSET_FILES),
    variables=(*PREFIXES, *INHERITED),
)
"""What a probe requests of the agent."""


@dataclass(frozen=True)
class _Readings:
    """What the board's files mean."""

    host: Host
    state: HostState
    meter: Meter | NoMeter


@dataclass(frozen=True)
class BoardProbe:
    """A board that was probed."""

    name: str
    """The board's name."""

    facts: ProbeFacts
    """What its agent answered."""

    @property
    def uses_system_packages(self) -> bool:
        """Whether its runtimes are packages of its system: a Jetson's, which no index offers."""
        return _TEGRA in self.facts.files

    @property
    def system_modules(self) -> "dict[str, str] | None":
        """The modules of those packages with their versions; None if edgefit installs its runtimes."""
        return self.facts.modules if self.uses_system_packages else None

    @property
    def python(self) -> str:
        """The version of its Python, such as 3.11."""
        return "{}.{}".format(*self.facts.python)

    @property
    def host(self) -> Host:
        """Its fingerprint."""
        return self._readings.host

    @property
    def state(self) -> HostState:
        """The state it was in."""
        return self._readings.state

    @property
    def meter(self) -> Meter | NoMeter:
        """What would measure energy there."""
        return self._readings.meter

    def why_unusable(self) -> str | None:
        """Return why edgefit cannot work there, with the remedy; None if nothing is known against it."""
        facts = self.facts
        if facts.system != "Linux":
            return f"the board runs {facts.system}; edgefit measures on boards with Linux"
        if facts.bits != 64:
            return (
                f"the board's Python is a {facts.bits}-bit one, and no runtime is published for it; install"
                " the 64-bit edition of the board's system"
            )
        if facts.implementation != "CPython" or "t" in facts.abi_flags:
            return (
                f"the board's python3 is {facts.implementation}{facts.abi_flags}, and the runtimes need the"
                " usual CPython; put one first in the PATH of its ssh logins"
            )
        if facts.libc is None or facts.libc[0] != "glibc":
            return (
                "the board's C library is not glibc, and the runtimes are built for glibc; use Debian, Ubuntu"
                " or a similar system"
            )
        if not facts.may_write:
            return f"this user cannot write {facts.store}; log in as another user, or {ANOTHER_FOLDER}"
        if not facts.may_execute:
            return (
                f"no program can run from {facts.store}, because its file system is mounted with noexec;"
                f" {ANOTHER_FOLDER}"
            )
        if self._memory["MemTotal"] < _LEAST_MEMORY_BYTES:
            has, needs = self._memory["MemTotal"] // BYTES_PER_MIB, _LEAST_MEMORY_BYTES // BYTES_PER_MIB
            return (
                f"the board has {has} MiB of memory, and a measurement needs {needs} MiB; use a larger board"
            )
        return None

    def refuse_unusable(self) -> None:
        """Raise BoardError if edgefit cannot work there."""
        if (reason := self.why_unusable()) is not None:
            raise BoardError(f"{self.name}: {reason}")

    @cached_property
    def _readings(self) -> _Readings:
        with self._odd_is_an_error(), self._files_in_folders() as (root, before):
            return _Readings(
                host=read_host(self._snapshot(root)),
                state=self._state(root, before),
                meter=find_meter(root, lambda: self.facts.vcgencmd.get(_PMIC)),
            )

    @contextmanager
    def _odd_is_an_error(self) -> Iterator[None]:
        """Raise BoardError for files that hold something else than a kernel writes."""
        try:
            yield
        except (ArithmeticError, LookupError, ValueError) as error:
            raise invalid_answer(self.name, f"a file that it sent cannot be read ({error})") from error

    def _state(self, root: Path, before: Path) -> HostState:
        busy_share, steal_share = self._shares(root, before)
        cpus, throttling = read_cpus(self.facts.usable_cpus, root), read_throttling(root)
        swapped_in_pages = _table(self.facts.files.get("/proc/vmstat", "")).get("pswpin", 0)
        return HostState(
            busy_share=busy_share,
            steal_share=steal_share,
            available_bytes=self._memory["MemAvailable"],
            swap_used_bytes=self._memory["SwapTotal"] - self._memory["SwapFree"],
            swapped_in_bytes=swapped_in_pages * _BYTES_PER_PAGE,
            on_battery=self._is_on_battery,
            temperatures=read_temperatures(root),
            throttle_counts=read_throttle_counts(root),
            throttled_bits=read_throttled_bits(self.facts.vcgencmd.get),
            governor=read_governor(root, cpus.cores[0].number),
            cpu_periods=None if throttling is None else throttling.periods,
            cpu_periods_throttled=None if throttling is None else throttling.throttled,
        )

    @cached_property
    def _memory(self) -> dict[str, int]:
        with self._odd_is_an_error():
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
            files.get(f"{supply}type", "").strip() == "Battery"
            and files.get(f"{supply}status", "").strip() == "Discharging"
            for supply in supplies
        )

    def _shares(self, root: Path, before: Path) -> tuple[float, float]:
        """Return the shares of all CPUs' time that were busy, and stolen by other virtual machines."""
        first, last = read_cpu_time(None, before), read_cpu_time(None, root)
        if first is None or last is None:
            return 0.0, 0.0
        # The kernel's count of idle time may run backwards by a little: see proc_stat(5).
        whole = max(1, last.whole_ns - first.whole_ns)
        busy, steal = last.busy_ns - first.busy_ns, last.steal_ns - first.steal_ns
        return min(1.0, busy / whole), min(1.0, steal / whole)

    def _snapshot(self, root: Path) -> SystemSnapshot:
        facts = self.facts
        return SystemSnapshot(
            root=root,
            architecture=facts.architecture,
            processor="",
            kernel=facts.kernel,
            os=facts.os,
            python=".".join(str(part) for part in facts.python),
            usable_cpus=facts.usable_cpus,
            memory_bytes=self._memory["MemTotal"],
            programs_above=facts.programs_above,
            declared_emulated=facts.emulated,
        )

    def _refuse_unasked(self, path: str) -> None:
        if not _is_asked_for(path):
            raise BoardError(
                f"{self.name}: the board sent the file '{printable(shortened(path, _LONGEST_PATH))}', which"
                " edgefit has not asked for; check which machine answers at this address"
            )

    @contextmanager
    def _files_in_folders(self) -> Iterator[tuple[Path, Path]]:
        """Yield a folder with the board's files under their paths, and one with the first /proc/stat."""
        with TemporaryFolder() as folder:
            root, before = Path(folder, "files"), Path(folder, "before")
            for path, text in self.facts.files.items():
                self._refuse_unasked(path)
                self._write(root, path, text)
            self._write(before, "/proc/stat", self.facts.stat_before)
            yield root, before

    def _write(self, root: Path, path: str, text: str) -> None:
        target = root / path.lstrip("/")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:  # a path that is too long, or a file that is a folder too; or the disk here
            shown = printable(shortened(path, _LONGEST_PATH))
            raise BoardError(
                f"{self.name}: the board's file '{shown}' cannot be copied to this machine"
                f" ({error.strerror}); check that {tempfile.gettempdir()} has space, and which machine"
                " answers at this address"
            ) from None


def _is_asked_for(path: str) -> bool:
    """Return whether a probe asks for a file, which never lies outside the folder that its path names."""
    return ".." not in path.split("/") and _asked_paths().fullmatch(path) is not None


@cache
def _asked_paths() -> re.Pattern[str]:
    """Return what matches the paths that a probe asks for: files of its patterns, and of control groups."""
    groups = rf"(?:/[^/\0]+)+/(?:{'|'.join(map(re.escape, PROBE_REQUEST.group_files))})"
    return re.compile("|".join((*map(_glob, _PATTERNS), groups)))


def _glob(pattern: str) -> str:
    """Return a glob pattern as a regular expression: its star stands for anything but a slash."""
    return fnmatch.translate(pattern).replace(".*", r"[^/\0]*")


def _table(text: str) -> dict[str, int]:
    """Return the numbers of a file with a name and a number in each line."""
    pairs = (line.replace(":", " ").split() for line in text.splitlines())
    return {pair[0]: _count(pair[0], pair[1]) for pair in pairs if len(pair) > 1 and pair[1].isdecimal()}


def _count(name: str, digits: str) -> int:
    """Return a number of the kernel; raises ValueError if it is larger than any."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"{name} has {len(digits)} digits")
    return int(digits)
