"""A board to reach: a real SSH server on loopback, whose logins find a home and a PATH of their own."""

import getpass
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.harness.alone import NO_WAIT_VARIABLE
from making.ports import free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
_SECONDS_TO_LISTEN = 20
# What the board's logins know besides python3.
_PATH = "/usr/bin:/bin"


@dataclass(frozen=True)
class SshServer:
    """A server that runs. `folder`: keys, log and the board's own folders; `port`: of loopback."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def target(self) -> str:
        """What `--on` is given."""
        return "ssh://board"

    @property
    def home(self) -> Path:
        """The home of the board's logins."""
        return self.folder / "home"

    @property
    def store(self) -> Path:
        """edgefit's folder on the board."""
        return self.home / ".cache" / "edgefit-board"

    @property
    def programs(self) -> Path:
        """The folder that comes first in the PATH of the board's logins."""
        return self.folder / "bin"

    @property
    def known_hosts(self) -> Path:
        """The host keys that the laptop knows."""
        return self.folder / "known_hosts"

    @property
    def log(self) -> str:
        """What the server has logged so far."""
        return (self.folder / "log").read_text()

    def cut(self) -> None:
        """End every connection, as a network that breaks down would."""
        for connection in psutil.Process(self.process.pid).children():
            connection.kill()

    def put_program(self, name: str, script: str) -> None:
        """Put a shell script into the board's PATH, over whatever is called so there."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run a server until the block ends; a test is skipped where OpenSSH's server is not installed."""
    if SSHD is None:
        pytest.skip("no sshd here (Debian: apt install openssh-server)")
    for name in ("host key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    for name in ("home", "bin"):
        (folder / name).mkdir()
    (folder / "bin" / "python3").symlink_to(os.path.realpath(sys.executable))
    port = free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _sshd_words(folder, port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    server = SshServer(folder, port, process)
    try:
        _wait_until_it_listens(server)
        host_key = " ".join((folder / "host key.pub").read_text().split()[:2])
        server.known_hosts.write_text(f"[127.0.0.1]:{port} {host_key}\n")
        (folder / "config").write_text(_config(folder, port))
        yield server
    finally:
        server.cut()
        process.kill()
        process.wait()


def ssh_words(server: SshServer) -> str:
    """Return the ssh command that finds the server under the name `board`, for $EDGEFIT_SSH."""
    return f"ssh -F {shlex.quote(str(server.folder / 'config'))}"


def _sshd_words(folder: Path, port: int) -> list[str]:
    options = {
        "ListenAddress": "127.0.0.1",
        "AuthorizedKeysFile": f'"{folder / "key.pub"}"',
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PidFile": "none",
        # A home of its own, so that the login scripts of whoever runs the tests do not decide what is found.
        "SetEnv": f'"HOME={folder / "home"}" "PATH={folder / "bin"}:{_PATH}" "{NO_WAIT_VARIABLE}=1"',
    }
    words = [str(SSHD), "-D", "-e", "-f", "/dev/null", "-h", str(folder / "host key"), "-p", str(port)]
    return words + [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _config(folder: Path, port: int) -> str:
    lines = {
        "HostName": "127.0.0.1",
        "Port": str(port),
        "User": getpass.getuser(),
        "IdentityFile": f'"{folder / "key"}"',
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": f'"{folder / "known_hosts"}"',
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
    }
    return "Host board\n" + "".join(f"  {name} {value}\n" for name, value in lines.items())


def _wait_until_it_listens(server: SshServer) -> None:
    for _ in range(50 * _SECONDS_TO_LISTEN):
        if "Server listening" in server.log:
            return
        assert server.process.poll() is None, server.log
        time.sleep(0.02)
    raise AssertionError(f"sshd does not listen: {server.log}")
