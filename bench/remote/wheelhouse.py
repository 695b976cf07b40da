"""A folder of wheels for a board, gathered where a network is: what it is for, and what it holds."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.errors import InputError
from bench.filesystem.whole_files import sha256_of, whole_folder, write_whole
from bench.progress import Progress
from bench.record import Record
from bench.remote.job_spec import Selection, requirements_for
from bench.remote.wheels import Place, gather, needed
from device_profiles.validation import explain

MARKER = "wheelhouse.json"


class Wheelhouse(Record):
    """What lies in such a folder. `wheels`: SHA-256 by file name; the rest says where they run, and what."""

    python: str
    glibc: str
    machine: str
    formats: tuple[str, ...]
    wheels: dict[str, str]


def fill_wheelhouse(
    folder: Path, place: Place, chosen: Selection, has_own: bool, overwrite: bool, progress: Progress
) -> Wheelhouse:
    """Gather the wheels for some formats at a place into a new folder.

    `has_own`: the board's runtimes are packages of its system. Raises what whole_folder and gather raise.
    """
    with whole_folder(folder, written_files, overwrite) as part:
        wheels = gather(place, requirements_for(chosen, has_own), part, progress)
        held = Wheelhouse(
            python=place.python,
            glibc=place.glibc,
            machine=place.machine,
            formats=chosen.formats,
            wheels={wheel.name: sha256_of(wheel) for wheel in wheels},
        )
        write_whole(part / MARKER, held.model_dump_json(indent=2) + "\n")
    return held


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the files of the wheelhouse in `folder` by name, each with its SHA-256; None if it is none.

    The hash of `wheelhouse.json` is not known: what it says makes it one.
    """
    try:
        held = Wheelhouse.model_validate_json((folder / MARKER).read_bytes())
    except (OSError, ValidationError):
        return None
    return {**held.wheels, MARKER: None}


def wheels_in(folder: Path, place: Place, chosen: Selection, has_own: bool) -> Sequence[Path]:
    """Return the wheels for some formats out of a folder that `fill_wheelhouse` filled.

    Raises InputError if it is none, was filled for another place or lacks a format, or a wheel is damaged.
    """
    fill = (
        f"fill it with: edgefit wheelhouse --python {place.python} --glibc {place.glibc} --machine"
        f" {place.machine} --formats {','.join(chosen.formats)} --out {shlex.quote(str(folder))} --overwrite"
    )
    try:
        held = Wheelhouse.model_validate_json((folder / MARKER).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder}: is no wheelhouse (it has no {MARKER}); {fill}") from None
    except ValidationError as error:
        raise InputError(f"{explain(folder / MARKER, error, Wheelhouse)}; {fill}") from None
    except OSError as error:
        raise InputError(f"{folder / MARKER}: cannot be read ({error.strerror}); {fill}") from None
    if not place.runs_wheels_of(Place(held.python, held.glibc, held.machine)):
        for_ = Place(held.python, held.glibc, held.machine).words
        raise InputError(f"{folder}: is for {for_}, and the board has {place.words}; {fill}")
    missing = [name for name in chosen.formats if name not in held.formats and name not in chosen.own]
    if missing:
        raise InputError(f"{folder}: holds no runtime for {', '.join(missing)}; {fill}")
    for name, sha256 in held.wheels.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256:
            raise InputError(f"{folder / name}: is not the wheel that was gathered; {fill}")
    return needed(place, requirements_for(chosen, has_own), [folder / name for name in held.wheels])
