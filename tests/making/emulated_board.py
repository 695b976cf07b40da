"""An emulated arm64 board: a root to start from, and what it is to power one on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from making.ports import free_port

_SCRIPT = Path(__file__).with_name("emulated_board.sh")
_NEEDED = ("qemu-aarch64-static", "mmdebstrap", "unshare", "nsenter", "ssh", "ssh-keygen")


@dataclass(frozen=True)
class EmulatedBoard:
    """A board that is on. `run`: its keys and its log."""

    name: str
    run: Path
    port: int
    environment: dict[str, str]

    def ssh(self, command: str) -> str:
        """Run something on it."""
        words = ["ssh", "-F", str(self.run.parent / "config"), self.name, command]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def power_off(self) -> None:
        """Take its power away."""
        subprocess.run([str(_SCRIPT), "stop"], env=self.environment, check=True)


def make_root(folder: Path) -> Path:
    """Make the root that all boards start from."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    packages = "qemu-user-static mmdebstrap debian-archive-keyring openssh-client"
    assert not missing, f"{missing} missing: apt install {packages}"
    assert os.geteuid() == 0, "an emulated board is made by root"
    subprocess.run([str(_SCRIPT), "build"], env={**os.environ, "BOARD_ROOT": str(folder)}, check=True)
    return folder


@contextmanager
def powered_on(root: Path, folder: Path, name: str, cpu: str) -> Iterator[EmulatedBoard]:
    """Power a board on until the block ends, and have ssh find it under its name."""
    run = folder / name
    run.mkdir(parents=True)
    port = free_port()
    environment = {
        **os.environ,
        "BOARD_ROOT": str(root),
        "BOARD_RUN": str(run),
        "BOARD_PORT": str(port),
        "BOARD_CPU": cpu,
    }
    board = EmulatedBoard(name, run, port, environment)
    subprocess.run([str(_SCRIPT), "start"], env=environment, check=True)
    try:
        with (folder / "config").open("a") as config:
            config.write(
                f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {run}/key\n"
                f"  IdentitiesOnly yes\n  UserKnownHostsFile {run}/known_hosts\n  BatchMode yes\n"
            )
        yield board
    finally:
        board.power_off()
