"""Makes a copy of this environment whose runtimes compute as on a CPU with AVX2 and without VNNI.

    python tests/benchmarks/avx2_environment.py FOLDER
    FOLDER/bin/python -m edgefit demo

torch, onnxruntime and OpenVINO ask the instruction CPUID which kernels they may use. In the copy, CPUID of
their libraries is replaced by an instruction that the CPU refuses, and a signal handler answers without what
is newer than AVX2. Their kernels, and so their figures, are those of AVX2 on this core: its clock, caches and
memory are still its own. edgefit itself, which reads the system's list of features, still names the CPU as it
is. The copy shares all other files with the environment by hard links. It needs x86-64 with Linux, a C
compiler, and objdump and readelf (Debian: apt install gcc binutils); torch takes two minutes.
"""

import argparse
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_LIBRARIES = (
    "onnxruntime/capi/onnxruntime_pybind11_state*.so",
    "onnxruntime/capi/libonnxruntime.so*",
    "openvino/libs/libopenvino.so*",
    "openvino/libs/libopenvino_intel_cpu_plugin.so",
    "torch/lib/libc10.so",
    "torch/lib/libtorch_cpu.so",
)
_TOOLS = ("cc", "objdump", "readelf")
_CPUID, _REFUSED = b"\x0f\xa2", b"\x0f\x0b"
_SEGMENT = re.compile(r"LOAD\s+0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+)")


def main() -> None:
    """Copy the environment of this interpreter, and change the libraries of the copy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a folder on the environment's file system, which is made")
    folder: Path = parser.parse_args().folder.resolve()
    environment = Path(sys.prefix)
    if environment == Path(sys.base_prefix):
        sys.exit("run this with the interpreter of a virtual environment")
    if folder.exists():
        sys.exit(f"{folder} exists; name a folder that does not")
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        sys.exit(f"{', '.join(missing)} must be on PATH (Debian: apt install gcc binutils)")
    try:
        _make(folder, environment)
    except BaseException:  # half an environment would compute with the newer instructions
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _make(folder: Path, environment: Path) -> None:
    """Copy an environment to a folder, and hide the newer instructions from the runtimes of the copy."""
    packages = folder / Path(sysconfig.get_path("purelib")).relative_to(environment)
    subprocess.run(["cp", "-al", environment, folder], check=True)
    for pattern in _LIBRARIES:
        libraries = list(packages.glob(pattern))
        if not libraries:
            sys.exit(f"this environment has no {pattern}")
        for library in libraries:
            print(f"{library.relative_to(packages)}: {_change(library)} places", flush=True)
    handler = folder / "hidden_cpuid.so"
    source = Path(__file__).with_name("hidden_cpuid.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", handler], check=True)
    # Python runs this line before it imports anything else.
    (packages / "a0_hidden_cpuid.pth").write_text(f"import ctypes; ctypes.CDLL({str(handler)!r})\n")


def _change(library: Path) -> int:
    """Replace each CPUID of a library by an instruction that is refused; return how many there were."""
    segments = _segments(library)
    content, addresses = bytearray(library.read_bytes()), list(_addresses(library))
    if not addresses:
        sys.exit(f"{library}: no CPUID is found, so nothing would be hidden from it")
    for address in addresses:
        offset = next(to + address - start for to, start, size in segments if 0 <= address - start < size)
        if content[offset : offset + len(_CPUID)] != _CPUID:
            sys.exit(f"{library}: no CPUID at {address:#x}")
        content[offset : offset + len(_CPUID)] = _REFUSED
    changed = library.with_suffix(".changed")  # a new file, since the old one is the environment's too
    changed.write_bytes(content)
    shutil.copymode(library, changed)
    changed.replace(library)
    return len(addresses)


def _segments(library: Path) -> list[tuple[int, int, int]]:
    """Return where each part of a library is in the file, its address, and its size in the file."""
    listed = subprocess.run(["readelf", "-lW", library], check=True, capture_output=True, text=True).stdout
    return [(int(to, 16), int(start, 16), int(size, 16)) for to, start, size in _SEGMENT.findall(listed)]


def _addresses(library: Path) -> Iterator[int]:
    """Yield the address of each CPUID."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(library)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.rstrip().endswith("\tcpuid"):
                yield int(line.partition(":")[0], 16)
    if process.returncode:
        sys.exit(f"objdump ended with {process.returncode} for {library}")


if __name__ == "__main__":
    main()
