"""Copies a picked artifact out of its bundle, with what the last mile needs, into a folder that is whole."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.bundle.manifest import MANIFEST, Bundle, FileRecord, describe, read_bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice
from bench.choose.ship.card import UNCHANGING, card_of
from bench.choose.ship.classify_script import example_of, requirements_of
from bench.errors import InputError
from bench.filesystem.whole_files import files_below, sha256_of, whole_folder
from bench.record import Record
from bench.report.schema import Report

CARD = "CARD.md"
RECORD = "shipped.json"


class Shipped(Record):
    """`shipped.json`: which artifact was copied out, and every other file that edgefit wrote beside it."""

    schema_: Literal[1] = Field(alias="schema")
    variant: str
    files: tuple[FileRecord, ...]


def find_bundle(report: Report, given: Path | None, near: Sequence[Path]) -> Bundle:
    """Return the very bundle that a report measured: the one given, else where it lay, else near by.

    Raises InputError if there is none, or if the one given is another.
    """
    wanted = report.bundle.sha256
    if given is not None:
        opened = read_bundle(given)
        if opened.sha256 != wanted:
            raise InputError(
                f"{given}: is not the bundle that the report '{report.name}' measured (its manifest's "
                f"SHA-256 is {opened.sha256[:12]}, not {wanted[:12]}); give --bundle that one, or measure "
                "this one"
            )
        return opened
    for folder in _places(report, near):
        manifest = folder / MANIFEST
        with suppress(OSError):
            if manifest.is_file() and sha256_of(manifest) == wanted:
                return read_bundle(folder)
    raise InputError(
        f"the bundle '{report.bundle.name}' that the report '{report.name}' measured is not where it lay; "
        "say where it is with --bundle BUNDLE"
    )


def _places(report: Report, near: Sequence[Path]) -> Iterator[Path]:
    if report.bundle.folder is not None:
        yield Path(report.bundle.folder)
    for folder in (*near, Path.cwd()):
        yield folder
        with suppress(OSError):  # a folder that may not be looked into holds nothing for us
            yield from sorted(folder.iterdir())


def ship(choice: Choice, pick: Candidate, bundle: Bundle, target: Path, overwrite: bool) -> None:
    """Write the picked artifact with `classify.py`, `requirements.txt` and `CARD.md` into a new folder."""
    artifact = next(one for one in bundle.manifest.artifacts if one.variant == pick.run.variant)
    with whole_folder(target, written_files, overwrite, "--ship") as folder:
        for file in artifact.files:
            copy = folder / file.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.folder / file.path, copy)
        texts = {
            "classify.py": example_of(bundle.manifest, artifact, pick.run),
            "requirements.txt": requirements_of(artifact, pick.run, pick.report.profile),
            CARD: card_of(choice, pick, bundle, artifact),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        files = tuple(describe(folder, folder / path) for path in files_below(folder))
        record = Shipped(schema=1, variant=artifact.variant, files=files)
        (folder / RECORD).write_text(record.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the files that `ship` wrote into `folder` by path, each with its SHA-256; None if it wrote none.

    Raises InputError for what an earlier version shipped, which left no list of its files.
    """
    try:
        shipped = Shipped.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        if _was_shipped_without_record(folder):
            raise InputError(
                f"{folder}: was shipped by an earlier version, and has no {RECORD} that says which files are"
                " edgefit's; remove the folder, or choose another --ship"
            ) from None
        return None
    return {**{file.path: file.sha256 for file in shipped.files}, RECORD: None}


def _was_shipped_without_record(folder: Path) -> bool:
    try:
        return UNCHANGING in (folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
