"""What the device part needs on a board."""

from packaging.requirements import Requirement

from bench.remote.wheels import device_requirements


def test_a_board_needs_the_packages_of_the_device_part_alone() -> None:
    requirements = device_requirements(["onnx"])

    names_needed = {Requirement(text).name for text in requirements}
    assert names_needed == {"numpy", "onnxruntime", "psutil", "pydantic", "pyyaml"}
