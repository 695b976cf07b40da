"""Projections: ranges between devices hold what was published, and say what they are made of."""

import math
from pathlib import Path

import pytest
from making.tiny_report import MS, completed, make_report

from bench.bundle.variants import Precision
from bench.devices.projection.from_published import between_networks
from bench.devices.projection.projected import (
    Factor,
    Measured,
    NoBasis,
    Projected,
    ProjectionTarget,
    projected,
)
from bench.devices.projection.projecting import project
from bench.devices.projection.publications import (
    MOBILENET_V2_WORK,
    cells_of_scaling,
    nearest_published,
    scaling_between,
    speeds_of,
    work_of,
)
from bench.devices.projection.scaling import Cell, Speeds, Work, fit, from_each_other_device, leave_one_out
from bench.errors import ReportMismatchError
from bench.measurements import Executed, Operator
from bench.report.files import read_report, to_json
from bench.report.schema import Report
from device_profiles.facts import PrecisionName, Rate
from device_profiles.loading import load_profile, shipped_profiles

GMACS_PER_S: dict[PrecisionName, float] = {"fp32": 50.0, "int8": 150.0}

PROFILES = shipped_profiles()
SCALING = scaling_between(PROFILES)
MOBILENET = Executed(
    source="a test's graph",
    operators=(
        Operator(name="all", operation="Conv", precision="fp32", macs=300_800_000, elements=16_925_000),
    ),
    casts=0,
    quantise=0,
    dequantise=0,
)
HOST_RATES = tuple(
    Rate(
        operation="convolution",
        precision=precision,
        cores=2,
        runtime="onnxruntime 1.0",
        value=value,
        kind="measured",
        source="made up, for tests",
    )
    for precision, value in GMACS_PER_S.items()
)
HOST_COPY = Rate(operation="copy", cores=2, value=10, kind="measured", source="made up, for tests")


def target(name: str, **changes: object) -> ProjectionTarget:
    device = load_profile(name)
    assert device.processor is not None
    settings: dict[str, object] = {
        "device": device,
        "profiles": PROFILES,
        "scaling": SCALING,
        "threads": device.processor.cores.value,
        "host_rates": (*HOST_RATES, HOST_COPY),
        "host_features": ("avx2", "avx512_vnni"),
        "emulated": None,
        "network": "mobilenet_v2",
        "image_size": 224,
    }
    return ProjectionTarget(**(settings | changes))  # type: ignore[arg-type]


def measured(runtime: str = "onnxruntime", there: Precision = Precision.FP32, **changes: object) -> Measured:
    settings: dict[str, object] = {
        "runtime": runtime,
        "ms": 4.0,
        "there": there,
        "executed": MOBILENET,
        "relative_to_fp32": {Precision.FP32: 1.0, Precision.INT8: 0.5},
    }
    return Measured(**(settings | changes))  # type: ignore[arg-type]


def found(case: Measured, to: ProjectionTarget) -> Projected:
    projection = project(case, to)
    assert isinstance(projection, Projected), projection
    return projection


@pytest.mark.parametrize("by_device", [False, True])
def test_each_published_cell_left_out_is_held_by_four_fifths_of_the_ranges(by_device: bool) -> None:
    left_out = list(leave_one_out(MOBILENET_V2_WORK, cells_of_scaling(PROFILES), by_device))

    assert len(left_out) == 14
    assert sum(one.is_inside for one in left_out) >= 0.8 * len(left_out)
    assert max(one.high / one.low for one in left_out) <= 4


def test_one_cell_of_another_device_holds_four_fifths_of_ranges() -> None:
    pairs = list(from_each_other_device(MOBILENET_V2_WORK, cells_of_scaling(PROFILES)))

    assert len(pairs) == 14 * 12
    assert sum(one.is_inside for one in pairs) >= 0.8 * len(pairs)


@pytest.mark.parametrize("name", ["raspberry-pi-4", "raspberry-pi-5", "jetson-orin-nano", "jetson-agx-orin"])
def test_mobilenet_lies_between_what_its_work_and_its_bytes_make_of_yolo(name: str) -> None:
    ncnn = [one for one in load_profile(name).published if (one.runtime, one.provider) == ("ncnn", "cpu")]
    yolo = next(one for one in ncnn if one.network.startswith("yolo"))
    mobilenet = min((one for one in ncnn if one.network == "mobilenet_v2"), key=lambda one: one.ms)
    work = work_of(yolo)
    assert work is not None

    factor = between_networks(work, MOBILENET_V2_WORK)

    middle = yolo.ms * factor.value
    assert middle / factor.reach <= mobilenet.ms <= middle * factor.reach


def test_a_machine_without_error_is_fitted_exactly() -> None:
    work, speeds = (
        Work(1.0, 100.0),
        [Speeds({"fp32": rate}, copy) for rate, copy in ((4, 1), (8, 6), (16, 3))],
    )

    def true_ms(one: Speeds, threads: int) -> float:
        return (
            1e3 * work.gmacs / (one.gmacs_per_s["fp32"] * threads) + 2 * work.traffic_mb / one.copy_gb_per_s
        )

    cells = [
        Cell(str(index), one, threads, "fp32", true_ms(one, threads))
        for index, one in enumerate(speeds)
        for threads in (1, 4)
    ]

    scaling = fit(work, cells)

    assert scaling.bytes_weight == pytest.approx(2, rel=0.02)
    assert scaling.reach < 0.01
    assert scaling.ratio(work, cells[0], cells[3]) == pytest.approx(cells[0].ms / cells[3].ms, rel=0.01)


def test_a_published_run_of_the_runtime_on_the_device_is_the_basis() -> None:
    projection = found(measured(), target("raspberry-pi-5"))

    assert "onnxruntime yolo11n 640 fp32 on raspberry-pi-5" in projection.basis
    assert projection.basis_ns == pytest.approx(168.08 * MS)
    assert [factor.what.partition(":")[0] for factor in projection.factors] == [
        "another network",
        "another version and system",
    ]
    by_macs, by_bytes = 0.3008 / 3.24, 67.7 / 171.5
    middle, reach = math.sqrt(by_macs * by_bytes), math.sqrt(by_bytes / by_macs)
    whole = math.exp(math.hypot(math.log(reach), math.log(1.15)))
    assert projection.low_ns == pytest.approx(168.08 * MS * middle / whole)
    assert projection.high_ns == pytest.approx(168.08 * MS * middle * whole)
    assert "all cores presumed" in projection.basis


def test_another_device_of_the_class_is_reached_by_rates_and_bandwidth() -> None:
    own, other = (found(measured(), target(name)) for name in ("raspberry-pi-5", "jetson-orin-nano"))

    assert "from 4 threads of raspberry-pi-5 to 6 of jetson-orin-nano" in other.factors[0].what
    assert other.factors[0].reach == pytest.approx(math.exp(SCALING.reach))
    assert other.high_ns / other.low_ns > own.high_ns / own.low_ns


def test_a_class_of_processor_without_a_published_run_has_no_basis() -> None:
    projection = project(measured(), target("raspberry-pi-zero-2w"))

    assert isinstance(projection, NoBasis)
    assert projection.reason == (
        "no published latency of onnxruntime on this class of processor is known (arm-in-order)"
    )


def test_int8_gain_without_dot_product_follows_the_rule() -> None:
    fp32 = found(measured(), target("raspberry-pi-4"))
    int8 = found(
        measured(there=Precision.INT8, relative_to_fp32={Precision.INT8: 0.2}), target("raspberry-pi-4")
    )

    gain = int8.factors[-2]
    assert "no int8 dot product, so int8 is 1.0 to 1.5 times as fast" in gain.what
    assert gain.value * gain.reach == pytest.approx(1.0)
    assert gain.value / gain.reach == pytest.approx(1 / 1.5)
    assert int8.high_ns > fp32.low_ns


def test_int8_gain_with_dot_product_is_scaled_from_this_host() -> None:
    gain = found(measured(there=Precision.INT8), target("raspberry-pi-5")).factors[-2]

    # Both machines' instructions allow four times as much, so the device gains what this host gains.
    assert gain.value == pytest.approx(0.5)
    assert gain.reach == pytest.approx(1.0)
    assert "by their instructions int8 computes 4 times as fast as fp32 here, and 4 times there" in gain.what


def test_a_host_without_the_instruction_gains_less_than_a_device_that_has_it() -> None:
    old = target("raspberry-pi-5", host_features=("avx2",))

    gain = found(measured(there=Precision.INT8), old).factors[-2]

    assert gain.value * gain.reach == pytest.approx(0.5)
    assert gain.value / gain.reach == pytest.approx(0.5 * math.sqrt(1.5) / 4)


def test_measured_int8_of_a_device_is_compared_with_that_of_here() -> None:
    device = load_profile("raspberry-pi-5")
    own = tuple(
        rate.model_copy(update={"value": value}) for rate, value in zip(HOST_RATES, (10.0, 20.0), strict=True)
    )
    calibrated = device.model_copy(update={"rates": (*own, *device.rates)})
    case = measured(there=Precision.INT8)

    gain = found(case, target("raspberry-pi-5", device=calibrated)).factors[-2]

    assert (
        "by measured convolutions int8 computes 3 times as fast as fp32 here, and 2 times there" in gain.what
    )


def test_int8_that_was_not_measured_beside_fp32_has_no_basis() -> None:
    projection = project(measured(there=Precision.INT8, relative_to_fp32={}), target("raspberry-pi-5"))

    assert isinstance(projection, NoBasis)
    assert "the published latency is of fp32, and the ratio of int8 to it is unknown" in projection.reason


def test_a_calibrated_device_is_projected_to_by_the_rates_of_both() -> None:
    device = load_profile("raspberry-pi-5")
    rates = (
        HOST_RATES[0].model_copy(update={"value": 10.0, "cores": 4}),
        HOST_COPY.model_copy(update={"value": 5.0, "cores": 4}),
    )
    calibrated = device.model_copy(update={"rates": (*rates, *device.rates)})

    projection = found(measured(), target("raspberry-pi-5", device=calibrated))

    assert "proxy latency of onnxruntime on this host" in projection.basis
    assert projection.basis_ns == 4 * MS
    assert projection.factors[0].value == pytest.approx(math.sqrt(5 * 2))
    assert projection.factors[0].reach == pytest.approx(max(math.sqrt(5 / 2), math.exp(SCALING.reach)))


def test_rates_of_an_emulated_device_are_no_calibration() -> None:
    device = load_profile("raspberry-pi-5")
    rates = tuple(rate.model_copy(update={"cores": 4, "emulated": True}) for rate in (*HOST_RATES, HOST_COPY))
    emulated = device.model_copy(update={"rates": (*rates, *device.rates)})

    assert (
        "published latency of onnxruntime"
        in found(measured(), target("raspberry-pi-5", device=emulated)).basis
    )
    copied = next(rate.value for rate in device.rates if rate.operation == "copy")
    speeds = speeds_of(
        emulated.model_copy(
            update={"rates": (HOST_COPY.model_copy(update={"cores": 1, "emulated": True}), *device.rates)}
        )
    )
    assert speeds is not None
    assert speeds.copy_gb_per_s == copied


def test_a_graph_that_does_not_tell_its_work_has_no_projection() -> None:
    silent = MOBILENET.operators[0].model_copy(update={"elements": None})
    executed = MOBILENET.model_copy(update={"operators": (silent,)})

    assert isinstance(project(measured(executed=executed), target("raspberry-pi-5")), NoBasis)


def test_an_emulated_machine_projects_nothing() -> None:
    projection = project(measured(), target("raspberry-pi-5", emulated="qemu-user"))

    assert isinstance(projection, NoBasis)
    assert "emulated" in projection.reason


@pytest.mark.parametrize("macs", [0, 1000, 10**14])
def test_a_model_with_the_work_of_no_network_has_no_basis(macs: int) -> None:
    operators = (MOBILENET.operators[0].model_copy(update={"macs": macs}),)
    case = measured(executed=MOBILENET.model_copy(update={"operators": operators}))

    projection = project(case, target("raspberry-pi-5", network="", image_size=0))

    assert isinstance(projection, NoBasis)
    assert "times less or more than yolo11n, whose latency was published" in projection.reason


def test_a_file_of_an_unknown_network_is_scaled_from_another_network() -> None:
    case = measured(executed=MOBILENET)

    projection = found(case, target("raspberry-pi-5", network="", image_size=0))

    assert any(factor.what.startswith("another network") for factor in projection.factors)


def test_published_figures_match_by_network_runtime_then_precision() -> None:
    device = load_profile("jetson-orin-nano")

    def nearest(runtime: str, provider: str, precision: str, network: str, side: int) -> float:
        one = nearest_published(device, runtime, provider, precision, network, side)
        assert one is not None
        return one.ms

    assert nearest("onnxruntime", "cuda", "fp16", "mobilenet_v2", 224) == 7.5
    assert nearest("openvino", "cpu", "fp16", "yolo11n", 640) == 57.36
    assert nearest_published(load_profile("laptop-cpu"), "torch", "cpu", "fp32", "mobilenet_v2", 224) is None


def test_a_report_with_a_projection_changed_by_hand_is_refused(tmp_path: Path) -> None:
    report = make_report({"onnx-fp32": completed(10)})
    range_ = projected("a basis", "fp32", 10.0, [Factor(what="a step", value=2.0, reach=1.5)])
    (tmp_path / "good.json").write_text(to_json(with_projection(report, range_)))
    better = range_.model_copy(update={"high_ns": 21.0 * MS})
    (tmp_path / "bad.json").write_text(to_json(with_projection(report, better)))

    assert read_report(tmp_path / "good.json").runs[0].projection == range_
    with pytest.raises(ReportMismatchError, match="'projection' is not what its basis and factors give"):
        read_report(tmp_path / "bad.json")


def with_projection(report: Report, range_: Projected) -> Report:
    row = report.runs[0].model_copy(update={"projection": range_})
    return report.model_copy(update={"runs": (row, *report.runs[1:])})
