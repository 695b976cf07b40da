"""The page and its pictures as `edgefit report` writes them: images on request, and reports over time."""

from pathlib import Path

from making.command_line import edgefit_here
from making.compared_report import Row, made_report
from making.model_report import every_kind, model_report
from PIL import Image

from bench.bundle.manifest import read_bundle
from bench.report.files import write_report
from bench.report.measured_bundle import record_of


def test_images_are_on_the_page_only_when_asked_for(bundle_folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(bundle_folder)
    path, page = tmp_path / "r.json", tmp_path / "page.html"
    images = len(bundle.pack())
    rows = {"onnx-fp32": Row(10), "onnx-int8": Row(4, wrong=2)}
    write_report(path, made_report(rows, images=images, bundle=record_of(bundle)))

    plain = edgefit_here("report", path, "--html", page)
    bare = page.read_text()
    shown = edgefit_here("report", path, "--html", page, "--images", "--bundle", bundle_folder)

    assert plain.returncode == 0, plain.stderr
    assert "data:image/jpeg" not in bare
    assert shown.returncode == 0, shown.stderr
    assert page.read_text().count("data:image/jpeg;base64,") == 2
    assert "may show patients" in shown.stdout
    assert "may show patients" in page.read_text()


def test_images_of_another_pack_are_refused(bundle_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_report(path, made_report({"onnx-fp32": Row(10)}))

    done = edgefit_here("report", path, "--html", tmp_path / "p.html", "--images", "--bundle", bundle_folder)

    assert done.returncode == 2
    assert "its evaluation pack is not the measured one" in done.stderr
    assert not (tmp_path / "p.html").exists()


def test_history_shows_one_name_over_time(tmp_path: Path) -> None:
    paths = [tmp_path / f"{day}.json" for day in (2, 1)]
    for day, path in zip((2, 1), paths, strict=True):
        created = f"2026-01-0{day}T00:00:00+00:00"
        write_report(path, made_report({"onnx-fp32": Row(10 * day)}, name="nightly", created=created))

    done = edgefit_here("report", *paths, "--history", "--html", tmp_path / "p.html")

    assert done.returncode == 0, done.stderr
    assert "nightly: 2 reports" in done.stdout
    assert done.stdout.index("2026-01-01") < done.stdout.index("2026-01-02")
    page = (tmp_path / "p.html").read_text()
    assert "Over time" in page
    assert '<td data-key="p50_ms" data-value="20.0">' in page
    assert '<td data-key="p50_ms" data-value="10.0">' not in page


def test_history_of_two_names_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_report(tmp_path / f"{name}.json", made_report({"onnx-fp32": Row(10)}, name=name))

    done = edgefit_here("report", tmp_path / "one.json", tmp_path / "other.json", "--history")

    assert done.returncode == 2
    assert "these have the names 'one', 'other'" in done.stderr


def test_a_picture_is_replaced_only_if_edgefit_drew_it(tmp_path: Path) -> None:
    path, png = tmp_path / "r.json", tmp_path / "chart.png"
    write_report(path, made_report({"onnx-fp32": Row(10)}))

    first = edgefit_here("report", path, "--png", png)
    again = edgefit_here("report", path, "--png", png)
    Image.new("L", (8, 8)).save(png)
    refused = edgefit_here("report", path, "--png", png)

    assert (first.returncode, again.returncode, refused.returncode) == (0, 0, 2)
    assert "was not written by edgefit" in refused.stderr


def test_two_outputs_in_one_file_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path, both = tmp_path / "r.json", tmp_path / "both"
    write_report(path, made_report({"onnx-fp32": Row(10)}))

    done = edgefit_here("report", path, "--html", both, "--csv", both)

    assert done.returncode == 2
    assert "give each its own" in done.stderr
    assert not both.exists()


def test_model_files_have_a_picture_of_latency_and_size_and_no_images(
    bundle_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    write_report(path, model_report(every_kind()))

    drawn = edgefit_here("report", path, "--png", tmp_path / "p.png")
    images = edgefit_here(
        "report", path, "--html", tmp_path / "p.html", "--images", "--bundle", bundle_folder
    )

    assert drawn.returncode == 0, drawn.stderr
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.width > 400
    assert images.returncode == 2
    assert "model files are measured without any" in images.stderr
