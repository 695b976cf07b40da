"""Whether a report is of the bundle, or of the model files, that it names: hashes, sizes, labels."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.bundle.manifest import Bundle
from bench.bundle.model_files import read_model_file
from bench.bundle.model_set import ModelFileRecord
from bench.errors import InputError
from bench.report.files import first_difference
from bench.report.measured_bundle import evaluation_of, record_of
from bench.report.schema import BundleRecord, Evaluation, Report, Run
from bench.verify.document import VerifiedPart, part

_FROM_ELSEWHERE = {"folder", "counts"}


def subject_part(report: Report, bundle: Bundle | None) -> VerifiedPart:
    """Compare what was measured with the files themselves."""
    if report.models is not None:
        return _models_part(report, report.models.models, bundle)
    assert report.bundle is not None
    assert report.evaluation is not None
    if bundle is None:
        gap = (
            f"hashes, sizes, labels and recipes of bundle {report.bundle.sha256[:8]}: name it with "
            f"--bundle{f' (it was {report.bundle.folder})' if report.bundle.folder else ''}"
        )
        return part("bundle", None, gaps=[gap])
    checked = (
        f"{bundle.folder}: the hash of every file; manifest, evaluation pack, labels, reference and sizes "
        "are those of the report"
    )
    if bundle.sha256 != report.bundle.sha256:
        wrong = [
            f"the report is of bundle {report.bundle.sha256[:8]}, and {bundle.folder} is {bundle.sha256[:8]}"
        ]
        return part("bundle", checked, wrong)
    return part(
        "bundle",
        checked,
        [
            *_of_record(report.bundle, bundle),
            *_of_evaluation(report.evaluation, bundle),
            *_of_rows(report.runs, bundle),
        ],
        _rows_left_out(report.runs, bundle),
    )


def _of_record(stored: BundleRecord, bundle: Bundle) -> Iterator[str]:
    derived = record_of(bundle).model_dump(exclude=_FROM_ELSEWHERE)
    present = stored.model_dump(exclude=_FROM_ELSEWHERE)
    for key, value in derived.items():
        if key in stored.model_fields_set and first_difference(present[key], value) is not None:
            yield f"'bundle.{key}' is {_shown(present[key])}, and the bundle's is {_shown(value)}"


def _of_evaluation(stored: Evaluation, bundle: Bundle) -> Iterator[str]:
    pack = bundle.pack()
    is_hashed = stored.samples_sha256 is not None
    derived = evaluation_of(bundle, pack.first(stored.images), len(pack), is_hashed)
    for key, value in derived.model_dump().items():
        present = getattr(stored, key)
        if first_difference(stored.model_dump()[key], value) is not None:
            where = _first_place(present, value)
            yield f"'evaluation.{key}'{where} is not that of the evaluation pack"


def _first_place(stored: object, derived: object) -> str:
    """Return at which image two lists differ first; nothing for other values."""
    if not isinstance(stored, tuple) or not isinstance(derived, tuple):
        return ""
    pairs = enumerate(zip(stored, derived, strict=False))
    place = next((index for index, (one, other) in pairs if one != other), min(len(stored), len(derived)))
    return f" of image {place}"


def _of_rows(runs: Sequence[Run], bundle: Bundle) -> Iterator[str]:
    artifacts = {artifact.variant: artifact for artifact in bundle.manifest.artifacts}
    missing = {each.variant for each in bundle.manifest.missing}
    for run in runs:
        if not run.is_variant:
            continue
        artifact = artifacts.get(run.variant)
        if artifact is None:
            if run.variant not in missing or run.completed is not None:
                yield f"{run.case}: the bundle has no {run.variant}"
        elif run.size_bytes is None and run.completed is not None:
            yield f"{run.case}: it has no size, and its files have {artifact.size_bytes} bytes"
        elif run.size_bytes is not None and run.size_bytes != artifact.size_bytes:
            yield f"{run.case}: its size is {run.size_bytes} bytes, and its files have {artifact.size_bytes}"


def _rows_left_out(runs: Sequence[Run], bundle: Bundle) -> list[str]:
    rows = {run.variant for run in runs}
    others = [each.variant for each in bundle.manifest.artifacts if each.variant not in rows]
    return [f"{', '.join(others)}: in the bundle, and no row of the report"] if others else []


def _models_part(report: Report, models: Sequence[ModelFileRecord], bundle: Bundle | None) -> VerifiedPart:
    """Compare model files with those at the paths where they were measured."""
    wrong, gaps, checked = [*_of_model_rows(report, models)], [], []
    if bundle is not None:
        gaps.append(f"{bundle.folder}: the report is of model files, and of no bundle")
    for model in models:
        path = Path(model.path)
        if not _is_here(path):
            gaps.append(f"{model.name}: hash and size, because {path} is not here")
            continue
        checked.append(model.name)
        wrong += _of_file(model, path)
    gaps.append("the values of their inputs, which are not kept")
    words = f"hash and size of {', '.join(checked)}, as {'it lies' if len(checked) == 1 else 'they lie'} here"
    return part("model files", words if checked else None, wrong, gaps)


def _is_here(path: Path) -> bool:
    """Tell whether there is such a file; a path that this system cannot have names none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _of_file(model: ModelFileRecord, path: Path) -> list[str]:
    try:
        file = read_model_file(path)
    except InputError as error:
        return [str(error)]
    if file.sha256 != model.sha256:
        return [f"{model.name}: {path} is not the file that was measured (its SHA-256 differs)"]
    if file.size_bytes != model.size_bytes:
        return [f"{model.name}: its size is {model.size_bytes} bytes, and its files have {file.size_bytes}"]
    return []


def _of_model_rows(report: Report, models: Sequence[ModelFileRecord]) -> Iterator[str]:
    by_name = {model.name: model for model in models}
    for run in report.runs:
        if not run.is_variant:
            continue
        model = by_name.get(run.variant)
        if model is None:
            yield f"{run.case}: 'models' has no file of this name"
        elif (run.format, run.precision, run.size_bytes) != (model.format, model.precision, model.size_bytes):
            yield f"{run.case}: its format, precision or size is not that of its file in 'models'"
        elif run.completed is not None and run.completed.inputs_sha256 != model.values.comparable_sha256:
            yield f"{run.case}: its outputs are of other inputs than 'models' names"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
