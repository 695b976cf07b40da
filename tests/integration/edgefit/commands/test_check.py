"""`edgefit check` as CI meets it: real bundles side by side, exit codes, and what it writes.

Times are never judged here: their limits are wide open, and what a test asserts does not depend on them.
"""

import json
import re
import shutil
import subprocess
from inspect import signature
from pathlib import Path

from making.changed_bundle import changed, flipping
from making.check_command import ONE, check_here
from making.command_line import edgefit

from bench.bundle.evaluation_pack import read_pack, write_pack
from bench.bundle.manifest import MANIFEST, describe
from bench.gate.options import DEFAULT_SLOWDOWN, CheckOptions, Limits
from edgefit.commands.check import check as command
from edgefit.options import parse_share


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    document = json.loads(done.stdout)
    return {
        one["class_name"] or one["quantity"]: (one["verdict"], one["sentence"])
        for one in document["findings"]
    }


def with_images(bundle: Path, count: int) -> Path:
    """Leave a bundle only its first evaluation images."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    pack = bundle / manifest["pack"]["file"]["path"]
    write_pack(pack, read_pack(pack).first(count))
    manifest["pack"].update(file=describe(bundle, pack).model_dump(mode="json"), images=count)
    path.write_text(json.dumps(manifest))
    return bundle


def test_the_same_files_pass_and_both_sides_answer_the_baselines_images(
    bundle_folder: Path, bundle_copy: Path
) -> None:
    done = check_here(with_images(bundle_copy, 10), bundle_folder, *ONE, "--json")

    assert done.returncode == 0, done.stderr
    assert done.stderr.partition("PASSED: ")[2].startswith("nothing of onnx-fp32 is worse (")
    assert "all files are the same, byte for byte, on both sides" in done.stderr
    assert findings(done)["accuracy"][1] == "the same class on all 40 images"
    assert any("different evaluation images" in note for note in json.loads(done.stdout)["notes"])


def test_flipped_answers_and_a_larger_file_block(bundle_folder: Path, tmp_path: Path) -> None:
    candidate = changed(bundle_folder, tmp_path / "flipped", {"onnx-fp32": flipping(-100.0)})

    done = check_here(candidate, bundle_folder, *ONE, "--max-growth", "0%", "--json")

    assert done.returncode == 10, done.stderr
    assert findings(done)["accuracy"][0] == "WORSE"
    assert "WORSE" in {findings(done)[name][0] for name in ("normal", "pneumonia")}
    assert findings(done)["size"][0] == "WORSE"
    assert re.match(r"\d+ bytes larger", findings(done)["size"][1])


def test_a_variant_that_is_missing_blocks_and_one_that_is_new_does_not(
    bundle_folder: Path, bundle_copy: Path
) -> None:
    path = bundle_copy / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["artifacts"] = [one for one in manifest["artifacts"] if one["variant"] != "onnx-fp32"]
    path.write_text(json.dumps(manifest))
    shutil.rmtree(bundle_copy / "onnx-fp32")

    missing = check_here(bundle_copy, bundle_folder, *ONE, "--json")
    new = check_here(bundle_folder, bundle_copy, *ONE, "--json")

    assert (missing.returncode, findings(missing)["case"][0]) == (10, "MISSING")
    assert (new.returncode, findings(new)["case"][0]) == (12, "NEW")
    assert "next: check variants that are in both bundles" in new.stderr


def test_a_candidate_that_cannot_be_loaded_broke(bundle_folder: Path, tmp_path: Path) -> None:
    def spoil(model: object) -> None:
        model.graph.node[0].op_type = "NoSuchOperator"  # type: ignore[attr-defined]

    broken = changed(bundle_folder, tmp_path / "broken", {"onnx-fp32": spoil})

    broke = check_here(broken, bundle_folder, *ONE, "--json")
    fixed = check_here(bundle_folder, broken, *ONE, "--json")

    assert (broke.returncode, findings(broke)["case"][0]) == (10, "BROKE")
    assert "NoSuchOperator" in findings(broke)["case"][1]
    assert findings(fixed)["case"][0] == "FIXED"


def test_equal_files_are_not_measured_where_that_is_asked_for(bundle_folder: Path) -> None:
    done = check_here(bundle_folder, bundle_folder, "--skip-equal", "--json")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {one["verdict"] for one in document["findings"]} == {"SAME"}
    assert document["raw"] == []


def test_the_limits_that_help_shows_are_those_that_are_used() -> None:
    used, shown = Limits(), {name: one.default for name, one in signature(command).parameters.items()}

    for name in ("max_load_slowdown", "max_memory_growth", "max_growth"):
        assert parse_share(shown[name], name) == getattr(used, name)
    assert shown["min_retention"] == used.min_retention
    assert shown["min_agreement"] == used.min_agreement
    assert shown["min_sqnr"] == used.min_sqnr_db
    assert shown["seconds"] == CheckOptions().seconds
    percents = {of: f"{limit:.0%} " for of, limit in DEFAULT_SLOWDOWN.items()}
    helped = " ".join(edgefit("check", "--help").stdout.split()) + " "
    assert percents["bundles"] in helped
    assert percents["reports"] in helped
