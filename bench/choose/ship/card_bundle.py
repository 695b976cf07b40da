"""What the card says of the bundle: the network's origin, its inputs and output, the limits of use. Pure."""

from bench.bundle.manifest import ArtifactRecord, Manifest, ModelRecord
from bench.bundle.signature import Tensor
from bench.bundle.source_record import PreprocessCheck, RivalVerdict, SourceRecord
from bench.markdown_text import code, escaped
from user_files.wording import MOST_LISTED, listed

_SHOWN_DIGITS = 16
_ACTIVATIONS = {
    "logits": "logits",
    "softmax": "probabilities that add up to 1 (softmax)",
    "sigmoid": "probabilities, each for itself (sigmoid)",
    "none": "scores without an activation",
}
# What the manifest calls the weights that came with the source.
_NO_FILE = ("its own", "none")
_IMAGES = "## How an image becomes an input"
_ARRAYS = "## What the network takes"


def network_of(manifest: Manifest) -> str:
    """Return the network, its origin and its output in sentences."""
    model = manifest.model
    if model.source is None:
        size, classes = f"{model.image_size}×{model.image_size}", _listed(model.classes)
        weights = escaped(f"starting weights {model.weights}, fine-tuned on {model.data}.")
        return f"{escaped(f'{model.arch} at {size}')}, classes {classes}; {weights}"
    arch = "A network" if model.arch == model.source.name else escaped(model.arch)
    origin = f"{_origin(model, model.source)}, evaluated on {escaped(model.data)}"
    return f"{arch} with {_answers(model)}; {origin}.\n\n{_output(model.source)}."


def _answers(model: ModelRecord) -> str:
    kind = _kind(model)
    if kind == "values":
        return "values that are no classes"
    return f"{kind} {_listed(model.classes)}" if model.classes else f"{kind} without names"


def _kind(model: ModelRecord) -> str:
    return "classes" if model.source is None else model.source.output.kind


def _origin(model: ModelRecord, source: SourceRecord) -> str:
    """Return what it was made from. `weights` of the manifest is the file with the weights."""
    hashed = "" if source.sha256 is None else f", SHA-256 {source.sha256[:_SHOWN_DIGITS]}"
    weights = "" if model.weights in (source.name, *_NO_FILE) else f", weights {code(model.weights)}"
    return f"made from {code(source.name)} ({source.kind.value}{weights}{hashed})"


def _output(source: SourceRecord) -> str:
    output, outputs = source.output, len(source.signature.outputs)
    which = f"{code(output.name)}, one of its {outputs} outputs" if outputs > 1 else code(output.name)
    what = "" if output.kind == "values" else f": {_ACTIVATIONS[output.activation]}"
    return f"`classify.py` shows its output {which}{what}"


def named_inputs(manifest: Manifest, artifact: ArtifactRecord) -> list[tuple[str, Tensor]]:
    """Return the inputs of an artifact with fixed shapes, each with the name that the source has for it."""
    tensors = artifact.inputs(manifest.model.image_size)
    source = manifest.model.source
    own = tensors if source is None else source.signature.inputs
    return [(named.name, tensor) for named, tensor in zip(own, tensors, strict=True)]


def input_section(manifest: Manifest, artifact: ArtifactRecord) -> str:
    """Return the section about the inputs."""
    steps, source = manifest.preprocessing, manifest.model.source
    if source is None:
        normalised = "`preprocess.py` does just that; the network normalises by itself."
        return f"{_IMAGES}\n\n{'' if steps is None else escaped(steps.words)}. {normalised}"
    if steps is None:
        inputs = named_inputs(manifest, artifact)
        arrays = [f"- {code(name)}: {escaped(tensor.dtype)} {list(tensor.sizes)}" for name, tensor in inputs]
        return "\n".join([_ARRAYS, "", "`classify.py` takes an .npz file with these arrays:", "", *arrays])
    words = escaped(steps.words[0].upper() + steps.words[1:])
    known = [f"{words}. `preprocess.py` does just that.", *_origins(source)]
    return "\n".join([_IMAGES, "", *known, "", *_check(source.check, manifest.model.classes)])


def _origins(source: SourceRecord) -> list[str]:
    if not source.origins:
        return []
    parts = [f"{', '.join(origin.keys)} from {origin.origin}" for origin in source.origins]
    return [escaped(f"Its origin: {'; '.join(parts)}.")]


def _check(check: PreprocessCheck | None, classes: tuple[str, ...]) -> list[str]:
    """Return how the preprocessing was checked, and what the check leaves open."""
    if check is None:
        return ["It was not checked by measuring, because there were no labelled images to check it with."]
    worse, equal, better = (_named(check, verdict) for verdict in ("worse", "equal", "better"))
    lines = [f"It was checked by measuring: the source is right on {_counted(check)} with it."]
    lines += [f"Significantly worse is: {worse}."] if worse else []
    lines += [f"Not significantly different is: {equal}."] if equal else []
    lines += [f"**Significantly better is: {better}.** The user chose to go on without it."] if better else []
    if check.fitting_order is not None:
        fitting = ", ".join(_class_name(index, classes) for index in check.fitting_order)
        lines.append(f"**The source's answers fit the classes in another order: {fitting}.**")
    return lines


def _counted(check: PreprocessCheck) -> str:
    if check.decisions_each == 1:
        return f"{check.correct} of {check.images} labelled images"
    decisions = check.images * check.decisions_each
    return f"{check.correct} of {decisions} labels of {check.images} images"


def _class_name(index: int, classes: tuple[str, ...]) -> str:
    return escaped(classes[index]) if classes else str(index)


def _named(check: PreprocessCheck, verdict: RivalVerdict) -> str:
    return "; ".join(f"{escaped(rival.name)} ({rival.correct})" for rival in check.worth_showing(verdict))


def limits_of_use(manifest: Manifest) -> str:
    """Return the limits, a line each."""
    noun = "input" if manifest.preprocessing is None else "image"
    device = "This is not a medical device. No diagnosis may be based on it."
    limits = [device, _accuracy_limit(manifest, noun), _answer_limit(manifest.model, noun)]
    return "\n".join(f"- {limit}" for limit in limits)


def _accuracy_limit(manifest: Manifest, noun: str) -> str:
    data = escaped(manifest.model.data)
    if not manifest.pack.labelled:
        return (
            f"Its accuracy is unknown, because {data} has no labels. What is known is how far its outputs\n"
            f"  are the source's, for each {noun} of that data."
        )
    if noun == "input":
        return f"The accuracy holds for inputs of {data}. It is unknown for other ones."
    return (
        f"The accuracy holds for images of {data}. It is unknown for images from other devices, of\n"
        "  other age groups, or with other preprocessing."
    )


def _answer_limit(model: ModelRecord, noun: str) -> str:
    """Say that the network has an answer for everything."""
    kind, strangest = _kind(model), "even to an ordinary photograph" if noun == "image" else "even to noise"
    if kind == "values":
        return f"It gives values to every {noun}, {strangest}."
    names = (
        f"{len(model.classes)} {kind} ({_listed(model.classes)})"
        if model.classes
        else f"{kind} without names"
    )
    given = "one of them" if kind == "classes" else "a probability of each"
    return f"It has {names} and gives {given} to every {noun}, {strangest}."


def _listed(names: tuple[str, ...]) -> str:
    """Return the names; of many the first ones and a count."""
    return escaped(listed(names)) + (", see `classify.py`" if len(names) > MOST_LISTED else "")
