"""Reports of three devices with every format and precision, as large as those that are measured."""

import random
from itertools import product

from bench.measurements import Completed
from bench.report.schema import Report
from making.compared_report import Row, made_report, outcome

_DEVICES = ("laptop-cpu", "raspberry-pi-5", "jetson-nano")
_VARIANTS = [
    "-".join(pair) for pair in product(("onnx", "openvino", "torchscript"), ("fp32", "fp16", "int8"))
]
_IMAGES = 624


def full_reports(classes: int) -> list[Report]:
    """A report of each device with so many classes: no two samples are equal, and every class is confused."""
    return [_report(device, classes, random.Random(device)) for device in _DEVICES]


def _report(device: str, classes: int, source: random.Random) -> Report:
    labels = tuple(index % classes for index in range(_IMAGES))
    reference = _answers(labels, classes, 0.93, source)
    rows = {}
    for variant in _VARIANTS:
        precision = variant.rpartition("-")[2]
        answers = _answers(reference, classes, 0.97 if precision == "int8" else 0.999, source)
        row = Row(source.uniform(3, 12), answers=answers)
        rows[variant] = _sampled(outcome(row, precision, _IMAGES, classes), source)
    names = tuple(f"a class with number {number}" for number in range(classes))
    return made_report(rows, device, labels=labels, reference=reference, classes=names)


def _answers(right: tuple[int, ...], classes: int, share: float, source: random.Random) -> tuple[int, ...]:
    return tuple(each if source.random() < share else source.randrange(classes) for each in right)


def _sampled(measured: Completed, source: random.Random) -> Completed:
    """The same with twice the samples, each of its own length."""
    processes = tuple(
        process.model_copy(
            update={
                "blocks": tuple(
                    block.model_copy(update={"ns": tuple(_near(ns, source) for ns in block.ns * 2)})
                    for block in process.blocks
                )
            }
        )
        for process in measured.processes
    )
    return measured.model_copy(update={"processes": processes})


def _near(ns: int, source: random.Random) -> int:
    return int(ns * source.uniform(0.95, 1.2))
