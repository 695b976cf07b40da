"""The table and the four claims of `paper_table.py`, in Markdown. Pure: it measures nothing.

The paper is "Enhancing Medical Image Classification with Lightweight Deep Learning Models".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.bundle.variants import Precision
from bench.compare.document import AgainstBaseline, NetworkComparison, NetworkRow
from bench.report.schema import Accuracy
from bench.statistics.wilson import wilson_interval
from bench.units import mb, mib, ms, written
from models.records import MetricEstimate, RunRecord
from user_files.wording import listed

MOBILENET_V2 = "mobilenet_v2"
NAMES = {
    MOBILENET_V2: "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3-Small",
    "mobilenet_v3_large": "MobileNetV3-Large",
    "densenet121": "DenseNet-121",
    "resnet50": "ResNet-50",
    "vgg16": "VGG-16",
}
LARGER = ("densenet121", "resnet50", "vgg16")
"""Those that the paper's "larger CNNs" and "traditional heavy models" can be."""
ACCURACY_CLAIMED, AUC_CLAIMED, SIZE_CLAIMED_MB, LARGER_CLAIMED_MB, FASTER_CLAIMED = 0.912, 0.947, 14, 200, 0.6
_NONE = "–"
_MILLION = 1e6
_IMAGENET_CLASSES, _WEIGHTS_OF_A_CLASS, _BYTES_OF_A_WEIGHT = 1000, 1281, 4


@dataclass(frozen=True)
class PaperRow:
    """One file of one network."""

    run: RunRecord
    """The network's training, with its figures in fp32."""
    measured: NetworkRow
    """Its size, speed and memory; the baseline is MobileNetV2 in fp32."""
    against_largest: AgainstBaseline | None
    """How it stands against the largest network; None for that network itself."""
    accuracy: MetricEstimate
    """The file's accuracy on the test images."""
    auc: MetricEstimate | None
    """Its area under the ROC curve on the test images; None if it is undefined."""

    @property
    def name(self) -> str:
        """The network as it is written."""
        return NAMES[self.run.arch]

    @property
    def is_int8(self) -> bool:
        """Whether it is the file in int8."""
        return self.measured.precision is Precision.INT8

    @property
    def size_mb(self) -> float:
        """The size of the file in MB."""
        assert self.measured.size_bytes is not None  # every file of a bundle has a size
        return mb(self.measured.size_bytes)

    @property
    def start(self) -> str:
        """What the training started from."""
        weights = self.run.weights
        return {
            "imagenet": "ImageNet",
            "bundled": "bundled",
            "none": "none",
            "file": f"file `{weights.name}`",
        }[weights.kind]


def paper_rows(
    runs: Mapping[str, RunRecord],
    compared: NetworkComparison,
    with_largest: NetworkComparison,
    of_int8: Accuracy,
) -> list[PaperRow]:
    """Join the trainings, by network, with what was measured of the files.

    `compared`: with MobileNetV2 in fp32; `with_largest`: the same rows, compared with the largest file.
    `of_int8`: the figures of MobileNetV2 in int8 on the test images.
    """
    pairs = zip(compared.rows, with_largest.rows, strict=True)
    return [_paper_row(runs[row.network], row, other.against, of_int8) for row, other in pairs]


def _paper_row(
    run: RunRecord, row: NetworkRow, against_largest: AgainstBaseline | None, of_int8: Accuracy
) -> PaperRow:
    test = run.metrics.test
    if row.precision is not Precision.INT8:
        return PaperRow(run, row, against_largest, test.accuracy, test.auc)
    right, images, auc = of_int8.top1, of_int8.images, of_int8.auc
    assert right is not None  # the test images have labels
    accuracy = MetricEstimate(value=right, ci95=wilson_interval(round(right * images), images))
    area = None if auc is None else MetricEstimate(value=auc, ci95=of_int8.auc_ci95)
    return PaperRow(run, row, against_largest, accuracy, area)


def _percent(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f} %"


def _interval(estimate: MetricEstimate | None) -> str:
    if estimate is None:
        return _NONE
    return f"{estimate.value:.3f}{_ends(estimate.ci95, 3)}"


def _ends(ends: tuple[float, float] | None, digits: int) -> str:
    return "" if ends is None else f" ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"


def _latency(row: PaperRow) -> str:
    measured = row.measured
    if measured.p50_ns is None:
        return measured.status
    ends = measured.p50_ci95_ns
    return f"{ms(measured.p50_ns):.2f}{_ends(None if ends is None else (ms(ends[0]), ms(ends[1])), 2)}"


def _validation(row: PaperRow) -> str:
    return _NONE if row.is_int8 else f"{row.run.metrics.validation.accuracy.value:.3f}"


def _faster(row: PaperRow) -> str:
    pair = row.against_largest
    if pair is None or pair.times_as_fast is None:
        return _NONE
    return f"{pair.times_as_fast.value:.1f}{_ends(pair.times_as_fast.ci95, 1)}"


def _smaller(row: PaperRow) -> str:
    return _NONE if row.against_largest is None else f"{row.against_largest.times_as_small:.1f}"


def _millions(count: int | None) -> str:
    return _NONE if count is None else written(count / _MILLION, 1)


def _memory(row: PaperRow) -> str:
    memory = row.measured.memory_bytes
    return _NONE if memory is None else f"{mib(memory):.0f}"


def _columns(largest: str) -> dict[str, Callable[[PaperRow], str]]:
    return {
        "network": lambda row: f"{row.name}, {'int8' if row.is_int8 else 'fp32'}",
        "starts from": lambda row: row.start,
        "validation accuracy": _validation,
        "test accuracy": lambda row: _interval(row.accuracy),
        "test AUC": lambda row: _interval(row.auc),
        "file, MB": lambda row: f"{row.size_mb:.1f}",
        "weights, millions": lambda row: _millions(row.measured.parameters),
        "MACs, millions": lambda row: _millions(row.measured.macs),
        "latency, ms": _latency,
        "peak memory, MiB": _memory,
        f"times as small as {largest}": _smaller,
        f"times as fast as {largest}": _faster,
    }


def table(rows: Sequence[PaperRow]) -> list[str]:
    """Return the lines of the table."""
    columns = _columns(max(rows, key=lambda row: row.size_mb).name)
    lines = [[column(row) for column in columns.values()] for row in rows]
    return [_line(list(columns)), _line(["---"] * len(columns)), *map(_line, lines)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def conditions(rows: Sequence[PaperRow], speed_size: int, compared: NetworkComparison) -> str:
    """Return what was trained and tested on which images, where it was measured, and what did not learn."""
    run, idle = rows[0].run, dict.fromkeys(row.name for row in rows if _says_one_class(row.run))
    note = "" if not idle else f" One class was the answer to every test image: {listed(list(idle))}."
    train, test = sum(run.data.counts.train), sum(run.data.counts.test)
    return (
        f"Trained on {train} images at {run.image_size}×{run.image_size} for {run.training.epochs} epochs at "
        f"most, and tested on {test} at that size. Size, latency "
        f"and memory are of the ONNX files at {speed_size}×{speed_size}, batch 1, measured by edgefit "
        f"{compared.tool} on {compared.cpu} with the profile {compared.profile}"
        f"{', quickly' if compared.quick else ''}. In brackets: 95 % intervals.{note}"
    )


def _says_one_class(run: RunRecord) -> bool:
    """Return whether all test images get the same class, as of a network that has not learned yet."""
    return sum(any(column) for column in zip(*run.metrics.test.confusion, strict=True)) == 1


def claims(rows: Sequence[PaperRow]) -> list[str]:
    """Return the table of the paper's claims, each with what was measured."""
    first = next(row for row in rows if row.run.arch == MOBILENET_V2 and not row.is_int8)
    int8 = next((row for row in rows if row.run.arch == MOBILENET_V2 and row.is_int8), None)
    larger = [row for row in rows if row.run.arch in LARGER]
    return [
        _line(["the paper says", "measured"]),
        _line(["---", "---"]),
        _line(
            [
                f"MobileNetV2: {_percent(ACCURACY_CLAIMED, 1)} validation accuracy, AUC {AUC_CLAIMED}",
                accuracy_answer(first, int8, rows),
            ]
        ),
        _line([f"MobileNetV2: {SIZE_CLAIMED_MB} MB", size_answer(first, int8)]),
        _line([f"larger CNNs: {LARGER_CLAIMED_MB} MB and more", larger_answer(larger)]),
        _line(
            [f'{_percent(FASTER_CLAIMED, 0)} faster than "traditional heavy models"', speed_answer(larger)]
        ),
    ]


def accuracy_answer(first: PaperRow, int8: PaperRow | None, rows: Sequence[PaperRow]) -> str:
    """Return how accurate MobileNetV2 is, and which networks that can be compared with."""
    validation, test = first.run.metrics.validation, first.run.metrics.test
    accuracy, auc = validation.accuracy.value, validation.auc
    of_validation = [f"accuracy {_percent(accuracy, 1)}, {_reaches(accuracy, ACCURACY_CLAIMED)}"]
    if auc is not None:
        of_validation.append(f"AUC {auc.value:.3f}, {_reaches(auc.value, AUC_CLAIMED)}")
    of_int8 = "" if int8 is None else f", and in int8 {_on_test(int8)}"
    sentences = [
        f"From {first.start}, on {validation.images} validation images: {'; '.join(of_validation)}.",
        f"On {test.images} test images, which chose nothing: {_on_test(first)}{of_int8}.",
    ]
    others = [row.name for row in rows if row.run.weights.kind == "none" and row.run.arch != MOBILENET_V2]
    if others and first.run.weights.kind != "none":
        sentences.append(
            f"{listed(others)} started from none: compare them with MobileNetV2 from none alone."
        )
    return " ".join(sentences)


def _reaches(value: float, claimed: float) -> str:
    return "which is at least that" if value >= claimed else "which is less"


def _on_test(row: PaperRow) -> str:
    return f"accuracy {_interval(row.accuracy)}, AUC {_interval(row.auc)}"


def size_answer(first: PaperRow, int8: PaperRow | None) -> str:
    """Return the size of MobileNetV2's files, and with as many classes as ImageNet has."""
    classes = len(first.run.classes)
    more = mb((_IMAGENET_CLASSES - classes) * _WEIGHTS_OF_A_CLASS * _BYTES_OF_A_WEIGHT)
    of_int8 = "" if int8 is None else f", in int8 {int8.size_mb:.1f} MB"
    return (
        f"With {classes} classes {first.size_mb:.1f} MB in fp32{of_int8}; the weights of ImageNet's "
        f"{_IMAGENET_CLASSES} classes would make it {first.size_mb + more:.1f} MB in fp32 (computed)."
    )


def larger_answer(larger: Sequence[PaperRow]) -> str:
    """Return which of the larger networks are as large as the paper says."""
    if not larger:
        return "No larger network was measured."
    sizes = listed([f"{row.name} has {row.size_mb:.1f} MB" for row in larger])
    large = [row.name for row in larger if row.size_mb >= LARGER_CLAIMED_MB]
    return f"True of {listed(large) or 'none'} among {len(larger)} larger networks: {sizes}."


def speed_answer(larger: Sequence[PaperRow]) -> str:
    """Return how much faster MobileNetV2 in fp32 is than each larger network."""
    speeds = {row.name: speed for row in larger if (speed := _speed_of_mobilenet(row)) is not None}
    if not speeds:
        return "No latency of a larger network was measured."
    words = listed(
        [
            f"{written(speed.value, 1)}{_ends(speed.ci95, 1)} times as fast as {name}"
            for name, speed in speeds.items()
        ]
    )
    meanings = {
        f"{1 + FASTER_CLAIMED:.1f} times as fast": 1 + FASTER_CLAIMED,
        f"{_percent(FASTER_CLAIMED, 0)} less time": 1 / (1 - FASTER_CLAIMED),
    }
    verdicts = [f"{meaning}, true of {_as_fast(speeds, least)}" for meaning, least in meanings.items()]
    faster = f"{_percent(FASTER_CLAIMED, 0)} faster may mean {'; or '.join(verdicts)}"
    return f"MobileNetV2 in fp32 is {words}. {faster}."


def _as_fast(speeds: Mapping[str, MetricEstimate], least: float) -> str:
    """Return of which networks the whole interval of the ratio reaches `least`."""
    names = [
        name
        for name, speed in speeds.items()
        if (speed.value if speed.ci95 is None else speed.ci95[0]) >= least
    ]
    return listed(names) or "none"


def _speed_of_mobilenet(row: PaperRow) -> MetricEstimate | None:
    """Return how many times as fast MobileNetV2 in fp32 is as a row; None where that was not compared."""
    pair = row.measured.against
    if pair is None or pair.times_as_fast is None:
        return None
    ends = pair.times_as_fast.ci95
    inverse = None if ends is None else (1 / ends[1], 1 / ends[0])
    return MetricEstimate(value=1 / pair.times_as_fast.value, ci95=inverse)
