"""Kernels that lack a way to confine a process, and artifacts that try what they must not."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import torch

# As a command: the usual worker on a kernel without the system calls and functions that are named.
_WORKER = """
import errno, os
from bench.harness import start
from bench.system.sandbox import libc

def call(name, *arguments):
    if name in {missing} or (name == "syscall" and arguments[0] in {missing}):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
    return libc(name, *arguments)

if __name__ == "__main__":
    start.main(call)
"""
LANDLOCK = (444, 445, 446)
MOUNT_SETATTR = (442,)
NAMESPACES = ("unshare",)
# What is missing where a process is confined by each way.
WAYS: dict[str, tuple[object, ...]] = {
    "landlock": (),
    "mount namespace": LANDLOCK,
    "mount namespace before Linux 5.12": (*LANDLOCK, *MOUNT_SETATTR),
}
NOTHING = (*LANDLOCK, *NAMESPACES)


def worker_without(missing: tuple[object, ...]) -> tuple[str, ...]:
    """The command of a worker on a kernel that lacks something."""
    return (sys.executable, "-c", _WORKER.format(missing=missing))


_ATTEMPTS = """
import json, os, signal, socket, sys
from pathlib import Path
from bench.system.sandbox import confine
{kernel}
outside, also, parent = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
confinement = confine(Path.cwd(), (also,), call)
victim, by_root = outside / "victim", Path("/proc", str(parent), "root", *outside.parts[1:], "victim")
def remount_writable():
    place = next(folder for folder in outside.parents if folder.is_mount())
    libc("mount", None, bytes(place), None, 1 << 5 | 1 << 12, None)
attempts = {{
    "own write": lambda: Path("mine").write_text("mine"),
    "own folder": lambda: os.mkdir("folder"),
    "own rename": lambda: os.rename("mine", "folder/mine"),
    "own truncate": lambda: os.truncate("folder/mine", 1),
    "own unlink": lambda: os.unlink("folder/mine"),
    "allowed write": lambda: (also / "engine").write_text("engine"),
    "null device": lambda: Path("/dev/null").write_text("nothing"),
    "read": lambda: victim.read_text(),
    "overwrite": lambda: victim.write_text("x"),
    "append": lambda: victim.open("a"),
    "truncate": lambda: os.truncate(victim, 0),
    "create": lambda: (outside / "new").touch(),
    "mkdir": lambda: os.mkdir(outside / "newfolder"),
    "unlink": lambda: os.unlink(victim),
    "rename": lambda: os.rename(victim, outside / "renamed"),
    "rename into own": lambda: os.rename(victim, "taken"),
    "symlink": lambda: os.symlink("/", outside / "link"),
    "hard link out": lambda: (Path("a").touch(), os.link("a", outside / "linked")),
    "hard link in": lambda: os.link(victim, "linked"),
    "by symlink": lambda: (os.symlink(victim, "way"), Path("way").write_text("x")),
    "by parent": lambda: by_root.write_text("x"),
    "by upper folder": lambda: Path("../stderr").write_text("x"),
    "signal": lambda: os.kill(parent, 0),
    "by remount": lambda: (remount_writable(), victim.write_text("x")),
    "by remount in namespaces": lambda: (
        libc("unshare", 0x10020000),
        remount_writable(),
        victim.write_text("x"),
    ),
    "tcp": lambda: socket.create_server(("127.0.0.1", 0)),
}}
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except OSError:
        pass
print(json.dumps([confinement.model_dump(), done]))
"""
# What stays allowed.
HARMLESS = [
    "own write",
    "own folder",
    "own rename",
    "own truncate",
    "own unlink",
    "allowed write",
    "null device",
    "read",
]


def attempts(
    folder: Path, missing: tuple[object, ...], landlock: int | None = None
) -> tuple[dict[str, object], list[str]]:
    """Confine a fresh process in `folder`/own, and return how it is, and what it could do.

    `landlock`: the version that the kernel's Landlock says it has, if it is not to be the real one.
    """
    for name in ("own", "outside", "also"):
        (folder / name).mkdir(parents=True)
    (folder / "outside/victim").write_text("whole")
    kernel = _WORKER.format(missing=missing).replace("from bench.harness import start\n", "")
    kernel = kernel.partition("if __name__")[0]
    if landlock is not None:
        kernel += f"real = call\ndef call(*them):\n    return {landlock} if them[2:3] == (None,) and "
        kernel += "them[:2] == ('syscall', 444) else real(*them)\n"
    places = [str(folder / "outside"), str(folder / "also"), str(os.getpid())]
    done = subprocess.run(
        [sys.executable, "-c", _ATTEMPTS.format(kernel=kernel), *places],
        cwd=folder / "own",
        capture_output=True,
        text=True,
        check=True,
    )
    confinement, could = json.loads(done.stdout)
    return confinement, could


@cache
def why_missing(way: str) -> str | None:
    """Why this kernel cannot confine in a way; None if it can."""
    script = f"{_WORKER.format(missing=WAYS[way]).partition('if __name__')[0]}\n"
    script += "from pathlib import Path\nfrom bench.system.sandbox import confine\n"
    script += "confinement = confine(Path.cwd(), (), call)\n"
    script += "print(confinement.by or '', confinement.reason or '', sep=';')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    by, _, reason = done.stdout.strip().partition(";")
    return None if way.startswith(by or "nothing") else f"{way}: {reason or by}"


class WritesAtInference(torch.nn.Module):
    """Writes a file in each inference."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = str(path)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        written = torch.from_file(self.path, shared=True, size=6, dtype=torch.uint8)
        written.fill_(88)
        return image.flatten(1)[:, :2] + written.float().sum() * 0.0


class WritesAtLoad(torch.nn.Module):
    """Writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = str(path)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.flatten(1)[:, :2]

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.path = state[0]
        written = torch.from_file(self.path, shared=True, size=6, dtype=torch.uint8)
        written.fill_(88)
        self.training = state[1] and bool(written.sum() > 0)  # what nothing used would not be done


HOSTILE: dict[str, type[WritesAtInference] | type[WritesAtLoad]] = {
    "infer": WritesAtInference,
    "load": WritesAtLoad,
}


def hostile_artifact(entry: Path, stage: str, target: Path) -> Path:
    """Save a TorchScript artifact that writes `target` when it is loaded, or infers."""
    torch.jit.script(HOSTILE[stage](target).eval()).save(str(entry))  # type: ignore[no-untyped-call]
    return entry
