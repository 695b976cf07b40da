"""Whether the files of a source are still those that an export began with.

Each of its processes opens them by their paths, and the last one does so minutes after the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.referred_files import referred_files
from bench.bundle.source_record import SourceKind
from bench.errors import InputError
from bench.harness.unchanged_files import FileState
from export.sources.recognising import NETWORKS
from export.sources.spec import SourceSpec


@dataclass(frozen=True)
class SourceFiles:
    """The files of a source, as they were before the first process opened one."""

    states: Mapping[Path, FileState | None]
    """The state of each file."""

    @classmethod
    def of(cls, spec: SourceSpec) -> "SourceFiles":
        """Read the state of a source's files; those of a network in Python are its weights alone."""
        return cls({path: FileState.of(path) for path in _files_of(spec)})

    def refuse_changed(self) -> None:
        """Raise InputError if a file was changed since."""
        for path, before in self.states.items():
            if FileState.of(path) != before:
                raise InputError(
                    f"{path} was changed, replaced or deleted while it was exported, so that the variants "
                    "may be those of two models; export again, and leave it alone until the end"
                )


def _files_of(spec: SourceSpec) -> Iterator[Path]:
    if spec.weights is not None:
        yield Path(spec.weights)
    if spec.kind in NETWORKS:
        return
    path = Path(spec.name)
    if path.is_dir():
        yield from (file for file in path.iterdir() if file.is_file())
        return
    yield path
    if spec.kind in (SourceKind.ONNX, SourceKind.OPENVINO):
        yield from (path.parent / name for name in referred_files(path))
