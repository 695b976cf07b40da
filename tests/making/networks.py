"""Reports of networks that were measured together, with known figures."""

from collections.abc import Mapping

from bench.bundle.model_set import NetworkCounts
from bench.measurements import Outcome
from bench.report.schema import Report
from making.compared_report import Row, made_report

JOINT_RUN = "5" * 64
SAMPLES = "7" * 64
COUNTS = NetworkCounts(file="onnx-fp32", parameters=2_230_000, macs=310_000_000)


def network(
    name: str,
    rows: Mapping[str, Row | Outcome],
    samples: str | None = SAMPLES,
    joint_run: str | None = JOINT_RUN,
    sources: str | None = None,
    bundle: Mapping[str, object] | None = None,
    **changes: object,
) -> Report:
    """The report of one of several networks. `samples`: the hash of its images, `sources`: before they were
    resized; `bundle`: changes of it."""
    report = made_report(rows, **changes)  # type: ignore[arg-type]
    assert report.bundle is not None
    assert report.evaluation is not None
    own = {"name": name, "counts": COUNTS, "sha256": name[0] * 64, "pack_sha256": name[-1] * 64}
    update = {
        "name": name,
        "joint_run": joint_run,
        "bundle": report.bundle.model_copy(update=own | dict(bundle or {})),
        "evaluation": report.evaluation.model_copy(
            update={"samples_sha256": samples, "sources_sha256": sources}
        ),
    }
    return report.model_copy(update=update)


def two_networks() -> list[Report]:
    """A large accurate network, and a small one that is twice as fast and gets 20 of 1000 images wrong."""
    noise = (1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.03, 0.97)
    large = network(
        "resnet",
        {
            "onnx-fp32": Row(20, mib=200, size=44_000_000, noise=noise),
            "onnx-int8": Row(9, mib=120, size=11_000_000, wrong=4, noise=noise),
        },
    )
    small = network(
        "mobilenet",
        {
            "onnx-fp32": Row(10, mib=100, size=9_000_000, wrong=20, noise=noise[::-1]),
            "onnx-int8": Row(4, mib=80, size=2_500_000, wrong=30, noise=noise[::-1]),
        },
    )
    return [large, small]
