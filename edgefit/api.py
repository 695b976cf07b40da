"""The functions of `import edgefit`: keywords in, the commands' own jobs, results out. See docs/api.md.

They print progress on stderr and raise EdgefitError; nothing else is printed, and no process ends.
"""

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bundle.manifest import Manifest
from bench.bundle.signature import NUMERIC_DTYPES, Shapes, StatedInput
from bench.errors import BenchError as EdgefitError
from bench.errors import InputError, MissingRuntimeError
from bench.gate.options import DEFAULT_SECONDS, DEFAULT_SLOWDOWN, CheckOptions, Limits
from bench.inspect.inspecting import inspect_model
from bench.progress import Progress
from bench.report.files import read_report as read_record
from bench.report.retention import MARGIN
from bench.report.schema import Report as ReportRecord
from bench.run.request import BenchmarkRequest
from bench.verify.document import Verification
from edgefit import __version__, jobs
from edgefit.errors import python_errors
from edgefit.extras import require_extra
from edgefit.metrics import metrics_of
from edgefit.own_packages import require_own
from edgefit.progress import Silence
from edgefit.progress import progress as shown_progress
from edgefit.results import Checked, Choice, Inspection, NetworkComparison, Report
from edgefit.subjects import SubjectOptions
from edgefit.values import BENCH_S, CHECK_S, DEFAULT_PROFILE, SHARE, SQNR_DB, SUSTAINED_S, now, require_name

if TYPE_CHECKING:
    from models.records import RunRecord

__all__ = [
    "Checked",
    "Choice",
    "EdgefitError",
    "InputError",
    "Inspection",
    "MissingRuntimeError",
    "NetworkComparison",
    "Report",
    "Verification",
    "bench",
    "check",
    "choose",
    "compare",
    "export",
    "finetune",
    "inspect",
    "read_report",
    "verify",
]


@python_errors()
def bench(
    model: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    profile: str | PathLike[str] = DEFAULT_PROFILE,
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    dtype: str | Mapping[str, str] | None = None,
    data: str | PathLike[str] | None = None,
    preprocess: str | PathLike[str] | None = None,
    output: str | None = None,
    only: str | Sequence[str] = (),
    quick: bool = False,
    seconds: float | None = None,
    sustained: float | None = None,
    resume: bool = False,
    keep_environment: bool = False,
    name: str | None = None,
    out: str | PathLike[str] | None = None,
    metric: str | Sequence[str] = (),
    progress: bool = True,
) -> Report:
    """Measure a model file, several model files in turn, or every variant in a bundle, on this machine.

    `shape` and `dtype`: those of the only input, or of each input by its name, where the files leave them
    open. `data`, `preprocess` and `output`: see the options of the command. `only`: the variants of a bundle
    to measure. `seconds`: how long the latencies of all variants together may take. `sustained`: seconds of a
    run without a pause. `keep_environment`: whether the
    measured processes keep variables such as OMP_NUM_THREADS. `out`: a file for the report. `metric`: a
    function of scikit-learn's `(y_true, y_score)`, as `package.module:function`, or several. A case that
    failed or was skipped is a row of the report.
    """
    if sustained is not None:
        sustained = SUSTAINED_S.require("sustained", sustained)
    request = BenchmarkRequest(
        only=_names(only),
        quick=quick,
        seconds=None if seconds is None else BENCH_S.require("seconds", seconds),
        name=require_name(name),
        sustained_s=sustained,
        resume=resume,
        keep_environment=keep_environment,
        tool=__version__,
        created=now(),
    )
    inputs = _inputs(shape, dtype, data, preprocess, output, request.only)
    file = None if out is None else Path(out)
    metrics = metrics_of(_names(metric))
    with _progress(progress) as watcher:
        return Report.of(jobs.measure(_paths(model), str(profile), inputs, request, file, watcher, metrics))


@python_errors()
def compare(
    networks: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    baseline: str | None = None,
    profile: str | PathLike[str] = DEFAULT_PROFILE,
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    dtype: str | Mapping[str, str] | None = None,
    data: str | PathLike[str] | None = None,
    preprocess: str | PathLike[str] | None = None,
    output: str | None = None,
    only: str | Sequence[str] = (),
    quick: bool = False,
    seconds: float | None = None,
    resume: bool = False,
    keep_environment: bool = False,
    out: str | PathLike[str] | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> NetworkComparison:
    """Measure networks together on this machine, and compare each with the baseline.

    `networks`: two or more bundles, run folders and model files; or the folder that `out` named before, which
    is read again. A run folder is exported for this alone, as `onnx-fp32`, or as the variants of `only`.
    `baseline`: the network that the others are compared with, or one of its rows; None for the first.
    `out`: a folder for the comparison and the report of each network. The other arguments are those of
    `bench`. `exit_code` of the result is 12 if no latency could be compared, else 0.
    """
    request = BenchmarkRequest(
        only=_names(only),
        quick=quick,
        seconds=None if seconds is None else BENCH_S.require("seconds", seconds),
        resume=resume,
        keep_environment=keep_environment,
        tool=__version__,
        created=now(),
    )
    inputs = _inputs(shape, dtype, data, preprocess, output, request.only)
    folder = None if out is None else Path(out)
    with _progress(progress) as watcher:
        compared = jobs.compare(
            _paths(networks), str(profile), inputs, request, baseline, folder, overwrite, watcher
        )
    return NetworkComparison.of(compared.comparison, compared.reports)


@python_errors()
def check(
    new: str | PathLike[str] | ReportRecord,
    baseline: str | PathLike[str] | ReportRecord,
    *,
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    dtype: str | Mapping[str, str] | None = None,
    data: str | PathLike[str] | None = None,
    preprocess: str | PathLike[str] | None = None,
    output: str | None = None,
    profile: str | PathLike[str] = DEFAULT_PROFILE,
    only: str | Sequence[str] = (),
    max_slowdown: float | None = None,
    max_load_slowdown: float = 0.25,
    max_memory_growth: float = 0.05,
    max_growth: float = 0.01,
    min_retention: float | None = None,
    min_agreement: float | None = None,
    min_sqnr: float | None = None,
    seconds: float = DEFAULT_SECONDS,
    skip_equal: bool = False,
    strict: bool = False,
    keep_environment: bool = False,
    progress: bool = True,
) -> Checked:
    """Compare a candidate with a baseline: two model files or two bundles side by side here, or two reports.

    Limits are shares: 0.05 is 5 %. `min_sqnr` is in dB. None is the limit of the command line. An argument
    that would do nothing, such as `shape` for bundles, is refused. `exit_code` of the result is 10 if
    something is worse than its limit, 12 if no latency could be compared, else 0.
    """
    candidate, against = _given(new), _given(baseline)
    kind = jobs.compared_kind(candidate, against)
    chosen = {
        "shape": shape is not None,
        "data": data is not None,
        "preprocess": preprocess is not None,
        "judged_output": output is not None,
        "only": bool(only),
        "min_retention": min_retention is not None,
        "min_agreement": min_agreement is not None,
        "min_sqnr": min_sqnr is not None,
        "keep_environment": keep_environment,
    }
    jobs.refuse_foreign([name for name, is_given in chosen.items() if is_given], kind)
    usual = Limits(max_slowdown=DEFAULT_SLOWDOWN[kind])
    limits = Limits(
        max_slowdown=SHARE.require_or("max_slowdown", max_slowdown, usual.max_slowdown),
        max_load_slowdown=SHARE.require("max_load_slowdown", max_load_slowdown),
        max_memory_growth=SHARE.require("max_memory_growth", max_memory_growth),
        max_growth=SHARE.require("max_growth", max_growth),
        min_retention=SHARE.require_or("min_retention", min_retention, usual.min_retention),
        min_agreement=SHARE.require_or("min_agreement", min_agreement, usual.min_agreement),
        min_sqnr_db=SQNR_DB.require_or("min_sqnr", min_sqnr, usual.min_sqnr_db),
        judged_output=output,
    )
    options = CheckOptions(
        only=_names(only),
        limits=limits,
        seconds=CHECK_S.require("seconds", seconds),
        skip_equal=skip_equal,
        strict=strict,
        keep_environment=keep_environment,
    )
    inputs = _inputs(shape, dtype, data, preprocess, output)
    with _progress(progress) as watcher:
        return Checked.of(jobs.check(candidate, against, inputs, str(profile), options, watcher))


@python_errors()
def choose(
    reports: str | PathLike[str] | ReportRecord | Sequence[str | PathLike[str] | ReportRecord],
    *,
    prefer: str = "latency",
    max_p95_ms: float | None = None,
    max_memory_mb: float | None = None,
    max_size_mb: float | None = None,
    min_retention: float | None = None,
    retention_margin: float = MARGIN,
) -> list[Choice]:
    """Choose the best variant for each profile of some reports, and give the reason against every other.

    A limit that is None is the profile's own.
    """
    given = [reports] if isinstance(reports, str | PathLike | ReportRecord) else list(reports)
    if not given:
        raise InputError("no report is given; give at least one that edgefit.bench returned or wrote")
    criteria = jobs.criteria_of(
        prefer, max_p95_ms, max_memory_mb, max_size_mb, min_retention, retention_margin, "the call"
    )
    opened = [jobs.opened_report(_given(report)) for report in given]
    return [Choice.of(choice) for choice, _ in jobs.choose_for(opened, criteria)]


@python_errors()
def inspect(
    model: str | PathLike[str],
    *,
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    dtype: str | Mapping[str, str] | None = None,
) -> Inspection:
    """Return what a model file says of itself: inputs, outputs, operators, weights, preprocessing.

    `shape` and `dtype`: see `bench`; they are needed for multiply-accumulates where the file leaves axes
    open. Nothing is measured.
    """
    return Inspection.of(inspect_model(Path(model), _stated(_shapes(shape), dtype)))


@python_errors()
def read_report(path: str | PathLike[str]) -> Report:
    """Read a report that `edgefit.bench` or the command line wrote, and check it against its measurements."""
    return Report.of(read_record(Path(path)))


@python_errors()
def verify(
    reports: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    bundle: str | PathLike[str] | None = None,
) -> Verification:
    """Derive again what can be derived from files of reports, and compare it with what they say.

    `bundle`: the bundle that was measured, whose files are then hashed and compared too. `holds` of the
    result is false if anything does not match; `reports` has every mismatch.
    """
    paths = [reports] if isinstance(reports, str | PathLike) else list(reports)
    if not paths:
        raise InputError("no report is given; give at least one file that edgefit.bench wrote")
    return jobs.verify([Path(path) for path in paths], None if bundle is None else Path(bundle))


@python_errors()
def export(
    source: str | PathLike[str],
    out: str | PathLike[str],
    *,
    data: str | PathLike[str] | None = None,
    strict_data: bool = False,
    preprocess: str | PathLike[str] | None = None,
    trust_preprocess: bool = False,
    weights: str | PathLike[str] | None = None,
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    dtype: str | Mapping[str, str] | None = None,
    output: str | None = None,
    activation: str | None = None,
    classes: str | None = None,
    positive: str | None = None,
    formats: str | Sequence[str] | None = None,
    precisions: str | Sequence[str] | None = None,
    min_retention: float = 0.99,
    qat: bool = False,
    cpu: str = "portable",
    eval_images: int = 512,
    name: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Manifest:
    """Export a source to every format and precision that it gives, verify each file, and write the bundle
    `out`.

    `source`: a run folder, a model file, `torchvision/NAME`, `timm/NAME` or `package.module:function`. The
    options are those of the command. `failed` of the result lists the variants that could not be made, and
    `not_made` those that the source does not give.
    """
    require_own("models", "export")
    require_extra("build", "edgefit.export")
    from export.options import ALL_PRECISIONS, ExportOptions

    options = ExportOptions(
        source=str(source),
        formats=None if formats is None else _names(formats),
        precisions=ALL_PRECISIONS if precisions is None else _names(precisions),
        min_retention=min_retention,
        qat=qat,
        cpu=cpu,
        eval_images=eval_images,
        data=_text(data),
        strict_data=strict_data,
        preprocess=_text(preprocess),
        trust_preprocess=trust_preprocess,
        weights=None if weights is None else Path(weights),
        shapes=_stated(_shapes(shape), dtype),
        judged_output=output,
        activation=activation,
        classes=classes,
        positive=positive,
    )
    with _progress(progress) as watcher:
        return jobs.export_run(options, Path(out), require_name(name), overwrite, watcher)


@python_errors()
def finetune(
    data: str | PathLike[str],
    out: str | PathLike[str],
    *,
    arch: str = "mobilenet_v2",
    weights: str | PathLike[str] = "imagenet",
    image_size: int = 224,
    images: int = 1000,
    epochs: int | None = None,
    unfreeze: int | None = None,
    seed: int = 0,
    flip: bool = True,
    skip_bad: bool = False,
    strict_data: bool = False,
    positive: str | None = None,
    name: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> "RunRecord":
    """Fine-tune a lightweight classifier on images of two or more classes, and write the run folder `out`.

    `positive`: of two classes the name of the positive one; None: by the names, or else label 1.
    """
    require_own("models")
    require_extra("build", "edgefit.finetune")
    from models.options import FinetuneOptions

    options = FinetuneOptions(
        data=str(data),
        arch=arch,
        weights=str(weights),
        image_size=image_size,
        epochs=epochs,
        unfreeze=unfreeze,
        seed=seed,
        flip=flip,
        skip_bad=skip_bad,
        strict_data=strict_data,
        images=images,
        positive=positive,
    )
    with _progress(progress) as watcher:
        return jobs.finetune_network(options, Path(out), require_name(name), overwrite, watcher)


@contextmanager
def _progress(is_shown: bool) -> Iterator[Progress]:
    """Yield the receiver of progress: a bar on a terminal, plain lines in a notebook, or nothing."""
    if not is_shown:
        yield Silence()
        return
    with shown_progress() as watcher:
        yield watcher


def _paths(model: str | PathLike[str] | Sequence[str | PathLike[str]]) -> list[Path]:
    paths = [Path(model)] if isinstance(model, str | PathLike) else [Path(path) for path in model]
    if not paths:
        raise InputError("no model is given; give a model file, several of them, or a bundle")
    return paths


def _given(given: str | PathLike[str] | ReportRecord) -> Path | ReportRecord:
    return given if isinstance(given, ReportRecord) else Path(given)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return names as a tuple. A text by itself is one name."""
    return (names,) if isinstance(names, str) else tuple(names)


def _shapes(
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None,
) -> dict[str, tuple[int, ...]]:
    """Return shapes by input name. A shape without a name is that of the only input, whose name is empty."""
    if shape is None:
        return {}
    shapes = shape if isinstance(shape, Mapping) else {"": shape}
    return {name: _sizes(sizes) for name, sizes in shapes.items()}


def _inputs(
    shape: Sequence[int] | Mapping[str, Sequence[int]] | None,
    dtype: str | Mapping[str, str] | None,
    data: str | PathLike[str] | None,
    preprocess: str | PathLike[str] | None,
    output: str | None,
    only: Sequence[str] = (),
) -> SubjectOptions:
    return SubjectOptions(
        only=only,
        shapes=_stated(_shapes(shape), dtype),
        data=_text(data),
        preprocess=_text(preprocess),
        judged_output=output,
    )


def _stated(shapes: Mapping[str, tuple[int, ...]], dtype: str | Mapping[str, str] | None) -> Shapes:
    """Return what is stated of each input. A type by itself is that of the only input."""
    types = {"": dtype} if isinstance(dtype, str) else dict(dtype or {})
    for name, type_ in types.items():
        if name not in shapes:
            raise InputError(f"dtype {type_!r} has no shape beside it; give the input's shape as well")
        if type_ not in NUMERIC_DTYPES:
            raise InputError(f"'{type_}' is not a type; write one of {', '.join(NUMERIC_DTYPES)}")
    return {name: StatedInput(sizes, types.get(name)) for name, sizes in shapes.items()}


def _text(value: str | PathLike[str] | None) -> str | None:
    return None if value is None else str(value)


def _sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    try:
        whole = tuple(map(operator.index, sizes))
    except TypeError:
        whole = ()
    if not whole or min(whole) < 1:
        raise InputError(f"shape {sizes!r} is not a shape; give one such as (1, 3, 224, 224)")
    return whole
