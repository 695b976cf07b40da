"""Reports of three devices as a page has to show them: several formats, gaps, a proxy, hostile names."""

from bench.measurements import Block, Completed, Failed, FailureKind, Outcome, Skipped, Stage, SustainedRun
from bench.report.schema import Proxy, Report
from making.compared_report import Row, made_report, outcome
from making.tiny_report import CALM, ms_to_ns

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> שלום عالم " + "long" * 75
_MESSAGE = "died of </script>\x1b[2J\u202e"
_UNSTEADY = (0.97, 1.0, 1.02, 1.0, 0.99, 1.03, 1.0, 1.01)


def three_reports() -> list[Report]:
    """A laptop with everything, a Raspberry Pi that it stands in for, and a laptop with a hostile name."""
    rows: dict[str, Row | Outcome] = {
        "onnx-fp32": Row(10, noise=_UNSTEADY),
        "onnx-int8": _without_a_pause(Row(4, size=2_500_000, wrong=3, noise=_UNSTEADY)),
        "openvino-fp32": Row(9, mib=140, noise=_UNSTEADY),
        "openvino-int8": Row(4.1, mib=130, size=2_700_000, wrong=1, noise=_UNSTEADY),
        "torchscript-fp32": Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message=_MESSAGE),
        "torchscript-int8": Skipped(reason="torch is not installed here"),
    }
    proxy = Proxy(agrees=(), differs=("cores",), emulated=None, memory_limit_bytes=None, memory_held_by=None)
    return [
        made_report(rows, name="night"),
        made_report(
            {"onnx-fp32": Row(11), "onnx-int8": Row(5, size=2_500_000)},
            profile="raspberry-pi-5",
            provenance="proxy",
            name="night",
            proxy=proxy,
        ),
        made_report({"onnx-fp32": Row(12)}, profile="laptop-i7-1185g7", name=HOSTILE),
    ]


def _without_a_pause(row: Row) -> Completed:
    """A row that also ran for some seconds without a pause."""
    blocks = tuple(
        Block(pass_index=0, position=0, ns=(ms_to_ns(row.ms + second),) * 200) for second in range(4)
    )
    run = SustainedRun(blocks=blocks, before=CALM, after=CALM)
    return outcome(row, "int8").model_copy(update={"sustained": run})
