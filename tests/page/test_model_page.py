"""The page of model files in a real browser: no accuracy, nothing empty, nothing that leads nowhere."""

import re
from pathlib import Path

import pytest
from making.browser import Browser
from making.command_line import edgefit_here
from making.model_report import CRASHED, ModelRow, every_kind, model_report

from bench.report.files import write_report

REPORTS = {
    "every kind": every_kind(),
    "one": {"net.onnx": ModelRow(10)},
    "none ran": {"broken.onnx": ModelRow(1, failed=CRASHED)},
    "many": {f"a-network-with-a-long-name-{number}.onnx": ModelRow(number + 1) for number in range(15)},
}


@pytest.fixture(scope="module", params=list(REPORTS))
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_report(folder / "report.json", model_report(REPORTS[request.param]))
    done = edgefit_here("report", folder / "report.json", "--html", folder / "page.html")
    assert done.returncode == 0, done.stderr
    return folder / "page.html"


def test_it_has_no_accuracy_and_nothing_empty(browser: Browser, page: Path) -> None:
    browser.open(page)
    text = str(browser.run("return document.body.innerText"))
    empty = browser.run(
        "return [...document.querySelectorAll('h2, h3, main p, main td, main th, dd, figcaption')]"
        ".filter((part) => !part.textContent.trim()).length"
    )

    assert not re.search(r"\b(nan|NaN|None|undefined)\b", text)
    assert not re.search("retention|AUC|Images that changed|Latency against accuracy|variant", text)
    assert "no labels, so no accuracy" in text
    assert empty == 0
    assert browser.complaints() == []


def test_every_reference_leads_somewhere(browser: Browser, page: Path) -> None:
    browser.open(page)
    dangling = browser.run(
        "const names = [...document.querySelectorAll('a[href^=\"#\"]')].map((link) => link.hash.slice(1));"
        "for (const kind of ['aria-labelledby', 'aria-controls'])"
        " for (const part of document.querySelectorAll(`[${kind}]`)) names.push(part.getAttribute(kind));"
        "return names.filter((name) => !document.getElementById(name))"
    )

    assert dangling == []


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1600, False)])
def test_it_fits_its_window_and_has_no_serious_accessibility_fault(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    browser.open(page, width, dark)

    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.accessibility_faults() == []


def test_latency_is_drawn_against_size_and_outputs_are_compared(browser: Browser, tmp_path: Path) -> None:
    write_report(tmp_path / "report.json", model_report(every_kind()))
    edgefit_here("report", tmp_path / "report.json", "--html", tmp_path / "page.html")
    browser.open(tmp_path / "page.html")

    headings = browser.run("return [...document.querySelectorAll('main h2')].map((part) => part.textContent)")
    reference = browser.run(
        "return document.querySelector('#rows tbody td[data-key=output_agreement]').textContent"
    )

    assert headings == [
        "What to ship",
        "Latency against size",
        "Every latency",
        "Memory",
        "Size",
        "Outputs compared with the reference",
        "Proof of precision",
        "Conditions, warnings and gaps",
        "Every row",
    ]
    assert reference == "ref."
    assert browser.run("return document.querySelector('#rows th').textContent") == "model"
