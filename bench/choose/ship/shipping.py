"""Copies the chosen artifact out of its bundle, with an example, its requirements and a card."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.bundle.manifest import MANIFEST, ArtifactRecord, Bundle, FileRecord, describe, read_bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice
from bench.choose.ship.card import card_of
from bench.choose.ship.classify_script import example_of, given_to, requirements_of
from bench.choose.ship.preprocess_script import preprocess_script_of
from bench.errors import InputError
from bench.filesystem.whole_files import files_below, whole_folder
from bench.record import Record
from bench.report.schema import Report
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.hashes import sha256_of

CARD = "CARD.md"
EXAMPLE = "classify.py"
RECORD = "shipped.json"
# The cards of the versions that wrote no record contain this sentence.
_EARLIER_CARD = "`classify.py` does just that; the network normalises by itself."


class Shipped(Record):
    """`shipped.json`: the artifact that was copied, and the other files that edgefit wrote."""

    schema_: Literal[1] = Field(alias="schema")
    """The version of this shape."""
    variant: str
    """The variant that was copied."""
    files: tuple[FileRecord, ...]
    """The files of the folder, without this one."""


@dataclass(frozen=True)
class Example:
    """What was written beside an artifact."""

    files: tuple[str, ...]
    """The names of the files."""
    argument: str
    """What `classify.py` is given, as help calls it."""


def find_bundle(report: Report, given: Path | None, near: Sequence[Path]) -> Bundle:
    """Return the bundle that a report measured: the given one, else at its recorded place, else near by.

    Raises InputError if no such bundle is found, or if the given one is another bundle.
    """
    if report.bundle is None:
        raise InputError(
            f"the report '{report.name}' measured model files, and --ship copies from a bundle; ship the "
            "chosen file itself"
        )
    sha256, measured_in = report.bundle.sha256, report.bundle.folder
    if given is not None:
        opened = read_bundle(given)
        if opened.sha256 != sha256:
            raise InputError(
                f"{given}: this is not the bundle that the report '{report.name}' measured (its manifest's "
                f"SHA-256 is {opened.sha256[:12]}, expected {sha256[:12]}); give the measured bundle with "
                "--bundle, or measure this one"
            )
        return opened
    for folder in _places(measured_in, near):
        manifest = folder / MANIFEST
        with suppress(OSError):
            if manifest.is_file() and sha256_of(manifest) == sha256:
                return read_bundle(folder)
    raise InputError(
        f"the bundle '{report.bundle.name}' that the report '{report.name}' measured was not found; "
        "give its folder with --bundle BUNDLE"
    )


def _places(measured: str | None, near: Sequence[Path]) -> Iterator[Path]:
    if measured is not None:
        yield Path(measured)
    for folder in (*near, Path.cwd()):
        yield folder
        with suppress(OSError):  # a folder without read permission has no bundle to read
            yield from sorted(folder.iterdir())


def _artifact_of(bundle: Bundle, chosen: Candidate) -> ArtifactRecord:
    for record in bundle.manifest.artifacts:
        if record.variant == chosen.run.variant:
            return record
    raise InputError(
        f"{bundle.folder} has no variant '{chosen.run.variant}', which the report '{chosen.report.name}' "
        "measured; measure this bundle again"
    )


def ship(choice: Choice, chosen: Candidate, bundle: Bundle, target: Path, overwrite: bool) -> Example:
    """Write the chosen artifact with an example, its requirements and a card into a new folder."""
    artifact = _artifact_of(bundle, chosen)
    texts = _texts_of(choice, chosen, bundle, artifact)
    with whole_folder(target, written_files, overwrite, "--ship") as folder:
        for file in artifact.files:
            _copy(bundle, file, folder / file.path)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        files = tuple(describe(folder, folder / path) for path in files_below(folder))
        record = Shipped(schema=1, variant=artifact.variant, files=files)
        (folder / RECORD).write_text(record.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
    return Example(tuple(texts), given_to(bundle.manifest, artifact).argument)


def _copy(bundle: Bundle, file: FileRecord, target: Path) -> None:
    """Copy a file of a bundle. Raises InputError if it is no longer the one that was measured."""
    source = bundle.folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if sha256_of(target) != file.sha256:
        raise InputError(f"{source} changed while it was copied; export the bundle again, or restore it")


def _texts_of(choice: Choice, chosen: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> dict[str, str]:
    """Return what is written beside an artifact, by the names of the files."""
    manifest, run = bundle.manifest, chosen.run
    preprocess = preprocess_script_of(manifest, artifact)
    return {
        EXAMPLE: example_of(bundle, artifact, run),
        **({} if preprocess is None else {"preprocess.py": preprocess}),
        "requirements.txt": requirements_of(manifest, artifact, run, chosen.report.profile),
        CARD: card_of(choice, chosen, bundle, artifact),
    }


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the SHA-256 of each file that `ship` wrote into `folder`, by its path; None if it wrote none.

    Raises InputError for a folder of an earlier version, which wrote no list of its files.
    """
    try:
        shipped = Shipped.of_json(content_of(folder / RECORD, LARGEST_DOCUMENT))
    except (OSError, ContentError, ValidationError):
        if _was_shipped_without_record(folder):
            raise InputError(
                f"{folder}: an earlier version of edgefit wrote this folder, and no {RECORD} lists its "
                "files; remove the folder, or choose another --ship"
            ) from None
        return None
    return {**{file.path: file.sha256 for file in shipped.files}, RECORD: None}


def _was_shipped_without_record(folder: Path) -> bool:
    try:
        return _EARLIER_CARD in content_of(folder / CARD, LARGEST_DOCUMENT).decode()
    except (OSError, ValueError):
        return False
