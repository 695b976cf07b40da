"""`classify.py` and the requirements of a shipped artifact."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import ArtifactRecord, Bundle, Manifest
from bench.bundle.variants import Precision
from bench.choose.ship.card_bundle import named_inputs
from bench.choose.ship.shown_output import ShownOutput
from bench.errors import InputError
from bench.report.schema import Run
from bench.runtimes.installed import row_of
from bench.runtimes.providers import place_of
from bench.runtimes.usage import RanAs, Usage
from device_profiles.profile import Profile

_TEMPLATE = Path(__file__).with_name("classify.txt")
_MOSTLY = 0.5
_INDENT = " " * 4
_READ_INPUTS = '''

def read_inputs(path):
    """Return the arrays of an .npz file in the order in which the network takes them."""
    arrays = dict(np.load(path))
    for name, (dtype, shape) in INPUTS.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].shape != shape:
            sys.exit(f"{path}: give '{name}' as {dtype} {list(shape)}")
    return [np.ascontiguousarray(arrays[name]) for name in INPUTS]

'''


@dataclass(frozen=True)
class Given:
    """What `classify.py` is given, and how it becomes the inputs."""

    noun: str
    """What it is, in words."""
    argument: str
    """How help calls it."""
    inputs: str
    """The expression that makes a list of inputs of it."""
    own_import: str = ""
    """The line that imports the function that the expression needs, from a file beside it."""
    constants: tuple[str, ...] = ()
    """The constants that it needs."""
    function: str = ""
    """The function that it needs."""


IMAGE = Given(
    noun="an image",
    argument="IMAGE",
    inputs="[read_or_exit(sys.argv[1])]",
    own_import="\nfrom preprocess import read_or_exit",
)


def given_to(manifest: Manifest, artifact: ArtifactRecord) -> Given:
    """Return what `classify.py` of an artifact is given: an image, or arrays by name."""
    if manifest.preprocessing is not None:
        return IMAGE
    inputs = named_inputs(manifest, artifact)
    lines = [f"{_INDENT}{name!r}: ({tensor.dtype!r}, {tensor.sizes})," for name, tensor in inputs]
    return Given(
        noun="an input",
        argument="INPUTS.npz",
        inputs="read_inputs(sys.argv[1])",
        constants=("INPUTS = {", *lines, "}"),
        function=_READ_INPUTS,
    )


def shown_output_of(bundle: Bundle, artifact: ArtifactRecord) -> ShownOutput:
    """Return what the judged output of an artifact holds."""
    model = bundle.manifest.model
    output = CLASSES if model.source is None else model.source.output
    known = () if artifact.signature is None or model.source is None else artifact.signature.outputs
    return ShownOutput(
        output=output,
        outputs=max(1, len(known)),
        tensor=known[output.index] if known else None,
        values=bundle.pack().reference_logits.shape[1],
        names=model.classes,
    )


def example_of(bundle: Bundle, artifact: ArtifactRecord, run: Run) -> str:
    """Return `classify.py`: it reads what the manifest says, and infers as the artifact was measured."""
    manifest = bundle.manifest
    usage = _usage_of(manifest, artifact, run)
    given, shown = given_to(manifest, artifact), shown_output_of(bundle, artifact)
    arguments = given.argument
    is_wrong_use = "len(sys.argv) != 2"
    if shown.output.kind == "values":
        arguments, is_wrong_use = f"{arguments} [OUTPUT.npy]", "len(sys.argv) not in (2, 3)"
    body = "\n".join([usage.load, usage.infer, given.function, *shown.lines])
    imports = [*(["import numpy as np"] if "np." in body else []), usage.imports]
    return _TEMPLATE.read_text(encoding="utf-8").format(
        question=shown.question.format(input=given.noun),
        arguments=arguments,
        imports="\n".join([*imports, *([given.own_import] if given.own_import else [])]),
        constants="\n".join([f"ENTRY = {artifact.entry!r}", *shown.constants, *given.constants]),
        load=usage.load,
        functions=given.function,
        is_wrong_use=is_wrong_use,
        inputs=given.inputs,
        infer=indent(usage.infer, _INDENT),
        answer=indent("\n".join(shown.lines), _INDENT),
    )


def _usage_of(manifest: Manifest, artifact: ArtifactRecord, run: Run) -> Usage:
    row = row_of(artifact.format)
    if row.usage is None:
        raise InputError(
            f"{artifact.variant} cannot be shipped: edgefit has no example for {artifact.format}; choose "
            "another variant"
        )
    return row.usage(_ran_as(manifest, artifact, run))


def _ran_as(manifest: Manifest, artifact: ArtifactRecord, run: Run) -> RanAs:
    ran = None if run.summary is None else run.summary.precision_ran
    shares = None if ran is None else ran.share_of_macs
    return RanAs(
        provider=run.config.provider,
        place=place_of(run.config.provider),
        threads=run.config.threads,
        precision=artifact.precision,
        engine=artifact.engine,
        in_half=(shares or {}).get(Precision.FP16.value, 0) > _MOSTLY,
        inputs=artifact.inputs(manifest.model.image_size),
        gives_one_tensor=manifest.model.source is None,
    )


def requirements_of(manifest: Manifest, artifact: ArtifactRecord, run: Run, profile: Profile) -> str:
    """Return `requirements.txt`: the runtime in the version that was measured, and what reads images."""
    package = _usage_of(manifest, artifact, run).package
    # A report may come from anybody, and what stands here is installed.
    found = re.fullmatch(r"\S+ ([0-9A-Za-z.]+)(\+\S*)?", run.runtime or "")
    version = None if found is None else found[1]
    choice = profile.runtimes.get(artifact.format)
    ran = " ".join(f"{run.runtime} on {run.config.provider}".split())
    lines = [f"# What runs {artifact.variant} as it was measured: {ran}."]
    if choice is not None and choice.install is not None:
        lines.append(f"# On {profile.name}: {' '.join(choice.install.split())}")
    lines += [f"{package}=={version}" if version else package, "numpy"]
    return "\n".join([*lines, *([] if manifest.preprocessing is None else ["pillow"]), ""])
