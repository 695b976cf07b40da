"""The bundle contract: what export writes and bench reads, with the hash of every file.

It knows the manifest's shape and the files' integrity; it knows no runtime and runs nothing.
"""

import hashlib
import json
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationError, model_validator

from bench.bundle.cpu_class import TARGETS, CpuClass
from bench.bundle.evaluation_pack import EvaluationPack, open_pack
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.preprocessing import PreprocessingRecord, StatedPreprocessing, kind_of_preprocessing
from bench.bundle.recipe import Search
from bench.bundle.referred_files import leads_outside, referred_files
from bench.bundle.schema1 import renamed_manifest
from bench.bundle.signature import Signature, Tensor, image_input, with_shapes
from bench.bundle.source_record import SourceRecord
from bench.bundle.variants import Precision, choose
from bench.errors import InputError, first_sentence
from bench.filesystem.whole_files import files_below
from bench.record import Record
from device_profiles.part import Text
from device_profiles.validation import explain
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_changed, why_replaced
from user_files.hashes import sha256_of
from user_files.json_text import json_of
from user_files.missing_paths import missing_hint
from user_files.path_kinds import wrong_path
from user_files.path_names import why_unwritable
from user_files.text import utf8_of
from user_files.versions import is_schema_1

MANIFEST = "manifest.json"


def _inside_the_bundle(path: str) -> str:
    if leads_outside(path):
        raise ValueError("must be a path inside the bundle")
    return PurePosixPath(path).as_posix()


RelativePath = Annotated[str, AfterValidator(_inside_the_bundle)]


class FileRecord(Record):
    """One file of the bundle."""

    path: RelativePath
    """Its path, relative to the bundle."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Its SHA-256 in hexadecimal."""
    size_bytes: int = Field(ge=0)
    """Its size."""


class ModelRecord(Record):
    """Which network this is."""

    arch: Text
    """Its architecture; of a model file the file's name."""
    classes: tuple[Text, ...]
    """The classes, or the labels, in the order of the output; empty where nobody named them."""
    image_size: int | None = Field(ge=1)
    """The side of its square input in pixels; null where the input is no square image."""
    weights: Text
    """What fine-tuning started from; of another source the file with its weights."""
    data: Text
    """What it was tuned on; of another source the data that it was evaluated on."""
    source: SourceRecord | None = None
    """What it was made from; null for a run folder."""


Preprocessing = Annotated[
    Annotated[PreprocessingRecord, Tag("record")]
    | Annotated[Preprocess, Tag("any")]
    | Annotated[StatedPreprocessing, Tag("stated")],
    Discriminator(kind_of_preprocessing),
]


class PackRecord(Record):
    """The evaluation pack."""

    file: FileRecord
    """Its file."""
    images: int = Field(ge=1)
    """How many samples it holds."""
    positive_class: int | None = Field(default=None, ge=0)
    """The class that counts as positive; null unless there are two labelled classes."""
    labelled: bool = True
    """Whether its samples have labels."""
    sources_sha256: str | None = None
    """The SHA-256 of its images as they were before they were resized, in their order, by which bundles of
    other image sizes are known to have the same ones; null where it was not taken."""


class VerificationRecord(Record):
    """An artifact's outputs on evaluation images, compared with the fp32 reference's."""

    images: int = Field(ge=1)
    """The number of images, the first ones of the evaluation pack."""
    largest_difference: float
    """The largest absolute difference of two logits."""
    sqnr_db: float | None
    """10·log10(signal power ÷ error power) in dB; null where the error is exactly zero."""
    agreement: float | None = Field(ge=0, le=1)
    """Share of images with the same predicted class; null where the output holds no classes."""
    flips: tuple[int, ...]
    """Indices of the other images."""
    retention: float | None = Field(ge=0)
    """Accuracy ÷ the reference's; null without labels."""
    retention_ci95: tuple[float, float] | None
    """The 95 % interval of the retention."""
    mcnemar_p: float | None = Field(ge=0, le=1)
    """p of the exact McNemar test on the images that only one of the two classifies correctly; null without
    labels."""


class ClassVerification(Record):
    """An int8 artifact's predictions on one CPU class."""

    cpu_class: CpuClass = Field(strict=False)
    """The class."""
    how: Literal["measured", "simulated"]
    """`measured`: on a CPU of that class. `simulated`: computed here with sums that do not saturate, as on
    every class that the artifact is made for."""
    images: int = Field(ge=1)
    """The number of images, the first ones of the evaluation pack."""
    agreement: float | None = Field(ge=0, le=1)
    """Share of images with the reference's class; null where the output holds no classes."""
    sqnr_db: float | None
    """10·log10(signal power ÷ error power) in dB; null where the error is exactly zero."""


class ArtifactRecord(Record):
    """The files of one variant, and how they were made and verified."""

    variant: str
    """Format and precision, such as `onnx-int8`."""
    format: str
    """The format."""
    precision: Precision = Field(strict=False)
    """The precision."""
    entry: RelativePath
    """The file that a runtime loads, relative to the bundle."""
    files: tuple[FileRecord, ...] = Field(min_length=1)
    """All files that the variant needs."""
    producer: str
    """The library that wrote it, with its version."""
    verification: VerificationRecord
    """Its outputs compared with the fp32 reference's."""
    seconds: float = Field(ge=0)
    """How long it took to make it."""
    opset: int | None = None
    """The operator set of ONNX; null for other formats."""
    engine: str | None = None
    """The engine of int8 TorchScript that is made for one engine; null otherwise."""
    cpu: str | None = None
    """What int8 is made for: a value of `--cpu`. Null for other precisions, and in schema 1."""
    classes: tuple[ClassVerification, ...] = ()
    """The CPU classes on which int8 was verified; empty for other precisions, and in schema 1."""
    method: str | None = None
    """How int8 was made, or what fp16 stores in half precision."""
    calibration_images: int | None = None
    """The number of training images on which the ranges of int8 were found."""
    excluded_modules: tuple[str, ...] = ()
    """The network's modules that int8 keeps in fp32, and those whose weights fp16 cannot hold."""
    search: Search | None = None
    """How the recipe of int8 was found; null if it was not searched for."""
    signature: Signature | None = None
    """The file's inputs and outputs; null in schema 1, whose artifacts take one RGB image in [0, 1]."""
    warnings: tuple[str, ...] = ()
    """Warnings about this artifact, such as a goal that int8 misses, or weights that fp16 cannot hold."""

    @model_validator(mode="after")
    def _fits_together(self) -> "ArtifactRecord":
        if self.variant != f"{self.format}-{self.precision.value}":
            raise ValueError(f"variant '{self.variant}' is not {self.format}-{self.precision.value}")
        if self.cpu is not None and self.cpu not in TARGETS:
            raise ValueError(f"cpu '{self.cpu}' is not one of {', '.join(TARGETS)}")
        paths = [file.path for file in self.files]
        if self.entry not in paths:
            raise ValueError(f"entry '{self.entry}' is not one of the artifact's files")
        if len(set(paths)) < len(paths):
            raise ValueError(f"variant '{self.variant}' lists a file twice")
        return self

    @property
    def size_bytes(self) -> int:
        """All files that a device needs for this variant."""
        return sum(file.size_bytes for file in self.files)

    def inputs(self, side: int | None) -> tuple[Tensor, ...]:
        """The inputs of one inference, with fixed shapes; an artifact without a signature takes one image of
        `side` by `side` pixels."""
        if self.signature is None:
            assert side is not None
            return (image_input(side),)
        return with_shapes(self.variant, self.signature.inputs, {})


class FailedExport(Record):
    """A requested variant whose export failed."""

    variant: str
    """The variant."""
    stage: str
    """In which stage its export failed."""
    message: str
    """What the exporter said, in full."""

    @property
    def reason(self) -> str:
        """Why it is not there, in a line."""
        return f"its export failed in stage {self.stage}: {first_sentence(self.message)}"


class NotMade(Record):
    """A variant that cannot be made from the bundle's source."""

    variant: str
    """The variant."""
    reason: str
    """Why it cannot be made."""


class Manifest(Record):
    """The bundle's table of contents, `manifest.json`. Schema 2 is written; schema 1 is still read."""

    schema_: Literal[1, 2] = Field(alias="schema")
    """The version of this shape."""
    tool: str
    """The version of edgefit that wrote it."""
    name: Text
    """The bundle's name."""
    created: str
    """When it was made, ISO 8601."""
    model: ModelRecord
    """The network."""
    preprocessing: Preprocessing | None
    """How an image becomes an input; null for inputs that are no images."""
    pack: PackRecord
    """The evaluation pack."""
    artifacts: tuple[ArtifactRecord, ...]
    """The variants of the bundle."""
    failed: tuple[FailedExport, ...] = ()
    """The requested variants whose export failed."""
    not_made: tuple[NotMade, ...] = ()
    """The variants that cannot be made from this source."""
    notes: tuple[str, ...] = ()
    """What is worth knowing about the data and the preprocessing, in sentences."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Manifest":
        names = [artifact.variant for artifact in self.artifacts]
        names += [missing.variant for missing in self.missing]
        if len(set(names)) < len(names):
            raise ValueError("a variant occurs twice")
        positive = self.pack.positive_class
        if positive is not None and self.model.classes and positive >= len(self.model.classes):
            raise ValueError(f"pack.positive_class {positive} is not the index of a class")
        self._check_preprocessing()
        return self

    def _check_preprocessing(self) -> None:
        if isinstance(self.preprocessing, StatedPreprocessing):
            if self.schema_ == 2:
                raise ValueError("preprocessing is written in sentences, which only schema 1 allows")
            return
        if not isinstance(self.preprocessing, PreprocessingRecord):
            if self.model.source is None:
                raise ValueError("only a bundle with 'model.source' has other preprocessing, or none")
            return
        side = self.model.image_size
        if self.preprocessing.size != (side, side):
            size = self.preprocessing.size
            raise ValueError(
                f"preprocessing.size is {size}, but model.image_size is {side}; they must be equal"
            )
        if not self.preprocessing.is_unit_rgb:
            raise ValueError(
                "preprocessing does not end in three channels in [0, 1], and edgefit measures no other input"
            )

    @property
    def missing(self) -> tuple[FailedExport | NotMade, ...]:
        """The variants that the bundle does not have."""
        return (*self.failed, *self.not_made)

    def files(self, held: Container[str] | None = None) -> list[FileRecord]:
        """Every file of a bundle that contains only the variants `held`; all variants if None."""
        return [self.pack.file, *(file for artifact in self.artifacts_of(held) for file in artifact.files)]

    def artifacts_of(self, held: Container[str] | None) -> list[ArtifactRecord]:
        """The artifacts of the variants `held`; all if None."""
        return [artifact for artifact in self.artifacts if held is None or artifact.variant in held]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are all present and unchanged. `sha256` is that of the manifest."""

    folder: Path
    manifest: Manifest
    sha256: str

    def pack(self) -> EvaluationPack:
        """Open the evaluation pack, whose images stay in the file until they are asked for."""
        pack = open_pack(self.folder / self.manifest.pack.file.path)
        if not _is_pack_of(self.manifest, pack):
            raise InputError(
                f"{self.folder}: the evaluation pack does not fit the manifest; export the bundle again"
            )
        return pack

    def select(self, only: Sequence[str]) -> list[ArtifactRecord]:
        """Return the artifacts named in `only`, in the manifest's order; all of them if it is empty."""
        for missing in self.manifest.missing:
            if missing.variant in only:
                remedy = "export the bundle again" if isinstance(missing, FailedExport) else "leave it out"
                raise InputError(f"{missing.variant} is not in {self.folder}: {missing.reason}; {remedy}")
        names = [artifact.variant for artifact in self.manifest.artifacts]
        chosen = {choose(name, names, "variant") for name in only}
        return [artifact for artifact in self.manifest.artifacts if not only or artifact.variant in chosen]


def _is_pack_of(manifest: Manifest, pack: EvaluationPack) -> bool:
    """Whether a pack holds what the manifest says."""
    source, values = manifest.model.source, pack.reference_logits.shape[1]
    if len(pack) != manifest.pack.images or (pack.labels is not None) != manifest.pack.labelled:
        return False
    if source is None:
        side = manifest.model.image_size
        is_sized = pack.images is not None and pack.images.shape[1:3] == (side, side)
        return is_sized and values == len(manifest.model.classes) and _are_classes(pack, values)
    if pack.preprocess != (manifest.preprocessing if pack.images is not None else None):
        return False
    return source.output.kind != "classes" or _are_classes(pack, max(2, values))


def _are_classes(pack: EvaluationPack, classes: int) -> bool:
    labels = pack.labels
    return labels is None or bool(labels.ndim == 1 and 0 <= labels.min() <= labels.max() < classes)


def describe(folder: Path, path: Path) -> FileRecord:
    """Return the record of a file in `folder`."""
    return FileRecord(
        path=path.relative_to(folder).as_posix(), sha256=sha256_of(path), size_bytes=path.stat().st_size
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a bundle folder under construction."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")


def read_bundle(folder: Path, held: Container[str] | None = None) -> Bundle:
    """Read a bundle and check the hash of every file; raises InputError for the first wrong one.

    `held`: the variants whose files lie there, on a board that was sent no others; all of them if None.
    """
    path = folder / MANIFEST
    if not folder.exists():
        remedy = missing_hint(folder) or f"make a bundle with: edgefit export RUN --out {folder}"
        raise InputError(f"{folder}: no such folder; {remedy}")
    if not path.is_file():
        wanted = f"a bundle (it has no {MANIFEST})" if folder.is_dir() else "a bundle, which is a folder"
        remedy = "make one with: edgefit export RUN --out BUNDLE"
        raise InputError(f"{folder}: {wrong_path(folder, wanted, remedy)}")
    if (reason := why_unwritable(folder)) is not None:  # a worker could not be given its files
        raise InputError(f"{folder}: {reason}")
    try:
        content = content_of(path, LARGEST_DOCUMENT)
        manifest = _manifest_of(content)
    except ContentError as error:
        raise InputError(why_replaced(path) or f"{path} {error}; export the bundle again") from None
    except ValidationError as error:
        raise InputError(explain(path, error, Manifest, content)) from None
    for record in manifest.files(held):
        _check(folder, record)
    _refuse_unlisted(folder, manifest)
    for artifact in manifest.artifacts_of(held):
        _refuse_foreign_weights(folder, artifact)
    return Bundle(folder=folder, manifest=manifest, sha256=hashlib.sha256(content).hexdigest())


def _manifest_of(content: bytes) -> Manifest:
    """Read a manifest of any schema; raises ContentError, or ValidationError, which names keys as
    schema 2 does."""
    content = utf8_of(content)
    document = json_of(content)
    if isinstance(document, dict) and is_schema_1(document):
        with suppress(ValueError, LookupError, TypeError, AttributeError):  # the record says what is wrong
            content = json.dumps(renamed_manifest(document)).encode()
            document = json_of(content)
    return Manifest.of_json(content, document)


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the files of the bundle in `folder` by their paths, each with its SHA-256; None if it is none.

    The manifest's own hash is not known: what it says makes it one.
    """
    try:
        manifest = _manifest_of(content_of(folder / MANIFEST, LARGEST_DOCUMENT))
    except (OSError, ContentError, ValidationError):
        return None
    return {**{file.path: file.sha256 for file in manifest.files()}, MANIFEST: None}


def _check(folder: Path, record: FileRecord) -> None:
    path = folder / record.path
    if not path.is_file():
        raise InputError(f"{path} is missing; export the bundle again")
    if path.resolve() != folder.resolve() / record.path:  # a file that it refers to lies in the other folder
        raise InputError(
            f"{path} is a symbolic link; replace it with the file itself, or export the bundle again"
        )
    if path.stat().st_size != record.size_bytes or sha256_of(path) != record.sha256:
        raise InputError(
            why_changed(path, record.sha256)
            or f"{path} is not the exported file (its SHA-256 differs); export the bundle again"
        )


def _refuse_unlisted(folder: Path, manifest: Manifest) -> None:
    """Raise InputError for a file that the manifest does not list, because a runtime might load it."""
    listed = {MANIFEST, *(file.path for file in manifest.files())}
    for path in files_below(folder):
        if path not in listed:
            raise InputError(
                f"{folder / path} is not listed in {MANIFEST}; delete it, or export the bundle again"
            )


def _refuse_foreign_weights(folder: Path, artifact: ArtifactRecord) -> None:
    """Raise InputError if a model file refers to a file that is not listed as the artifact's own."""
    own = {file.path for file in artifact.files}
    for path in sorted(own):
        for name in referred_files(folder / path):
            if leads_outside(name) or (PurePosixPath(path).parent / name).as_posix() not in own:
                raise InputError(
                    f"{folder / path} refers to {name!r}, which {MANIFEST} does not list for"
                    f" {artifact.variant}; export the bundle again, with that file in it"
                )
