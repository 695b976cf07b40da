"""A folder of wheels for a board, filled where a network is, for use where none is."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from bench.errors import InputError
from bench.filesystem.whole_files import whole_folder, write_whole
from bench.progress import Progress
from bench.record import Record
from bench.remote.job_spec import Selection, requirements_for
from bench.remote.wheel_files import is_wheel_name
from bench.remote.wheels import Platform, download_wheels, select_wheels
from device_profiles.part import Text
from device_profiles.validation import explain
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_changed
from user_files.hashes import sha256_of
from user_files.path_kinds import wrong_path

MARKER = "wheelhouse.json"


def _refuse_other(name: str) -> str:
    if not is_wheel_name(name):
        raise ValueError(f"{name!r} is not the name of a wheel in this folder")
    return name


WheelName = Annotated[str, AfterValidator(_refuse_other)]
"""The name of a wheel's file; it leads to no other folder."""


class Wheelhouse(Record):
    """What lies in such a folder, and what it is for."""

    python: Annotated[str, Field(pattern=r"^3\.[0-9]{1,3}$")]
    """The version of Python that the wheels support."""

    glibc: Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]
    """The version of the C library that they need."""

    machine: Text
    """The processor's architecture that they support."""

    formats: tuple[Text, ...]
    """The formats whose runtimes they hold."""

    wheels: dict[WheelName, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]]
    """The SHA-256 of each wheel by its file name."""

    @property
    def platform(self) -> Platform:
        """The platform that the wheels support."""
        return Platform(self.python, self.glibc, self.machine)


def fill_wheelhouse(
    folder: Path,
    platform: Platform,
    selection: Selection,
    has_system_runtimes: bool,
    overwrite: bool,
    progress: Progress,
) -> Wheelhouse:
    """Download the wheels for some formats on a platform into a new folder.

    `has_system_runtimes`: the board's runtimes are packages of its system. Raises what whole_folder and
    download_wheels raise.
    """
    with whole_folder(folder, written_files, overwrite) as part:
        wheels = download_wheels(platform, requirements_for(selection, has_system_runtimes), part, progress)
        wheelhouse = Wheelhouse(
            python=platform.python,
            glibc=platform.glibc,
            machine=platform.machine,
            formats=selection.formats,
            wheels={wheel.name: sha256_of(wheel) for wheel in wheels},
        )
        write_whole(part / MARKER, wheelhouse.model_dump_json(indent=2) + "\n")
    return wheelhouse


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the files of the wheelhouse in `folder` by name, each with its SHA-256; None if it is not one.

    `wheelhouse.json` has no hash there: its content makes the folder a wheelhouse.
    """
    try:
        wheelhouse = Wheelhouse.of_json(content_of(folder / MARKER, LARGEST_DOCUMENT))
    except (OSError, ContentError, ValidationError):
        return None
    return {**wheelhouse.wheels, MARKER: None}


def wheels_in(
    folder: Path, platform: Platform, selection: Selection, has_system_runtimes: bool
) -> Sequence[Path]:
    """Return the wheels for some formats out of a folder that `fill_wheelhouse` filled.

    Raises InputError if the folder is not a wheelhouse, is for another platform, lacks a format, or has a
    damaged wheel.
    """
    remedy = (
        f"fill it with: edgefit wheelhouse --python {platform.python} --glibc {platform.glibc} --machine"
        f" {platform.machine} --formats {','.join(selection.formats)} --out {shlex.quote(str(folder))}"
        " --overwrite"
    )
    wheelhouse = _read(folder, remedy)
    if not platform.runs_wheels_of(wheelhouse.platform):
        raise InputError(
            f"{folder}: this wheelhouse is for {wheelhouse.platform.label}, and the board has"
            f" {platform.label}; {remedy}"
        )
    needed = [name for name in selection.formats if name not in selection.from_system]
    if missing := [name for name in needed if name not in wheelhouse.formats]:
        raise InputError(f"{folder}: this wheelhouse has no runtime for {', '.join(missing)}; {remedy}")
    for name, sha256 in wheelhouse.wheels.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256:
            raise InputError(
                why_changed(folder / name, sha256)
                or f"{folder / name}: this wheel is missing or was changed; {remedy}"
            )
    requirements = requirements_for(selection, has_system_runtimes)
    return select_wheels(platform, requirements, [folder / name for name in wheelhouse.wheels])


def _read(folder: Path, remedy: str) -> Wheelhouse:
    try:
        return Wheelhouse.of_json(content_of(folder / MARKER, LARGEST_DOCUMENT))
    except ContentError as error:
        raise InputError(f"{folder / MARKER} {error}; {remedy}") from None
    except (FileNotFoundError, NotADirectoryError):
        fault = wrong_path(folder, f"a wheelhouse (it has no {MARKER})", remedy)
        raise InputError(f"{folder}: {fault}") from None
    except ValidationError as error:
        raise InputError(f"{explain(folder / MARKER, error, Wheelhouse)}; {remedy}") from None
    except OSError as error:
        raise InputError(
            f"{folder / MARKER}: this file cannot be read ({error.strerror}); {remedy}"
        ) from None
