"""What is known of a source and its data before any artifact is made. It runs no network."""

from dataclasses import dataclass
from pathlib import Path

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import ModelRecord
from bench.bundle.preprocessing import PreprocessingRecord
from bench.bundle.signature import Tensor, image_input
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant
from export.data.run_folder import data_of_run
from export.data.samples import ExportData
from export.options import ExportOptions
from export.sources.spec import OpenSource, SourceSpec
from models.errors import InputError
from models.records import RunRecord
from models.run_folder import RECORD, read_run
from user_files.names import LONGEST, has_unwritable, why_no_name
from user_files.printable import printable


@dataclass(frozen=True)
class Prepared:
    """A source and its data, ready for export."""

    source: OpenSource
    """The source."""
    data: ExportData
    """Its data."""
    name: str
    """What the bundle is called if nobody named it."""
    model: ModelRecord
    """What the manifest says of the network."""
    preprocessing: PreprocessingRecord | Preprocess | None
    """How an image becomes an input; None where the inputs are no images."""
    own: Variant | None = None
    """The variant that is the source's own file; None where the source is no file of a format."""
    precision: Precision = Precision.FP32
    """The source's precision, by its own graph."""

    def is_quantised(self, variant: Variant) -> bool:
        """Tell whether a variant needs no quantisation: the source's own file, or made of one in int8."""
        return variant == self.own or self.precision is Precision.INT8


def prepare_run(folder: Path, options: ExportOptions) -> Prepared:
    """Read a run folder. Raises InputError if it is none, or has no test images."""
    run = read_run(folder)
    record = run.record
    _refuse_unwritable(folder, record)
    logits = Tensor(name=CLASSES.name, dtype="float32", shape=(1, len(record.classes)))
    return Prepared(
        source=OpenSource(
            spec=SourceSpec(kind=SourceKind.RUN, name=str(folder.resolve())),
            inputs=(image_input(record.image_size),),
            outputs=(logits,),
            output=CLASSES,
            producer="edgefit",
        ),
        data=data_of_run(run, options.eval_images, options.positive),
        name=record.name,
        model=_model_of_run(record),
        preprocessing=_preprocessing_of_run(record),
    )


def _refuse_unwritable(folder: Path, record: RunRecord) -> None:
    """Raise InputError for a name of an earlier version that a manifest cannot hold."""
    names = {
        "name": (record.name,),
        "classes": record.classes,
        "weights.name": (record.weights.name,),
        "data.name": (record.data.name,),
    }
    for key, texts in names.items():
        for text in texts:
            if has_unwritable(text) or len(text) > LONGEST:
                raise InputError(
                    f"{folder / RECORD}: {key} '{printable(text)}': {why_no_name(text)}, so no bundle can "
                    "hold it; change it there, or fine-tune again with another name"
                )


def _model_of_run(record: RunRecord) -> ModelRecord:
    kind, name = record.weights.kind, record.weights.name
    return ModelRecord(
        arch=record.arch,
        classes=record.classes,
        image_size=record.image_size,
        weights=name if kind == name else f"{kind} ({name})",
        data=record.data.name,
    )


def _preprocessing_of_run(record: RunRecord) -> PreprocessingRecord:
    steps = record.preprocessing
    return PreprocessingRecord(
        orientation=steps.orientation,
        sixteen_bit_divide_by=steps.sixteen_bit_divide_by,
        transparency=steps.transparency,
        resize=steps.resize,
        size=(record.image_size, record.image_size),
        interpolation=steps.interpolation,
        antialias=steps.antialias,
        channels=steps.channels,
        divide_by=steps.divide_by,
        # The network normalises by itself.
        mean=(0.0,) * steps.channels,
        std=(1.0,) * steps.channels,
    )
