"""What is measured on a board, as a job carries it: files by their hashes, and what the job reads of them.

A bundle's files keep their paths. Each model file lies in a folder of its own with the files that belong to
it, because two models may refer to different files by one name.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from bench.bundle.manifest import MANIFEST, Bundle
from bench.bundle.model_files import ModelFile, display_names
from bench.bundle.model_set import RANDOM_VALUES
from bench.remote.job_folder import (
    BundleFiles,
    JobSubject,
    NetworkFiles,
    ReadModel,
    ReadModels,
    SeveralNetworks,
    UnreadModels,
)
from bench.run.model_set import ModelSet, UnopenedModels
from bench.run.parts import Networks
from user_files.hashes import sha256_of
from user_files.reading import reading

Measurable: TypeAlias = Bundle | ModelSet | UnopenedModels
"""What has one report."""

Subject: TypeAlias = Measurable | Networks
"""What a board can be given to measure."""


_PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class File:
    """A file to be sent, by its hash."""

    sha256: str
    """Its SHA-256."""

    content: Path | bytes
    """Where it lies, or its bytes."""

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes piece by piece: a runtime's file may be larger than the memory."""
        with io.BytesIO(self.content) if isinstance(self.content, bytes) else reading(self.content) as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


@dataclass(frozen=True)
class JobFiles:
    """The files of what is measured, and how the job's process finds them."""

    sha256: str
    """What tells it from everything else that could be measured."""

    subject: JobSubject
    """What the job's process reads."""

    files: Mapping[str, File]
    """The files by their paths in the job's folder of files."""


@dataclass(frozen=True)
class Offer:
    """A variant or a model file that could be measured."""

    name: str
    """What its row is called."""

    format: str
    """Its format."""

    is_named: bool
    """Whether it was asked for by name, so that a board that cannot run it is an error."""


def offers_of(subject: Subject, only: Sequence[str]) -> list[Offer]:
    """Return the variants of a bundle that `only` names, all of them if it is empty; or the model files."""
    if isinstance(subject, Networks):
        return [offer for part in subjects_of(subject) for offer in offers_of(part, only)]
    if isinstance(subject, Bundle):
        artifacts, is_named = subject.select(only), bool(only)
        return [Offer(artifact.variant, artifact.format, is_named) for artifact in artifacts]
    files = files_of_models(subject)
    names = display_names([file.path for file in files])
    return [Offer(name, file.format, is_named=True) for name, file in zip(names, files, strict=True)]


def subjects_of(subject: Subject) -> list[Measurable]:
    """Return what each report is of."""
    if not isinstance(subject, Networks):
        return [subject]
    return [each.subject for each in subject.measured]


def job_files(subject: Subject, variants: Sequence[str]) -> JobFiles:
    """Return the files that a board needs; `variants`: those of a bundle that are measured there."""
    if isinstance(subject, Networks):
        return _of_networks(subject, variants)
    if isinstance(subject, Bundle):
        own = [artifact.variant for artifact in subject.manifest.artifacts_of(variants)]
        return _of_bundle(subject, tuple(own))
    return _of_models(subject) if isinstance(subject, ModelSet) else _of_unopened(subject)


def name_of(subject: Subject) -> str:
    """Return what its report is called unless a name is given."""
    if isinstance(subject, Networks):
        return ", ".join(each.network or name_of(each.subject) for each in subject.measured)
    if isinstance(subject, Bundle):
        return subject.manifest.name
    if isinstance(subject, ModelSet):
        return subject.record.name
    return offers_of(subject, ())[0].name


def personal_content(subject: Subject) -> str | None:
    """Return what of it may show patients: `16 evaluation images`; None if nothing does."""
    if isinstance(subject, Networks):
        parts = dict.fromkeys(content for each in subjects_of(subject) if (content := personal_content(each)))
        return " and ".join(parts) or None
    if isinstance(subject, Bundle):
        return f"{subject.manifest.pack.images} evaluation images"
    if isinstance(subject, UnopenedModels):
        return None
    inputs = [model.record.values for model in subject.models]
    sources = dict.fromkeys(values.source for values in inputs if values.source != RANDOM_VALUES)
    return f"inputs of {' and '.join(sources)}" if sources else None


def files_of_models(models: ModelSet | UnopenedModels) -> list[ModelFile]:
    """Return the model files, whether they were opened or not."""
    return [model.file for model in models.models] if isinstance(models, ModelSet) else list(models.files)


def _of_networks(networks: Networks, variants: Sequence[str]) -> JobFiles:
    """Return the files of each network in a folder of its own, which its number names."""
    parts = [job_files(each.subject, variants) for each in networks.measured]
    described = []
    for number, (each, part) in enumerate(zip(networks.measured, parts, strict=True)):
        assert not isinstance(part.subject, SeveralNetworks)
        described.append(NetworkFiles(folder=str(number), network=each.network, subject=part.subject))
    key = [(each.network, part.sha256) for each, part in zip(networks.measured, parts, strict=True)]
    return JobFiles(
        sha256=hashlib.sha256(repr(key).encode()).hexdigest(),
        subject=SeveralNetworks(networks=tuple(described)),
        files={
            f"{number}/{path}": file for number, part in enumerate(parts) for path, file in part.files.items()
        },
    )


def _of_bundle(bundle: Bundle, variants: tuple[str, ...]) -> JobFiles:
    records = bundle.manifest.files(variants)
    files = {record.path: File(record.sha256, bundle.folder / record.path) for record in records}
    return JobFiles(
        sha256=bundle.sha256,
        subject=BundleFiles(variants=variants),
        files={MANIFEST: File(bundle.sha256, bundle.folder / MANIFEST), **files},
    )


def _of_models(models: ModelSet) -> JobFiles:
    placed = list(_placed(files_of_models(models)))
    packs = [f"inputs/{model.record.values.sha256}.npz" for model in models.models]
    read = tuple(ReadModel(files=tuple(files), pack=pack) for files, pack in zip(placed, packs, strict=True))
    files = {path: file for paths in placed for path, file in paths.items()}
    for pack, model in zip(packs, models.models, strict=True):
        files[pack] = File(model.record.values.sha256, model.pack)
    subject = ReadModels(models=read, record=models.record, warnings=models.warnings)
    return JobFiles(models.record.sha256, subject, files)


def _of_unopened(models: UnopenedModels) -> JobFiles:
    placed = list(_placed(models.files))
    key = ([file.sha256 for file in models.files], sorted(models.shapes.items()), models.judged_output)
    return JobFiles(
        sha256=hashlib.sha256(repr(key).encode()).hexdigest(),
        subject=UnreadModels(
            entries=tuple(next(iter(paths)) for paths in placed),
            shapes=models.shapes,
            judged_output=models.judged_output,
        ),
        files={path: file for paths in placed for path, file in paths.items()},
    )


def _placed(models: Sequence[ModelFile]) -> Iterator[dict[str, File]]:
    """Yield of each model its files by their paths in a job, the one to load first.

    The end of the path is the model's name, so that the board calls its row the same.
    """
    names = display_names([model.path for model in models])
    for index, (model, name) in enumerate(zip(models, names, strict=True)):
        entry = PurePosixPath("models", str(index), name.lstrip("/"))
        further = {
            (entry.parent / file.relative_to(model.path.parent)).as_posix(): File(sha256_of(file), file)
            for file in model.files[1:]
        }
        yield {entry.as_posix(): File(sha256_of(model.path), model.path), **further}
