"""An exporter that raises half-way through, always."""

from typing import NoReturn

from export.exporter import ExportRequest


def export(request: ExportRequest) -> NoReturn:
    (request.folder / "half-written").write_text("x")
    raise ValueError("no such operator")
