"""A document says whether a newer edgefit wrote it."""

import pytest

from user_files.versions import document_of, newer_schema, newer_tool, own_version


def test_a_newer_schema_is_one_sentence() -> None:
    assert newer_schema({"schema": 3, "tool": "0.9.0"}, 2) == (
        "was written by a newer edgefit (0.9.0, schema 3; this one reads up to 2); "
        "update edgefit: pip install --upgrade edgefit"
    )
    assert "(schema 3; this" in str(newer_schema({"schema": 3}, 2))


@pytest.mark.parametrize("schema", [1, 2, "3", 3.0, True, None])
def test_any_other_schema_is_left_to_the_reader(schema: object) -> None:
    assert newer_schema({"schema": schema}, 2) is None


def test_a_newer_version_is_said_beside_a_fault() -> None:
    assert newer_tool({"tool": "0.10.0"}, "0.9.0") == (
        "a newer edgefit wrote it (0.10.0; this one is 0.9.0): update edgefit: pip install --upgrade edgefit"
    )


@pytest.mark.parametrize("tool", ["0.9.0", "0.1.0", "no version", 7, None])
def test_any_other_version_is_not_said(tool: object) -> None:
    assert newer_tool({"tool": tool}, "0.9.0") is None


def test_without_an_installation_the_version_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("user_files.versions.own_version", lambda: None)
    assert "edgefit 0.9.0 wrote it; if this one is older, update" in str(newer_tool({"tool": "0.9.0"}))


def test_the_installed_version_is_known() -> None:
    assert own_version() is not None


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe\x00"])
def test_what_is_no_document_has_no_keys(content: bytes) -> None:
    assert document_of(content) == {}
