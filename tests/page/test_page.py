"""The page that `edgefit report --html` writes, in a real browser: what it says, and what it does not do."""

import json
from pathlib import Path

import pytest
from making.browser import Browser
from making.command_line import edgefit_here
from making.devices import full_reports
from making.page_reports import HOSTILE, three_reports

from bench.render.html.page import to_html
from bench.report.files import write_report

_MOST_BYTES = 1_000_000
# Where the report has what the page's table shows, and how many of its units make one of the page's.
_PLACES: dict[str, tuple[tuple[str, ...], float]] = {
    "p50_ms": (("summary", "latency", "p50_ns"), 1e6),
    "p95_ms": (("summary", "latency", "p95_ns"), 1e6),
    "p99_ms": (("summary", "latency", "p99_ns"), 1e6),
    "relative_to_control": (("summary", "relative_to_control", "ratio"), 1),
    "load_ms": (("summary", "load_ns"), 1e6),
    "peak_memory_mib": (("outcome", "memory", "peak_bytes"), 2**20),
    "top1": (("summary", "accuracy", "top1"), 1),
    "agreement": (("summary", "accuracy", "agreement"), 1),
    "retention": (("summary", "accuracy", "retention", "value"), 1),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("reports")
    paths = [folder / f"{number}.json" for number in range(3)]
    for path, report in zip(paths, three_reports(), strict=True):
        write_report(path, report)
    return paths


@pytest.fixture(scope="module")
def page(reports: list[Path]) -> Path:
    path = reports[0].parent / "page.html"
    done = edgefit_here("report", *reports, "--html", path)
    assert done.returncode == 0, done.stderr
    assert f"written: {path}" in done.stdout
    return path


def test_it_is_one_small_file_that_asks_for_nothing_and_complains_of_nothing(
    browser: Browser, page: Path
) -> None:
    browser.requests()

    browser.open(page)

    assert page.stat().st_size < _MOST_BYTES
    assert {address for address in browser.requests() if not address.startswith("data:")} == {page.as_uri()}
    assert browser.complaints() == []


@pytest.mark.parametrize("classes", [2, 9])
def test_a_page_of_three_devices_with_every_variant_is_small(classes: int) -> None:
    page = to_html(full_reports(classes), ())

    assert len(page.encode()) < _MOST_BYTES


def test_every_number_in_the_table_is_the_reports(browser: Browser, page: Path, reports: list[Path]) -> None:
    browser.open(page)
    shown = browser.run(
        "return [...document.querySelectorAll('#rows tbody tr')].map((row) => [row.cells[0].textContent,"
        " row.cells[1].textContent, Object.fromEntries([...row.querySelectorAll('[data-key]')].map("
        "(cell) => [cell.dataset.key, [cell.dataset.value, cell.textContent]]))])"
    )
    assert isinstance(shown, list)

    runs = [
        (run, document["profile"]["name"])
        for document in (json.loads(path.read_text()) for path in reports)
        for run in document["runs"]
        if run["precision"] is not None
    ]
    assert len(shown) == len(runs) == 9
    compared = 0
    for (name, device, cells), (run, profile) in zip(shown, runs, strict=True):
        assert (name, device) == (run["case"], profile)
        for key, (place, unit) in _PLACES.items():
            value = run
            for step in place:
                value = None if value is None else value.get(step)
            value = None if value is None else value / unit
            told, text = cells[key]
            assert (None if told is None else float(told)) == pytest.approx(value)
            if value is not None:
                digits = len(text.partition(".")[2])
                assert float(text) == pytest.approx(value, abs=0.51 * 10**-digits)
                compared += 1
    assert compared > 40


def test_the_answer_comes_first_and_says_what_the_latency_is(browser: Browser, page: Path) -> None:
    browser.open(page)

    first = browser.run("return document.querySelector('main h2').textContent")
    answers = browser.run("return [...document.querySelectorAll('.answer')].map((one) => one.innerText)")

    assert first == "What to ship"
    assert isinstance(answers, list)
    assert answers[0].startswith("laptop-cpu ● measured\n\nonnx-int8\n")
    assert "▲ proxy" in answers[1]
    assert "based on a proxy (Test CPU)" in answers[1]


def test_every_chart_is_drawn_and_says_its_numbers_in_words_too(browser: Browser, page: Path) -> None:
    browser.open(page)

    keys = browser.run("return [...document.querySelectorAll('.chart')].map((one) => one.dataset.chart)")
    empty = browser.run(
        "return [...document.querySelectorAll('figure')].filter((one) => !one.querySelector('svg path') ||"
        " !one.querySelector('.chart').ariaLabel || !one.querySelector('tbody td')).length"
    )

    assert isinstance(keys, list)
    assert {key.partition("-")[2] for key in keys} == {
        *("main", "samples", "sustained", "memory", "size", "accuracy", "precision")
    }
    assert empty == 0


def test_clicking_a_heading_sorts_and_typing_filters(browser: Browser, page: Path) -> None:
    browser.open(page)
    column = "[...document.querySelectorAll('#rows tbody tr:not([hidden]) [data-key=p50_ms]')]"
    click = "document.querySelector('#rows th[data-key=p50_ms] button').click();"
    values = f"return {column}.map((cell) => cell.dataset.value ?? null)"

    up = browser.run(click + values)
    down = browser.run(click + values)
    found = browser.run(
        "const filter = document.getElementById('filter'); filter.value = 'int8 PROXY';"
        "filter.dispatchEvent(new Event('input'));"
        "return [...document.querySelectorAll('#rows tbody tr:not([hidden])')].map((row) => row.innerText)"
    )

    assert isinstance(up, list)
    assert isinstance(down, list)
    told = [float(value) for value in up if value is not None]
    assert told == sorted(told)
    assert up[-2:] == down[-2:] == [None, None]
    assert [float(value) for value in down if value is not None] == told[::-1]
    assert isinstance(found, list)
    assert len(found) == 1
    assert "raspberry-pi-5" in found[0]
    assert browser.run("return document.getElementById('shown').textContent") == "1 of 9 rows"


def test_hostile_names_are_text(browser: Browser, page: Path) -> None:
    browser.open(page)

    heading = browser.run("return document.querySelector('h1').textContent")
    made = browser.run("return document.querySelectorAll('h1 img, h1 script, main script').length")

    assert heading == f"night, {HOSTILE}"
    assert made == 0
    assert r"died of </script>\x1b[2J\u202e" in str(browser.run("return document.body.innerText"))
    assert "\u202e" not in str(browser.run("return document.documentElement.outerHTML"))


@pytest.mark.parametrize("width", [390, 900, 1600])
def test_it_fits_its_window(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width)

    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1600, False)])
def test_it_has_no_serious_accessibility_fault(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width, dark)

    assert browser.accessibility_faults() == []


def test_a_chart_can_be_taken_out_as_a_picture(browser: Browser, page: Path) -> None:
    browser.open(page)

    taken = browser.driver.execute_async_script(
        "const done = arguments[0], taken = {};"
        "HTMLAnchorElement.prototype.click = function () {"
        " taken[this.download] = /^(blob:|data:image.png;base64,iVBOR)/.test(this.href);"
        " if (Object.keys(taken).length === 2) done(taken); };"
        "for (const type of ['svg', 'png']) document.querySelector(`[data-download=${type}]`).click();"
    )

    assert taken == {"edgefit-0-main.svg": True, "edgefit-0-main.png": True}
    assert browser.complaints() == []


def test_on_paper_everything_is_open_and_dark_mode_is_not(browser: Browser, page: Path) -> None:
    browser.open(page, dark=True)
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )

    assert browser.run("return document.querySelectorAll('details:not([open], .numbers)').length") == 0
    assert browser.run("return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
