"""Which class of int8 arithmetic a CPU has, and what a file made for it may hold."""

import pytest

from bench.bundle.cpu_class import SAFE_LEVEL, TARGETS, CpuClass, class_of


@pytest.mark.parametrize(
    ("machine", "features", "cpu_class"),
    [
        ("x86_64", ("avx2", "f16c"), CpuClass.X86),
        ("AMD64", ("avx512f",), CpuClass.X86),
        ("x86_64", ("avx2", "avx_vnni"), CpuClass.X86_VNNI),
        ("x86_64", ("avx512_vnni",), CpuClass.X86_VNNI),
        ("aarch64", (), CpuClass.ARM),
        ("aarch64", ("asimdhp", "asimddp"), CpuClass.ARM_DOT_PRODUCT),
        ("armv7l", (), CpuClass.ARM),
        ("riscv64", (), None),
    ],
)
def test_a_cpu_has_the_class_of_its_int8_instructions(
    machine: str, features: tuple[str, ...], cpu_class: CpuClass | None
) -> None:
    assert class_of(machine, features) is cpu_class


def test_two_products_of_the_largest_values_just_fit_16_bits() -> None:
    assert 2 * 255 * SAFE_LEVEL <= 2**15 - 1 < 2 * 255 * (SAFE_LEVEL + 1)


def test_weights_are_small_only_for_a_class_that_saturates() -> None:
    levels = {cpu: target.weight_level for cpu, target in TARGETS.items()}

    assert levels == {"portable": 64, "x86": 64, "x86-vnni": 127, "arm": 127}
    assert set(TARGETS["portable"].classes) == set(CpuClass)
