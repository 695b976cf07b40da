"""What a Raspberry Pi's own command says of it."""

from pathlib import Path

import pytest

from bench.system.thermal import (
    read_throttled_bits,
    throttled_now,
    throttled_since_boot,
)


def test_a_raspberry_pis_throttled_bits_are_read_from_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "vcgencmd"
    command.write_text("#!/bin/sh\n[ $1 = get_throttled ] && echo throttled=0x50005\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    bits = read_throttled_bits()

    assert bits == 0x50005
    assert throttled_now(bits) == ["under-voltage", "throttled"]
    assert throttled_since_boot(bits) == ["under-voltage", "throttled"]
    assert throttled_now(0x50000) == []
