"""The example and the requirements that go out with a picked artifact."""

import re
from pathlib import Path

from bench.bundle.manifest import ArtifactRecord, Manifest
from bench.bundle.variants import Precision
from bench.report.schema import Run
from bench.runtimes.providers import place_of
from bench.runtimes.table import row_of
from device_profiles.profile import Profile

_TEMPLATE = Path(__file__).with_name("classify.txt")
_MOSTLY = 0.5
_FREEZE = "torch.jit.freeze(module)"


def example_of(manifest: Manifest, artifact: ArtifactRecord, run: Run) -> str:
    """Return `classify.py`: it reads an image as the manifest says, and infers as it was measured."""
    example = row_of(artifact.format).example
    assert example is not None
    shares = run.precision_ran.share_of_macs if run.precision_ran else None
    in_half = (shares or {}).get(Precision.FP16.value, 0) > _MOSTLY
    quantised = artifact.precision is Precision.INT8
    values = {
        "provider": run.provider,
        "threads": run.threads,
        "hint": "f16" if in_half else "f32",
        "threads_line": _openvino_threads(run),
        "engine_line": f"torch.backends.quantized.engine = {_engine(artifact)}\n" if quantised else "",
        "to_float": "" if quantised else ".half()" if _halves(artifact, run) else ".float()",
        "half": ".half()" if _halves(artifact, run) else "",
        "freeze": _FREEZE if quantised else f"torch.jit.optimize_for_inference({_FREEZE})",
    }
    return _TEMPLATE.read_text(encoding="utf-8").format(
        imports=example.imports,
        load=example.load.format(**values),
        infer=example.infer.format(**values),
        entry=repr(artifact.entry),
        classes=list(manifest.model.classes),
        side=manifest.model.image_size,
    )


def _engine(artifact: ArtifactRecord) -> str:
    """Return the engine as Python: the one that a file was made for; else torch's own for x86 or for Arm."""
    if artifact.engine is not None:
        return repr(artifact.engine)
    return '"x86" if "x86" in torch.backends.quantized.supported_engines else "qnnpack"'


def requirements_of(artifact: ArtifactRecord, run: Run, profile: Profile) -> str:
    """Return `requirements.txt`: the runtime in the version that was measured, and what reads images."""
    example = row_of(artifact.format).example
    assert example is not None
    # A report may come from anybody, and what stands here is installed.
    found = re.fullmatch(r"\S+ ([0-9A-Za-z.]+)(\+\S*)?", run.runtime or "")
    version = None if found is None else found[1]
    package = example.package if place_of(run.provider) == "cpu" else example.gpu_package or example.package
    choice = profile.runtimes.get(artifact.format)  # type: ignore[call-overload]
    ran = " ".join(f"{run.runtime} on {run.provider}".split())
    lines = [f"# What runs {artifact.variant} as it was measured: {ran}."]
    if choice is not None and choice.install is not None:
        lines.append(f"# On {profile.name}: {' '.join(choice.install.split())}")
    return "\n".join([*lines, f"{package}=={version}" if version else package, "numpy", "pillow", ""])


def _openvino_threads(run: Run) -> str:
    """A GPU has no threads, and refuses to be given any."""
    if place_of(run.provider) != "cpu":
        return ""
    return f'settings["INFERENCE_NUM_THREADS"] = {run.threads}\n'


def _halves(artifact: ArtifactRecord, run: Run) -> bool:
    """Tell whether torch computes in half precision: fp16 on CUDA, as it was measured."""
    return artifact.precision is Precision.FP16 and place_of(run.provider) == "cuda"
