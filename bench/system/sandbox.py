"""Confines a process: it cannot write files outside its own folder; it can do everything else.

By Landlock, else by a mount namespace, for which anybody but root needs a user namespace too; it says which
it was, and goes on where a kernel has neither. It must be called before a process has threads, for both hold
for the thread that asks and those it starts. What an artifact is, and what a worker must write, is not known
here. Sources: the Linux kernel's include/uapi/linux/landlock.h and userspace-api/landlock; mount_setattr(2),
user_namespaces(7).
"""

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from bench.record import Record

# A function of the C library by its name, called with its arguments; raises OSError where it fails.
Call = Callable[..., int]

_PR_SET_NO_NEW_PRIVS = 38
# The numbers of system calls are the same on every processor that edgefit runs on.
_MOUNT_SETATTR, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 442, 444, 445, 446

_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_WRITE_FILE, _TRUNCATE, _IOCTL_DEV = 1 << 1, 1 << 14, 1 << 15
_OF_A_FILE = _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
# Remove a folder or a file, make any of the seven kinds of them.
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
# What changes a file, by the first version of Landlock that can refuse it. Reading is not restricted.
_FILE_RIGHTS = {1: _WRITE_FILE | _REMOVE_AND_MAKE, 2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}
_TCP_VERSION, _BIND_AND_CONNECT_TCP = 4, 1 << 0 | 1 << 1
_SCOPE_VERSION, _ABSTRACT_SOCKETS_AND_SIGNALS = 6, 1 << 0 | 1 << 1
_TRUNCATE_VERSION = 3

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 1 << 5, 1 << 12, 1 << 14, 1 << 18
# Flags of a mount that a namespace with fewer rights must leave as they are.
_MOUNT_FLAGS = {
    "nosuid": 1 << 1,
    "nodev": 1 << 2,
    "noexec": 1 << 3,
    "noatime": 1 << 10,
    "nodiratime": 1 << 11,
    "relatime": 1 << 21,
}
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = -100, 0x8000, 1
_CAPABILITY_VERSION, _CAP_DAC_READ_SEARCH = 0x20080522, 1 << 2
_ROOT = 0

_ALWAYS_WRITABLE = Path("/dev/null")


class Confinement(Record):
    """How processes that run artifacts are kept from writing files outside their own folders."""

    by: Literal["landlock", "mount namespace"] | None
    """What keeps them from it; null where nothing does."""
    landlock: int | None = None
    """The version of the kernel's Landlock; null without it. Version 4 and newer also keep them from TCP,
    version 6 and newer from signals to other processes."""
    reason: str | None = None
    """Why nothing confines them, or what is left open all the same; null if nothing is."""

    @property
    def in_words(self) -> str:
        """What artifacts cannot do, and what they still can."""
        if self.by is None:
            return f"nothing keeps artifacts from writing files ({self.reason})"
        version = self.landlock or 0
        parts = ["write no file outside their own folder"]
        parts += ["use no TCP"] if version >= _TCP_VERSION else []
        parts += ["signal no other process"] if version >= _SCOPE_VERSION else []
        by = f"Landlock {version}" if self.by == "landlock" else "a mount namespace"
        return f"{by}: artifacts {', '.join(parts)}" + (f" ({self.reason})" if self.reason else "")


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr: what is refused, unless a rule allows it."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    """struct landlock_path_beneath_attr: what is allowed on a file, or beneath a folder."""

    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _MountAttributes(ctypes.Structure):
    """struct mount_attr."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd"))


def libc(name: str, *arguments: object) -> int:
    """Call a function of the C library; raises OSError if it fails or is missing."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None) if sys.platform == "linux" else None
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
    result = int(
        function(*(ctypes.c_long(value) if isinstance(value, int) else value for value in arguments))
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)
    return result


def confine(own: Path, writable: Sequence[Path] = (), call: Call = libc) -> Confinement:
    """Confine this process, which has one thread, to writing beneath `own`, for good.

    `writable`: other files and folders that it may write to. It gains no privileges by a program that it
    starts. `call` reaches the kernel: tests put kernels there that lack something.
    """
    refusals = []
    for name, way in (("Landlock", _by_landlock), ("mount namespace", _by_mounts)):
        try:
            call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            return way((own, *writable), call)
        except OSError as error:
            refusals.append(f"{name}: {error.strerror}")
    return Confinement(by=None, reason="; ".join(refusals))


def _by_landlock(writable: Sequence[Path], call: Call) -> Confinement:
    version = call("syscall", _CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    attributes = ruleset_of(version)
    ruleset = call("syscall", _CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    try:
        for path in (*writable, _ALWAYS_WRITABLE):
            _allow(path, ruleset, attributes.handled_access_fs, call)
        call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return Confinement(by="landlock", landlock=version, reason=_left_open_by(version))


def _left_open_by(version: int) -> str | None:
    is_whole = version >= _TRUNCATE_VERSION
    return None if is_whole else "they could still truncate a file; Linux 6.2 and newer prevent that"


def ruleset_of(version: int) -> _Ruleset:
    """Return all that a version of Landlock can refuse, but for reading and executing files."""
    return _Ruleset(
        sum(rights for since, rights in _FILE_RIGHTS.items() if since <= version),
        _BIND_AND_CONNECT_TCP if version >= _TCP_VERSION else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPE_VERSION else 0,
    )


def _allow(path: Path, ruleset: int, rights: int, call: Call) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights if path.is_dir() else rights & _OF_A_FILE, opened)
        call("syscall", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)


def _by_mounts(writable: Sequence[Path], call: Call) -> Confinement:
    """Make everything else read-only for this process; a copy of it tries first, for half is worse than none.

    It gives up every right but to read, so that it cannot undo it.
    """
    paths = [path.resolve() for path in writable]
    _try_in_a_copy(lambda: _enter_namespaces(paths, call))
    _enter_namespaces(paths, call)
    is_root = os.geteuid() == _ROOT
    reason = "as root they could still write to device files; measure as another user" if is_root else None
    return Confinement(by="mount namespace", reason=reason)


def _try_in_a_copy(act: Callable[[], None]) -> None:
    """Raise the OSError that `act` meets in a copy of this process."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except OSError as error:
            os._exit(error.errno or errno.EIO)
        except BaseException:  # noqa: BLE001 - a copy must never go on with what the process was about
            os._exit(errno.EIO)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(abs(code), os.strerror(abs(code)))


def _enter_namespaces(writable: Sequence[Path], call: Call) -> None:
    user, group = os.geteuid(), os.getegid()
    if user == _ROOT:  # root could not read files of other users in a user namespace
        call("unshare", _CLONE_NEWNS)
    else:
        call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    for path in writable:
        call("mount", bytes(path), bytes(path), None, _MS_BIND, None)
    _make_read_only(writable, call)
    os.chdir(Path.cwd())  # the folder may be on one of those mounts now
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)(_CAP_DAC_READ_SEARCH, _CAP_DAC_READ_SEARCH))


def _make_read_only(writable: Sequence[Path], call: Call) -> None:
    """Make every mount read-only but those at `writable`."""
    try:
        _set_mount(Path("/"), _MountAttributes(set=_MOUNT_ATTR_RDONLY), _AT_RECURSIVE, call)
        for path in writable:
            _set_mount(path, _MountAttributes(clear=_MOUNT_ATTR_RDONLY), 0, call)
    except OSError:  # before Linux 5.12 each mount needs a call of its own
        for path, flags in _mounts():
            if path not in writable and os.path.exists(path):  # a mount that it cannot reach is not writable
                call("mount", None, bytes(path), None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags, None)


def _set_mount(path: Path, attributes: _MountAttributes, how: int, call: Call) -> None:
    size = ctypes.sizeof(attributes)
    call("syscall", _MOUNT_SETATTR, _AT_FDCWD, bytes(path), how, ctypes.byref(attributes), size)


def _mounts() -> Iterator[tuple[Path, int]]:
    """Yield the place and the flags of each mount, as mountinfo has them: see proc_pid_mountinfo(5)."""
    for line in os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).strip("\n").split("\n"):
        place, options = line.split(" ")[4:6]
        path = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), place)
        yield Path(path), sum(_MOUNT_FLAGS.get(option, 0) for option in options.split(","))
