"""What a proxy's rows get: of a file whose network nobody named, no figure that others published."""

import pytest
from making.tiny_report import completed, make_report

from bench.devices.projection.projected import ProjectionTarget
from bench.devices.projection.publications import scaling_between
from bench.run.projected_rows import with_projections
from device_profiles.loading import load_profile, shipped_profiles


def target(network: str) -> ProjectionTarget:
    profiles = shipped_profiles()
    return ProjectionTarget(
        device=load_profile("raspberry-pi-5"),
        profiles=profiles,
        scaling=scaling_between(profiles),
        threads=4,
        host_rates=(),
        host_features=(),
        emulated=None,
        network=network,
        image_size=224,
    )


@pytest.mark.parametrize(("network", "has_nearest"), [("mobilenet_v2", True), ("", False)])
def test_only_a_known_network_has_a_nearest_published_figure(network: str, has_nearest: bool) -> None:
    rows = with_projections(make_report({"onnx-fp32": completed(10)}).runs, target(network))

    (row,) = [row for row in rows if row.is_variant]
    assert (row.nearest_published is not None) is has_nearest
    assert row.projection is not None
