"""Which accelerators a machine has, by its drivers' files, and how much of their memory is in use."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil

from bench.system.kernel_files import ROOT, folders, text

# A discrete GPU's driver, Jetson's (JetPack 5 and 6, then 4), and Windows' subsystem for Linux.
_NVIDIA = ("nvidia[0-9]*", "nvgpu", "nvhost-ctrl-gpu", "nvhost-gpu", "dxg")
# The files that their libraries open to write: NVIDIA's with Jetson's memory, then any GPU or NPU.
_DEVICE_FILES = ("nvidia*", "nvgpu*", "nvhost*", "nvmap", "nvsciipc", "dxg", "dri", "accel", "dma_heap")
_INTEL = "0x8086"
_NVML = "libnvidia-ml.so.1"
_NAME_BYTES = 96


class _MemoryInfo(ctypes.Structure):
    """nvmlMemory_t of NVIDIA's management library: bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def has_nvidia_gpu(root: Path = ROOT) -> bool:
    """Return whether an NVIDIA driver offers a GPU."""
    return any(True for name in _NVIDIA for _ in folders(root / "dev", name))


def device_files(root: Path = ROOT) -> list[Path]:
    """Return the files and folders in /dev through which programs use accelerators."""
    return [path for name in _DEVICE_FILES for path in folders(root / "dev", name)]


def found_accelerators(root: Path = ROOT) -> list[str]:
    """Return the GPUs that drivers offer, with the versions of the drivers if these report them."""
    gpus = [_nvidia_in_words(root)] if has_nvidia_gpu(root) else []
    if any(text(vendor) == _INTEL for vendor in folders(root / "sys/class/drm", "card*/device/vendor")):
        gpus.append("Intel GPU")
    return gpus


def _nvidia_in_words(root: Path) -> str:
    jetson = (text(root / "etc/nv_tegra_release") or "").partition(", GCID")[0].removeprefix("# ")
    with _management() if root == ROOT else nullcontext() as nvml:
        if nvml is None:
            return f"NVIDIA GPU, {jetson}" if jetson else "NVIDIA GPU"
        name, driver = ctypes.create_string_buffer(_NAME_BYTES), ctypes.create_string_buffer(_NAME_BYTES)
        nvml.nvmlDeviceGetName(_first(nvml), name, _NAME_BYTES)
        nvml.nvmlSystemGetDriverVersion(driver, _NAME_BYTES)
        return f"{name.value.decode()}, driver {driver.value.decode()}"


@contextmanager
def _management() -> Iterator[ctypes.CDLL | None]:
    """Yield NVIDIA's management library, initialised; None if it is missing, as on a Jetson."""
    try:
        nvml = ctypes.CDLL(_NVML)
    except OSError:
        nvml = None
    if nvml is None or nvml.nvmlInit_v2():
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _first(nvml: ctypes.CDLL) -> ctypes.c_void_p:
    """Return the handle of the first GPU that CUDA sees, as its variable counts them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    handle = ctypes.c_void_p()
    if visible.isdecimal():
        nvml.nvmlDeviceGetHandleByIndex_v2(int(visible), ctypes.byref(handle))
    else:
        nvml.nvmlDeviceGetHandleByUUID(visible.encode(), ctypes.byref(handle))
    return handle


def nvidia_used_bytes() -> int | None:
    """Return the bytes in use on the first NVIDIA GPU, by any process.

    A Jetson's GPU has none of its own: there it is the memory of the whole system that is in use.
    """
    with _management() as nvml:
        if nvml is None:
            return psutil.virtual_memory().total - psutil.virtual_memory().available
        info = _MemoryInfo()
        failed = nvml.nvmlDeviceGetMemoryInfo(_first(nvml), ctypes.byref(info))
        return None if failed else int(info.used)


class NvidiaMemory:
    """How much more of the first NVIDIA GPU's memory is in use than when this was made, by any process."""

    def __init__(self) -> None:
        self._before = nvidia_used_bytes()

    def used_bytes(self) -> int | None:
        """Return the bytes used since then; None if that is unknown, or less is in use than before."""
        now = nvidia_used_bytes()
        if now is None or self._before is None or now < self._before:
            return None
        return now - self._before
