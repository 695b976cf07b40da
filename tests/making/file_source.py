"""A model file as export's worker sees it: the source, packs of random inputs, and the tasks made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import EvaluationPack, read_pack, write_pack
from bench.bundle.manifest import ArtifactRecord
from bench.bundle.source_record import OutputRecord, SourceKind
from bench.bundle.tensor_pack import random_pack
from bench.bundle.variants import Precision, Variant
from bench.measurements import Executed
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions
from export.messages import (
    ComputeReference,
    Made,
    MeasureSensitivity,
    ProgressMessage,
    Reference,
    SearchTask,
    SensitivityMeasured,
    Task,
)
from export.quantisation.candidates import candidates_for, candidates_without_network
from export.quantisation.sensitivity import Sensitivity
from export.sources.file_formats import own_variant
from export.sources.opening import describe_source
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape
from export.worker import handle

_KINDS = {".onnx": SourceKind.ONNX, ".xml": SourceKind.OPENVINO, ".pt": SourceKind.TORCHSCRIPT}
SAMPLES = 8


def described(path: Path, shapes: Sequence[StatedShape] = ()) -> SourceDescription:
    return describe_source(SourceSpec(kind=_KINDS[path.suffix], name=str(path)), shapes)


@dataclass(frozen=True)
class FileExport:
    """The export of a model file into a folder."""

    folder: Path
    source: OpenSource
    own: Variant

    @classmethod
    def of(
        cls, path: Path, folder: Path, judged: int = 0, shapes: Sequence[StatedShape] = ()
    ) -> "FileExport":
        """Describe the file and run it on random inputs. `judged`: the number of the output of classes."""
        description = described(path, shapes)
        kind, signature = _KINDS[path.suffix], description.signature
        source = OpenSource(
            spec=SourceSpec(kind=kind, name=str(path)),
            inputs=signature.inputs,
            outputs=signature.outputs,
            output=OutputRecord(
                name=signature.outputs[judged].name, index=judged, kind="classes", activation="logits"
            ),
            opset=description.opset,
            producer=description.producer,
        )
        own = own_variant(kind, description.precision)
        assert own is not None
        made = cls(folder, source, own)
        made._write_pack()
        return made

    @property
    def pack(self) -> Path:
        return self.folder / "evaluation.npz"

    def _write_pack(self) -> None:
        tensors, zeros = random_pack(self.source.inputs, SAMPLES), np.zeros((SAMPLES, 1), np.float32)
        write_pack(self.pack, EvaluationPack(None, None, zeros, tensors=tensors))
        request = ComputeReference(source=self.source, pack=str(self.pack), threads=1)
        answer = handle(request, _ignore)
        assert isinstance(answer, Reference)
        values = np.array(answer.logits, dtype=np.float32)
        write_pack(self.pack, EvaluationPack(None, None, values, tensors=tensors))

    def sensitivity(self) -> Sensitivity:
        request = MeasureSensitivity(
            source=self.source, calibration=str(self.pack), threads=1, cpu="portable"
        )
        answer = handle(request, _ignore)
        assert isinstance(answer, SensitivityMeasured)
        return answer.sensitivity

    def search(self) -> SearchTask:
        """Return a search that is held to the same samples as the verification."""
        sensitivity = self.sensitivity()
        is_measured = sensitivity.unmeasured is None
        return SearchTask(
            candidates=(
                candidates_for(sensitivity, qat=False)
                if is_measured
                else candidates_without_network(sensitivity)
            ),
            held_out=str(self.pack),
            min_retention=0.99,
            sensitivity=sensitivity,
        )

    def make(self, name: str, search: SearchTask | None = None) -> ArtifactRecord:
        """Make and verify a variant."""
        variant = Variant.parse(name)
        row = FORMATS[variant.format]
        is_calibrated = variant.precision is Precision.INT8 and self.own.precision is not Precision.INT8
        task = Task(
            variant=name,
            format=variant.format,
            precision=variant.precision,
            exporter=str(row.exporter),
            runtime=row.module,
            provider=row.provider,
            source=self.source,
            is_own=variant == self.own,
            bundle=str(self.folder),
            pack=str(self.pack),
            calibration=str(self.pack) if is_calibrated else None,
            calibration_images=SAMPLES if is_calibrated else 0,
            threads=1,
            search=search,
        )
        answer = handle(task, _ignore)
        assert isinstance(answer, Made)
        return answer.artifact

    def executed(self, artifact: ArtifactRecord) -> Executed:
        """Run an artifact once and return what its runtime executed."""
        options = LoadOptions(
            RunConfig(threads=1, provider=FORMATS[artifact.format].provider), precision=artifact.precision
        )
        session = load_runtime(artifact.format).load(self.folder / artifact.entry, options)
        return session.executed(read_pack(self.pack).inputs(0, self.source.inputs))


def _ignore(message: ProgressMessage) -> None:
    """Receive a stage or a step, and do nothing."""
