"""Whether two networks can be compared, and in what they differ. Pure. Conditions are in conditions.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bundle.input_preprocessing import UNIT_SCALE
from bench.bundle.model_set import ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Tensor
from bench.bundle.source_record import OutputRecord
from bench.errors import InputError
from bench.report.schema import BundleRecord, Evaluation, Report, Subject
from user_files.wording import MOST_LISTED


@dataclass(frozen=True)
class OutputShapes:
    """The shapes of two judged outputs, without the axis of the samples."""

    candidate: tuple[int, ...]
    """The candidate's."""
    baseline: tuple[int, ...]
    """The baseline's."""


def require_one_task(reports: Sequence[Report]) -> None:
    """Raise InputError unless all reports are of one task, so that their rows can be compared.

    Model files of one run may have different inputs. Then those of all other runs must have the same ones.
    """
    first, *others = reports
    for report in others:
        subject = report.subject
        if _all_inputs(subject) != _all_inputs(first.subject) or isinstance(subject, BundleRecord):
            require_same_task(subject, first.subject)
        require_as_many_classes(report, first)


def _all_inputs(subject: Subject) -> set[tuple[tuple[str, object], ...]]:
    """Return the types and shapes of the inputs of model files; nothing for a bundle."""
    models = () if isinstance(subject, BundleRecord) else subject.models
    return {tuple((tensor.dtype, tensor.shape) for tensor in model.inputs) for model in models}


def require_same_task(candidate: Subject, baseline: Subject) -> None:
    """Raise InputError if two networks have different classes, or inputs of different shapes."""
    require_same_outputs(candidate, baseline)
    if isinstance(candidate, BundleRecord) and isinstance(baseline, BundleRecord):
        _require_same_images(candidate, baseline)
    elif isinstance(candidate, ModelSetRecord) and isinstance(baseline, ModelSetRecord):
        _require_same_inputs(candidate, baseline)


def _require_same_inputs(candidate: ModelSetRecord, baseline: ModelSetRecord) -> None:
    """Raise InputError if any two of the model files have inputs of different types or shapes."""
    first = baseline.models[0]
    for model in (*baseline.models, *candidate.models):
        if [(tensor.dtype, tensor.shape) for tensor in model.inputs] != [
            (tensor.dtype, tensor.shape) for tensor in first.inputs
        ]:
            raise InputError(
                f"'{model.name}' takes {input_words(model)}, and '{first.name}' takes {input_words(first)}: "
                "models with different inputs cannot be compared; give two with the same inputs"
            )


def input_words(model: ModelFileRecord) -> str:
    """Return the inputs that a model file was run with, for people."""
    return "; ".join(tensor.words for tensor in model.inputs)


def require_same_outputs(candidate: Subject, baseline: Subject) -> None:
    """Raise InputError unless two networks answer the same question: the same classes, of the same kind."""
    if isinstance(candidate, BundleRecord) and isinstance(baseline, BundleRecord):
        _require_same_classes(candidate, baseline)
    elif isinstance(candidate, BundleRecord) or isinstance(baseline, BundleRecord):
        raise InputError(
            f"'{candidate.name}' and '{baseline.name}' cannot be compared, because one is a bundle and the "
            "other a model file; give two of one kind"
        )


def _require_same_classes(candidate: BundleRecord, baseline: BundleRecord) -> None:
    """Raise InputError unless the classes of two bundles, and what their outputs hold, are the same."""
    if (reason := why_other_classes(candidate, baseline)) is None:
        return
    if not _has_other_names(candidate, baseline):
        raise InputError(f"{reason}: give two whose outputs mean the same")
    are_sources = candidate.source is not None or baseline.source is not None
    remedy = ", or name those of a source with edgefit export --classes" if are_sources else ""
    raise InputError(
        f"{reason}: networks with different classes cannot be compared; give two with the same "
        f"classes{remedy}"
    )


def _has_other_names(candidate: BundleRecord, baseline: BundleRecord) -> bool:
    are_named = bool(candidate.classes and baseline.classes)
    return are_named and candidate.classes != baseline.classes


def why_other_classes(candidate: BundleRecord, baseline: BundleRecord) -> str | None:
    """Return in what the classes of two bundles, or what their outputs hold, differ; None if in nothing."""
    own, other = _called(candidate, baseline)
    if _has_other_names(candidate, baseline):
        return (
            f"{own} has {_differing(candidate.classes, baseline.classes)}, and {other} has "
            f"{_differing(baseline.classes, candidate.classes)}"
        )
    if _judged(candidate.output) != _judged(baseline.output):
        return (
            f"the judged output of {own} holds {_judged(candidate.output)}, and that of {other} "
            f"{_judged(baseline.output)}"
        )
    return None


def _require_same_images(candidate: BundleRecord, baseline: BundleRecord) -> None:
    own, other = _called(candidate, baseline)
    if takes_other_inputs(candidate, baseline):
        raise InputError(
            f"{own} takes {_image_words(candidate)}, and {other} takes {_image_words(baseline)}: give two "
            "with the same inputs, or make a new baseline"
        )
    if batch_of(candidate) != batch_of(baseline):
        raise InputError(
            f"one inference of {own} takes {batch_of(candidate)} images, and one of {other} "
            f"{batch_of(baseline)}, so that their latencies say nothing of each other: give two that take as "
            "many"
        )


def takes_other_inputs(candidate: BundleRecord, baseline: BundleRecord) -> bool:
    """Tell whether two bundles take inputs of different sizes or types, so that they share no images."""
    if candidate.image_size != baseline.image_size:
        return True
    return candidate.image_size is None and _sizes(candidate) != _sizes(baseline)


def _image_words(bundle: BundleRecord) -> str:
    return bundle.input_words if bundle.image_size is None else f"images of {bundle.input_words}"


def _called(candidate: Subject, baseline: Subject) -> tuple[str, str]:
    """Return what two subjects are called; of bundles with one name also their folders."""
    own, other = f"'{candidate.name}'", f"'{baseline.name}'"
    if own != other or not isinstance(candidate, BundleRecord) or not isinstance(baseline, BundleRecord):
        return own, other
    if candidate.folder is None or baseline.folder is None or candidate.folder == baseline.folder:
        return own, other
    return f"{own} in {candidate.folder}", f"{other} in {baseline.folder}"


def require_same_answers(candidate: BundleRecord, baseline: BundleRecord) -> None:
    """Raise InputError if a candidate bundle cannot answer the baseline's images in the baseline's place."""
    if why := why_not_in_its_place(candidate, baseline):
        raise InputError(f"{why}; measure both with edgefit bench, and check the two reports")


def why_not_in_its_place(candidate: BundleRecord, baseline: BundleRecord) -> str | None:
    """Return why a candidate bundle cannot answer the baseline's images; None if it can."""
    own, other = _called(candidate, baseline)
    if _values_of(candidate) != _values_of(baseline):
        return (
            f"{own} takes images prepared otherwise than {other} ("
            f"{_preparation(candidate)}, and {_preparation(baseline)}), and both would be given the "
            "baseline's"
        )
    if candidate.output.index != baseline.output.index:
        return (
            f"the judged output of {own} is number {candidate.output.index}, and that of {other} number "
            f"{baseline.output.index}"
        )
    return None


def require_as_many_classes(candidate: Report, baseline: Report) -> None:
    """Raise InputError if two bundles in reports have other numbers of classes, labels or values."""
    if candidate.evaluation is None or baseline.evaluation is None:
        return
    held, other_held = _decided(candidate.evaluation), _decided(baseline.evaluation)
    if held != other_held:
        raise InputError(_other_outputs(candidate.subject, baseline.subject, held, other_held))


def require_same_values(candidate: BundleRecord, baseline: BundleRecord, shapes: OutputShapes) -> None:
    """Raise InputError if the judged outputs of two bundles cannot be compared value by value."""
    if shapes.candidate != shapes.baseline:
        raise InputError(
            _other_outputs(candidate, baseline, _values(shapes.candidate), _values(shapes.baseline))
        )


def _values(shape: Sequence[int]) -> str:
    return f"{' × '.join(map(str, shape))} {'value' if tuple(shape) == (1,) else 'values'}"


def _decided(evaluation: Evaluation) -> str:
    """Return how many classes, labels or values an evaluated output holds; one value is two classes."""
    values, kind = len(evaluation.reference_logits[0]), evaluation.output.kind
    return f"{max(2, values) if kind == 'classes' else values} {kind}"


def _other_outputs(candidate: Subject, baseline: Subject, held: str, other_held: str) -> str:
    own, other = _called(candidate, baseline)
    return (
        f"the judged output of {own} holds {held}, and that of {other} {other_held}: give two whose outputs "
        "are of one shape, or make a new baseline"
    )


def _sizes(bundle: BundleRecord) -> list[tuple[object, ...]]:
    """Return the size of a bundle's images, whatever the order of their axes; else its inputs."""
    if bundle.preprocess is not None:
        return [bundle.preprocess.input_size]
    return [(tensor.dtype, tensor.shape) for tensor in bundle.inputs]


def batch_of(bundle: BundleRecord) -> int:
    """Return how many images one inference takes."""
    return bundle.inputs[0].sizes[0] if bundle.samples == "images" and bundle.inputs else 1


def _judged(output: OutputRecord) -> str:
    """Return what an output holds. Logits and softmax give one class; a sigmoid has another threshold."""
    if output.kind != "values" and output.activation == "sigmoid":
        return f"{output.kind} with a sigmoid"
    return output.kind


def _values_of(bundle: BundleRecord) -> tuple[object, ...]:
    """Return the numbers that turn an image of the evaluation pack into an input."""
    preprocess = bundle.preprocess
    if preprocess is None:  # edgefit's own networks take RGB in [0, 1]; ready inputs have no numbers
        return () if bundle.samples == "samples" else (round(UNIT_SCALE, 9), (0.0,) * 3, (1.0,) * 3, "rgb")
    return (round(preprocess.scale, 9), preprocess.mean, preprocess.std, preprocess.channels)


def _preparation(bundle: BundleRecord) -> str:
    if bundle.preprocess is None:
        return "ready inputs" if bundle.samples == "samples" else "RGB from 0 to 1"
    return bundle.preprocess.words


def _prepared_otherwise(candidate: BundleRecord, baseline: BundleRecord) -> list[str]:
    if _values_of(candidate) == _values_of(baseline):
        return []
    return [f"another preparation of images: {_preparation(candidate)}, was {_preparation(baseline)}"]


def subject_differences(candidate: Subject, baseline: Subject) -> list[str]:
    """Return, in words, the differences between two networks that can still be compared."""
    if isinstance(candidate, ModelSetRecord) and isinstance(baseline, ModelSetRecord):
        return [
            f"{after.name}: {difference}"
            for after, before in paired_models(candidate, baseline)
            for difference in _file_differences(after, before)
        ]
    if not isinstance(candidate, BundleRecord) or not isinstance(baseline, BundleRecord):
        return []
    others = _others(
        ("architecture", baseline.model, candidate.model),
        ("starting weights", baseline.weights, candidate.weights),
        ("data", baseline.data, candidate.data),
    )
    if takes_other_inputs(candidate, baseline):
        others += _others(("input", baseline.input_words, candidate.input_words))
    return others + _prepared_otherwise(candidate, baseline)


def paired_models(
    candidate: ModelSetRecord, baseline: ModelSetRecord
) -> list[tuple[ModelFileRecord, ModelFileRecord]]:
    """Pair the model files of the same name; a single one on each side is a pair, whatever its name."""
    if len(candidate.models) == len(baseline.models) == 1:
        return [(candidate.models[0], baseline.models[0])]
    before = {model.name: model for model in baseline.models}
    return [(model, before[model.name]) for model in candidate.models if model.name in before]


def _file_differences(candidate: ModelFileRecord, baseline: ModelFileRecord) -> list[str]:
    """Return the differences between two model files.

    The names of inputs and outputs are compared within a format only: some formats have none. Another number
    of outputs is a finding, not a difference.
    """
    after, before = candidate.signature, baseline.signature
    others = [
        ("format", baseline.format, candidate.format),
        ("precision", baseline.precision.value, candidate.precision.value),
    ]
    if _types_and_shapes(candidate) != _types_and_shapes(baseline):
        others.append(("input", input_words(baseline), input_words(candidate)))
    are_names_kept = candidate.format == baseline.format
    if are_names_kept:
        others += [("name of inputs", _names(before.inputs), _names(after.inputs))]
    if len(after.outputs) == len(before.outputs):
        others += [("type of outputs", _types(before.outputs), _types(after.outputs))]
        others += (
            [("name of outputs", _names(before.outputs), _names(after.outputs))] if are_names_kept else []
        )
    return _others(*others)


def _types_and_shapes(model: ModelFileRecord) -> list[tuple[object, ...]]:
    return [(tensor.dtype, tensor.shape) for tensor in model.inputs]


def _names(tensors: Sequence[Tensor]) -> str:
    return ", ".join(tensor.name for tensor in tensors)


def _types(tensors: Sequence[Tensor]) -> str:
    return ", ".join(tensor.dtype for tensor in tensors)


def _others(*pairs: tuple[str, str, str]) -> list[str]:
    return [f"another {what}: {after}, was {before}" for what, before, after in pairs if before != after]


def _differing(classes: Sequence[str], others: Sequence[str]) -> str:
    """Return the classes; of many how many there are, and the first one that is not the other network's."""
    if max(len(classes), len(others)) <= MOST_LISTED:
        return "the classes " + ", ".join(f"'{name}'" for name in classes)
    pairs = enumerate(zip(classes, others, strict=False))
    first = next((index for index, (name, other) in pairs if name != other), None)
    named = "" if first is None else f" with '{classes[first]}' as class {first}"
    return f"{len(classes)} classes{named}"
