"""The example and the requirements of a shipped artifact."""

import re
from pathlib import Path
from textwrap import indent

from bench.bundle.manifest import ArtifactRecord, Manifest
from bench.bundle.preprocessing import PreprocessingRecord, StatedPreprocessing
from bench.bundle.variants import Precision
from bench.choose.ship.reading import reading_of
from bench.errors import InputError
from bench.report.schema import Run
from bench.runtimes.installed import row_of
from bench.runtimes.providers import place_of
from bench.runtimes.usage import RanAs, Usage
from device_profiles.profile import Profile

_TEMPLATE = Path(__file__).with_name("classify.txt")
_MOSTLY = 0.5
_INDENT = " " * 4


def example_of(manifest: Manifest, artifact: ArtifactRecord, run: Run) -> str:
    """Return `classify.py`: it reads an image as the manifest says, and infers as it was measured."""
    usage = _usage_of(artifact, run)
    return _TEMPLATE.read_text(encoding="utf-8").format(
        imports=usage.imports,
        load=usage.load,
        infer=indent(usage.infer, _INDENT),
        entry=repr(artifact.entry),
        classes=list(manifest.model.classes),
        read=_reading(manifest),
    )


def _reading(manifest: Manifest) -> str:
    """Return the function that reads an image; raises InputError where the manifest has no record of it."""
    steps = manifest.preprocessing
    if isinstance(steps, StatedPreprocessing):
        raise InputError(
            f"the bundle '{manifest.name}' cannot be shipped: it is of schema 1, and says in sentences that "
            f"edgefit did not write how an image becomes an input ('{steps.words}'); export the bundle again"
        )
    assert isinstance(steps, PreprocessingRecord)
    return reading_of(steps)


def _usage_of(artifact: ArtifactRecord, run: Run) -> Usage:
    row = row_of(artifact.format)
    if row.usage is None:
        raise InputError(
            f"{artifact.variant} cannot be shipped: edgefit has no example for {artifact.format}; choose "
            "another variant"
        )
    return row.usage(_ran_as(artifact, run))


def _ran_as(artifact: ArtifactRecord, run: Run) -> RanAs:
    ran = None if run.summary is None else run.summary.precision_ran
    shares = None if ran is None else ran.share_of_macs
    return RanAs(
        provider=run.config.provider,
        place=place_of(run.config.provider),
        threads=run.config.threads,
        precision=artifact.precision,
        engine=artifact.engine,
        in_half=(shares or {}).get(Precision.FP16.value, 0) > _MOSTLY,
    )


def requirements_of(artifact: ArtifactRecord, run: Run, profile: Profile) -> str:
    """Return `requirements.txt`: the runtime in the version that was measured, and what reads images."""
    package = _usage_of(artifact, run).package
    # A report may come from anybody, and what stands here is installed.
    found = re.fullmatch(r"\S+ ([0-9A-Za-z.]+)(\+\S*)?", run.runtime or "")
    version = None if found is None else found[1]
    choice = profile.runtimes.get(artifact.format)
    ran = " ".join(f"{run.runtime} on {run.config.provider}".split())
    lines = [f"# What runs {artifact.variant} as it was measured: {ran}."]
    if choice is not None and choice.install is not None:
        lines.append(f"# On {profile.name}: {' '.join(choice.install.split())}")
    return "\n".join([*lines, f"{package}=={version}" if version else package, "numpy", "pillow", ""])
