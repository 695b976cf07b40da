"""Whether the files of a case are still those whose hash was taken before the run.

Each process opens them by their paths, long after they were hashed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from bench.harness.plan import Case
from bench.measurements import Completed, Failed, FailureKind, Outcome, Stage
from user_files.hashes import sha256_of, sha256_of_files


@dataclass(frozen=True)
class FileState:
    """What changes with a file's content, and costs nothing to read."""

    inode: int
    """Which file it is."""
    size_bytes: int
    """Its size."""
    modified_ns: int
    """When it was written."""

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """Return the state of a file; None if it cannot be read."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class FilesOfCase:
    """The files that a case's processes open, as they were before the first one."""

    case: Case
    """The case."""
    pack: Path | None
    """The evaluation pack of a bundle; None for a model file, whose inputs edgefit has made itself."""
    pack_sha256: str
    """Its SHA-256."""
    states: Mapping[Path, FileState | None]
    """The state of each file."""

    @classmethod
    def of(cls, case: Case) -> "FilesOfCase":
        """Read the state of a case's files."""
        evaluation = case.evaluation
        pack = None if evaluation is None else evaluation.pack
        paths = (*case.files, *(() if pack is None else (pack,)))
        sha256 = "" if evaluation is None else evaluation.pack_sha256
        return cls(case, pack, sha256, {path: FileState.of(path) for path in paths})

    def changed(self) -> Path | None:
        """Return a file that is not what it was when its hash was taken; None if all are."""
        for path, before in self.states.items():
            if before is None or FileState.of(path) != before:
                return path
        try:
            return self._with_other_hash()
        except OSError as error:
            return Path(error.filename or self.case.entry)

    def _with_other_hash(self) -> Path | None:
        """Hash all files again: one may have been changed between its hash and the run."""
        case = self.case
        if self.pack is not None and sha256_of(self.pack) != self.pack_sha256:
            return self.pack
        if case.artifact is None:
            return case.entry if sha256_of_files(case.files) != case.digest else None
        hashed = zip(case.files, case.artifact.files, strict=True)
        return next((path for path, record in hashed if sha256_of(path) != record.sha256), None)


def sentence_on(changed: Path) -> str:
    """Say that a file was changed."""
    return (
        f"{changed} was changed, replaced or deleted while it was measured, so that the figures may be those "
        "of two files; measure again, and leave it alone until the end"
    )


def unless_changed(outcome: Outcome, files: FilesOfCase) -> Outcome:
    """Return the outcome of a case, which has failed if one of its files was changed meanwhile."""
    if not isinstance(outcome, Completed) or (changed := files.changed()) is None:
        return outcome
    return Failed(stage=Stage.LOAD, kind=FailureKind.CHANGED, message=sentence_on(changed))


def refuse_changed(files: Iterable[FilesOfCase]) -> None:
    """Raise InputError if a file was changed while it was measured."""
    for each in files:
        if (changed := each.changed()) is not None:
            raise InputError(sentence_on(changed))
