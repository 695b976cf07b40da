"""`edgefit profiles`: what edgefit knows of devices. It parses and prints; device_profiles/ reads."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, now
from edgefit.terminal import Output

profiles = typer.Typer(help="Look at device profiles, and at what this machine is.", no_args_is_help=True)


@profiles.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the profiles that come with edgefit, and your own."""
    from device_profiles.loading import load_profile, profile_paths
    from edgefit.views.profiles import profiles_view

    output = Output(as_json)
    paths = profile_paths()
    found = [load_profile(name) for name in sorted(paths)]
    output.show(profiles_view(found))
    document = [
        {"name": one.name, "description": one.description, "file": str(paths[one.name])} for one in found
    ]
    output.document(json.dumps(document))
    output.next_step("edgefit profiles show NAME, or: edgefit profiles detect")


@profiles.command("show")
def show_profile(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A profile's name, or a file of your own.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one profile, each figure with where it comes from."""
    from device_profiles.loading import load_profile
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    profile = load_profile(name)
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())


@profiles.command("detect")
def detect_profile(as_json: AsJson = False) -> None:
    """Say which profile this machine is and why, or what is nearest and what differs."""
    from dataclasses import asdict

    from bench.machine.host import read_host
    from bench.standing.recognition import detect
    from device_profiles.loading import load_profile, profile_names
    from edgefit.views.profiles import detection_view

    output = Output(as_json)
    host = read_host()
    detection = detect(host, [load_profile(name) for name in profile_names()])
    output.show(detection_view(host, detection))
    output.document(json.dumps({"host": host.model_dump(), **asdict(detection)}))
    best = detection.matches[0].profile if detection.matches else "laptop-cpu"
    output.next_step(f"edgefit bench BUNDLE --profile {best}")


@profiles.command("calibrate")
def calibrate_profile(
    out: Annotated[
        Path, typer.Option(metavar="FILE.yaml", help="Where to write the profile; its name is the file's.")
    ],
    as_json: AsJson = False,
) -> None:
    """Measure this machine's rates, at rest and after a minute of load, and write them as a profile.

    It takes about a minute and a half, and needs onnxruntime or OpenVINO. Run it on the device itself.
    """
    from bench.files import refuse_to_replace, write_whole
    from bench.harness.calibration import FULL, calibrate
    from bench.machine.cpu_time import read_highest_clock_khz
    from bench.machine.host import read_host
    from bench.machine.state import read_state
    from bench.standing.calibrated import calibrated
    from bench.standing.recognition import detect
    from device_profiles.loading import as_yaml, load_profile, shipped_profiles, was_a_profile
    from edgefit.progress import progress
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    refuse_to_replace(out, was_a_profile, "--out")
    name = _name_of(out)
    host, state = read_host(), read_state()
    matches = detect(host, shipped_profiles()).matches
    known = load_profile(matches[0].profile) if matches else None
    emulated = "" if host.emulated is None else ", emulated: its speed is not the device's"
    source = f"edgefit profiles calibrate, {now()[:10]}, {host.os}, kernel {host.kernel}{emulated}"
    with progress() as watcher:
        rates = calibrate(source, watcher, FULL)
    clock_khz = read_highest_clock_khz()
    content = calibrated(name, host, state.available_bytes, clock_khz, rates, known, source)
    write_whole(out, as_yaml(content))
    profile = load_profile(str(out) if out.is_absolute() else f"./{out}")
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())
    output.next_step(f"edgefit bench BUNDLE --profile {out}")


def _name_of(out: Path) -> str:
    """Return a profile's name, which is its file's; refuse a file that cannot be one."""
    if out.suffix not in (".yaml", ".yml") or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", out.stem):
        raise typer.BadParameter(
            f"'{out}' gives the profile no name; use small letters, digits and dashes, such as my-board.yaml",
            param_hint="--out",
        )
    return out.stem
