"""The pictures of README and docs, made of real output.

python tests/making/doc_pictures.py terminal check.svg 'edgefit check new.onnx --baseline old.onnx'
python tests/making/doc_pictures.py page report-page.png edgefit-demo/report.html

The first runs the command, and draws what a terminal shows, without the progress. The second needs Chromium.
"""

import os
import pty
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

COLUMNS = 100
PAGE_SIZE = "1280,1180"
# rich's own format loads a font from the network. Each piece of text has its width in the file, so any
# monospaced font will do.
SVG_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def output_of(command: str) -> str:
    """Run a command with a terminal as its stdout, and return what it printed there."""
    reader, writer = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(
        shlex.split(command), stdout=writer, stderr=subprocess.PIPE, env=environment
    ) as process:
        os.close(writer)
        printed = _read_all(reader)
        _, errors = process.communicate()
    if process.returncode not in (0, 10):  # 10: `check` blocks
        raise SystemExit(f"{command}: exit code {process.returncode}\n{errors.decode()}")
    return printed


def _read_all(reader: int) -> str:
    """Return what is read until the other end is closed, which a terminal reports as an error."""
    pieces = []
    while True:
        try:
            piece = os.read(reader, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def draw_terminal(target: Path, command: str) -> None:
    """Write the picture of a terminal in which the command ran; print the same as text."""
    printed = output_of(command)
    print(Text.from_ansi(printed).plain)  # for the text beside the picture
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(printed))
        console.save_svg(
            str(target), title="edgefit", code_format=SVG_FORMAT, unique_id="edgefit", font_aspect_ratio=0.61
        )


def photograph(target: Path, page: Path) -> None:
    """Write a picture of the upper part of a page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no Chromium here: install Debian's chromium")
    with TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={PAGE_SIZE}",
                "--virtual-time-budget=20000",
                f"--screenshot={target.resolve()}",
                page.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
        )


if __name__ == "__main__":
    kind, picture, subject = sys.argv[1:]
    if kind == "terminal":
        draw_terminal(Path(picture), subject)
    else:
        photograph(Path(picture), Path(subject))
