"""Which accelerators a machine has, by the files its drivers make, and how much of their memory is in use."""

import ctypes
from pathlib import Path

from bench.machine.readings import ROOT, folders, text

# A discrete GPU's driver, Jetson's (JetPack 5 and 6, then 4), and Windows' subsystem for Linux.
_NVIDIA = ("nvidia0", "nvgpu", "nvhost-ctrl-gpu", "nvhost-gpu", "dxg")
_INTEL = "0x8086"
_NVML = "libnvidia-ml.so.1"


class _MemoryInfo(ctypes.Structure):
    """nvmlMemory_t of NVIDIA's management library: bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def has_nvidia_gpu(root: Path = ROOT) -> bool:
    """Tell whether an NVIDIA driver offers a GPU here."""
    return any((root / "dev" / name).exists() for name in _NVIDIA)


def found_accelerators(root: Path = ROOT) -> list[str]:
    """Return the kinds of GPU that drivers offer here, in words."""
    intel = any(text(vendor) == _INTEL for vendor in folders(root / "sys/class/drm", "card*/device/vendor"))
    kinds = [("NVIDIA GPU", has_nvidia_gpu(root)), ("Intel GPU", intel)]
    return [kind for kind, is_here in kinds if is_here]


def nvidia_used_bytes() -> int | None:
    """Return the bytes in use on the first NVIDIA GPU, by whomever.

    None where NVIDIA's management library is not here, as on a Jetson, whose GPU has no memory of its own.
    """
    try:
        nvml = ctypes.CDLL(_NVML)
    except OSError:
        return None
    if nvml.nvmlInit_v2():
        return None
    handle, info = ctypes.c_void_p(), _MemoryInfo()
    failed = nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)) or nvml.nvmlDeviceGetMemoryInfo(
        handle, ctypes.byref(info)
    )
    nvml.nvmlShutdown()
    return None if failed else int(info.used)


class NvidiaMemory:
    """How much more of the first NVIDIA GPU's memory is in use than when this was made."""

    def __init__(self) -> None:
        self._before = nvidia_used_bytes()

    def used_bytes(self) -> int | None:
        """Return the bytes used since; None where that is not told."""
        now = nvidia_used_bytes()
        return None if now is None or self._before is None else max(0, now - self._before)
