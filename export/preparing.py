"""Opens what an export starts from, and its data, and checks that they fit. It makes no artifact."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.manifest import ModelRecord
from bench.bundle.model_set import InputOrigin
from bench.bundle.required_preprocessing import RequiredPreprocess, stated_by_option
from bench.bundle.signature import Shapes, Tensor, stated_input
from bench.bundle.source_record import OutputRecord, PreprocessCheck, SourceKind, SourceRecord
from bench.bundle.tensor_pack import TensorPack
from bench.bundle.variants import choose
from bench.errors import InputError
from bench.lists_in_words import some_of
from export.data.class_names import stated_classes
from export.data.finding import DataOptions, find_data, refuse_missing_data
from export.data.fitting import fitted, positive_of, with_single_labels
from export.data.images import LabelledImages
from export.data.listing import SampleLimits
from export.data.named import is_run_folder
from export.data.reading import export_data
from export.data.samples import ExportData, Samples
from export.data.tensors import LabelledTensors
from export.judged import ACTIVATIONS, judged_output, refuse_idle_names, with_activation
from export.options import ExportOptions
from export.prepared import Prepared, prepare_run
from export.preprocessing.checking import check_preprocess
from export.preprocessing.finding import find_for_source
from export.source_runner import SourceRunner
from export.sources.file_formats import own_variant
from export.sources.recognising import NETWORKS, recognise
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape
from models.positive import Positive
from models.progress import Progress
from models.sources.names import check_name
from models.sources.options import strict_data_sentence
from user_files.hashes import sha256_of
from user_files.path_kinds import wrong_path

# What the values of the judged output are is told by so many samples.
_TOLD_BY = 16

Data = LabelledImages | LabelledTensors
Found = TypeVar("Found", LabelledImages, LabelledTensors)


def prepare(options: ExportOptions, runner: SourceRunner, progress: Progress) -> Prepared:
    """Open the source and its data. Raises InputError for whatever the user gave that cannot be used."""
    prepared = _prepare(options, runner, progress)
    if prepared.data.positive is not None and prepared.data.evaluation.labels is not None:
        progress.say(prepared.data.positive.sentence)
    return prepared


def _prepare(options: ExportOptions, runner: SourceRunner, progress: Progress) -> Prepared:
    spec = recognise(options.source, options.weights)
    if spec.kind is SourceKind.RUN:
        _refuse_no_run(Path(options.source))
        _refuse_for_run(options)
        return prepare_run(Path(options.source), options)
    if options.data is None:
        raise InputError(
            f"{options.source}: needs data, on which int8 is calibrated and every file is verified; give "
            "--data with a folder of images, a CSV file, an npz file or FILE.py:load_data"
        )
    _refuse_unusable(options.data, options)
    description = runner.describe(spec, _stated(options.shapes))
    for note in description.weights.notes if description.weights is not None else ():
        progress.say(note)
    found = _find(options.data, description.signature.inputs, options, progress)
    _warn(found.warnings, options, progress)
    if isinstance(found, LabelledImages):
        return _of_images(spec, description, found, options, runner, progress)
    return _of_tensors(spec, description, found, options, runner, progress)


def _refuse_unusable(data: str, options: ExportOptions) -> None:
    """Raise InputError for an option that no source could make good, before the source is opened."""
    refuse_missing_data(data)
    if options.classes is not None:
        stated_classes(options.classes)
    if options.activation is not None:
        choose(options.activation, ACTIVATIONS, "activation")
    stated_by_option(options.preprocess)


def _warn(warnings: Sequence[str], options: ExportOptions, progress: Progress) -> None:
    """Say what of the data is probably not meant so. Raises InputError instead if that is an error."""
    if warnings and options.strict_data:
        raise InputError(strict_data_sentence(str(options.data), warnings))
    for sentence in warnings:
        progress.say(f"warning: {sentence}")


def _say_notes(found: Data, progress: Progress) -> None:
    """Say what else is known of the data, and what was done with them."""
    for note in found.notes:
        if note not in found.warnings:
            progress.say(note)


def _refuse_no_run(folder: Path) -> None:
    if not is_run_folder(folder):
        wanted = "a run folder, as edgefit finetune writes"
        raise InputError(
            f"{folder}: {wrong_path(folder, wanted, 'give one, a model file or a network in Python')}"
        )


def _refuse_for_run(options: ExportOptions) -> None:
    """Raise InputError for the first option that a run folder leaves nothing to do for."""
    given = (
        ("--data", options.data, "has its images"),
        ("--strict-data", options.strict_data, "has its images"),
        ("--preprocess", options.preprocess, "has its preprocessing"),
        ("--trust-preprocess", options.trust_preprocess, "has its preprocessing"),
        ("--shape", options.shapes, "has its shape"),
        ("--output", options.judged_output, "has one output"),
        ("--activation", options.activation, "gives logits"),
        ("--classes", options.classes, "names its classes"),
    )
    for option, value, why in given:
        if value:
            raise InputError(f"{option}: a run folder {why}; leave it out")


def _stated(shapes: Shapes) -> tuple[StatedShape, ...]:
    stated = {name: stated_input(shape) for name, shape in shapes.items()}
    return tuple(
        StatedShape(name=name, shape=given.shape, dtype=given.dtype) for name, given in stated.items()
    )


def _find(
    data: str,
    inputs: tuple[Tensor, ...],
    options: ExportOptions,
    progress: Progress,
    classes: tuple[str, ...] = (),
) -> Data:
    names = stated_classes(options.classes) if options.classes is not None else classes
    limits = SampleLimits(calibration=options.calibration_images, evaluation=options.eval_images)
    return find_data(data, DataOptions(classes=names, inputs=inputs, limits=limits), progress)


def _of_images(
    spec: SourceSpec,
    description: SourceDescription,
    found: LabelledImages,
    options: ExportOptions,
    runner: SourceRunner,
    progress: Progress,
) -> Prepared:
    """Prepare a source that takes images: their preprocessing is found, and checked."""
    required = find_for_source(spec, description, options.preprocess)
    for conflict in required.conflicts:
        progress.say(conflict)
    found = _in_order_of(required, found, options, description, progress)
    found = with_single_labels(found, options.activation)
    required = required.for_images(found.survey())
    preprocess = required.preprocess
    found = _with_image_sentences(found, required, options, progress)
    source = _opened(spec, description, description.signature.inputs, found, options)
    few = found.calibration[:_TOLD_BY]
    pixels = found.images.read([int(index) for index in few], preprocess)
    labels = None if found.labels is None else found.labels[few]
    source, values = _told(source, Samples(pixels, labels, preprocess), runner)
    found = fitted(_with_activation_note(found, source, options), values, source.output)
    _say_notes(found, progress)
    progress.begin("Checking the preprocessing", 1)
    checked = check_preprocess(
        found,
        preprocess,
        source.output,
        lambda samples: runner.values(source, samples),
        options.trust_preprocess,
        source.inputs[0].dtype,
    )
    progress.advance()
    positive = _positive(found, values, source.output, options)
    data = export_data(found, preprocess, positive, progress)
    data = replace(data, notes=(*data.notes, *checked.notes))
    record = _source_record(spec, description, source, required.origins, checked.record)
    return _prepared(source, description, data, record, preprocess)


def _with_image_sentences(
    found: LabelledImages, required: RequiredPreprocess, options: ExportOptions, progress: Progress
) -> LabelledImages:
    """Say what is doubtful of the images by their pixels, and return them with all that is known by these."""
    _warn(required.image_warnings, options, progress)
    return replace(
        found,
        notes=(*required.image_warnings, *found.notes, *required.image_notes),
        warnings=(*found.warnings, *required.image_warnings),
    )


def _of_tensors(
    spec: SourceSpec,
    description: SourceDescription,
    found: LabelledTensors,
    options: ExportOptions,
    runner: SourceRunner,
    progress: Progress,
) -> Prepared:
    """Prepare a source whose inputs are ready."""
    if options.preprocess is not None or options.trust_preprocess:
        option = "--preprocess" if options.preprocess is not None else "--trust-preprocess"
        raise InputError(
            f"{option}: it applies to images, and {found.name} yields ready inputs; leave it out"
        )
    found = with_single_labels(found, options.activation)
    source = _opened(spec, description, found.inputs, found, options)
    few = found.calibration[:_TOLD_BY]
    labels = None if found.labels is None else found.labels[few]
    pack = TensorPack(tuple(array[few] for array in found.pack.arrays))
    source, values = _told(source, Samples(None, labels, None, pack), runner)
    found = fitted(_with_activation_note(found, source, options), values, source.output)
    _say_notes(found, progress)
    positive = _positive(found, values, source.output, options)
    data = export_data(found, None, positive, progress)
    record = _source_record(spec, description, source, (), None)
    return _prepared(source, description, data, record, None)


def _prepared(
    source: OpenSource,
    description: SourceDescription,
    data: ExportData,
    record: SourceRecord,
    preprocess: Preprocess | None,
) -> Prepared:
    height, width = (None, None) if preprocess is None else preprocess.size
    return Prepared(
        source=source,
        data=data,
        name=record.name,
        model=_model_record(source.spec, record, data, height if height == width else None),
        preprocessing=preprocess,
        own=own_variant(source.spec.kind, description.precision),
        precision=description.precision,
    )


def _positive(found: Data, values: int, output: OutputRecord, options: ExportOptions) -> Positive | None:
    if found.labels is None and options.positive is None:
        return None
    return positive_of(found, values, output, options.positive)


def _in_order_of(
    required: RequiredPreprocess,
    found: LabelledImages,
    options: ExportOptions,
    description: SourceDescription,
    progress: Progress,
) -> LabelledImages:
    """Return the data with its classes in the order that a file beside the source states."""
    names = required.classes
    if names is None or options.classes is not None or options.data is None or not found.classes:
        return found
    if not set(found.classes) <= set(names):
        note = (
            f"The classes that {required.classes_origin} states ({some_of(list(names))}) are not those of "
            f"the data ({some_of(list(found.classes))}), whose alphabetical order is taken for the output's."
        )
        return replace(found, notes=(*found.notes, note))
    for name in names:
        check_name(name, f"{required.classes_origin}: class")
    again = _find(options.data, description.signature.inputs, options, progress, names)
    assert isinstance(again, LabelledImages)
    return again


def _opened(
    spec: SourceSpec,
    description: SourceDescription,
    inputs: tuple[Tensor, ...],
    found: Data,
    options: ExportOptions,
) -> OpenSource:
    outputs = description.signature.outputs
    output = judged_output(outputs, options.judged_output, found.labels, options.activation)
    refuse_idle_names(output, options.classes)
    return OpenSource(
        spec=spec,
        inputs=inputs,
        outputs=outputs,
        output=output,
        producer=description.producer,
        opset=description.opset,
    )


def _told(source: OpenSource, samples: Samples, runner: SourceRunner) -> tuple[OpenSource, int]:
    """Run the source on some samples; return it with what its values are, and how many it has for each."""
    values = runner.finite_values(source, samples)
    output = with_activation(source.output, values, samples.labels)
    return source.model_copy(update={"output": output}), values.shape[1]


def _with_activation_note(found: Found, source: OpenSource, options: ExportOptions) -> Found:
    """Return the data with a note if the values are not what was stated of them."""
    stated, output = options.activation, source.output
    if stated is None or output.activation == stated:
        return found
    note = (
        f"--activation {stated}: '{output.name}' has values outside of 0 to 1, so they are taken for logits, "
        f"of which the {stated} is still to be computed."
    )
    return replace(found, notes=(*found.notes, note))


def _name_of(spec: SourceSpec) -> str:
    """Return what a source is called: as it was typed, of a file its name."""
    return spec.name if spec.kind in NETWORKS else Path(spec.name).name


def _sha256(spec: SourceSpec, description: SourceDescription) -> str | None:
    if spec.kind not in NETWORKS:
        return sha256_of(Path(spec.name))
    return None if description.weights is None else description.weights.sha256


def _source_record(
    spec: SourceSpec,
    description: SourceDescription,
    source: OpenSource,
    origins: tuple[InputOrigin, ...],
    check: PreprocessCheck | None,
) -> SourceRecord:
    own = own_variant(spec.kind, description.precision)
    return SourceRecord(
        kind=spec.kind,
        name=_name_of(spec),
        sha256=_sha256(spec, description),
        weights_notes=description.weights.notes if description.weights is not None else (),
        variant=None if own is None else str(own),
        signature=description.signature,
        output=source.output,
        origins=origins,
        check=check,
    )


def _model_record(spec: SourceSpec, record: SourceRecord, data: ExportData, side: int | None) -> ModelRecord:
    return ModelRecord(
        arch=record.name,
        classes=data.classes,
        image_size=side,
        weights="its own" if spec.weights is None else Path(spec.weights).name,
        data=data.name,
        source=record,
    )
