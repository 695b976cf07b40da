"""`edgefit profiles`: what edgefit knows of devices. It parses and prints; device_profiles/ reads."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from edgefit.completion import profiles_like
from edgefit.options import AsJson, Quiet, now
from edgefit.terminal import Output

profiles = typer.Typer(help="Look at device profiles, and at what this machine is.", no_args_is_help=True)


@profiles.command("list")
def list_profiles(_quiet: Quiet = False, as_json: AsJson = False) -> None:
    """List the profiles that come with edgefit, and your own.

    \b
    Examples:
      edgefit profiles list
    """
    from device_profiles.loading import path_of
    from edgefit.known import known_profiles
    from edgefit.views.profiles import profiles_view

    output = Output(as_json)
    found = known_profiles(output)
    output.show(profiles_view(found))
    document = [
        {"name": one.name, "description": one.description, "file": str(path_of(one.name))} for one in found
    ]
    output.document(json.dumps(document))
    output.next_step("edgefit profiles show NAME, or: edgefit profiles detect")


@profiles.command("show")
def show_profile(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE", autocompletion=profiles_like, help="A profile's name, or a file of your own."
        ),
    ],
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show one profile, each figure with where it comes from.

    \b
    Examples:
      edgefit profiles show raspberry-pi-5
    """
    from device_profiles.loading import load_profile
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    profile = load_profile(name)
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())


@profiles.command("detect")
def detect_profile(_quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Say which profile this machine is and why, or what is nearest and what differs.

    \b
    Examples:
      edgefit profiles detect --json
    """
    from dataclasses import asdict

    from bench.devices.matching import detect
    from bench.system.host import read_host
    from edgefit.known import known_profiles
    from edgefit.views.profiles import detection_view

    output = Output(as_json)
    host = read_host()
    detection = detect(host, known_profiles(output))
    output.show(detection_view(host, detection))
    output.document(json.dumps({"host": host.model_dump(), **asdict(detection)}))
    best = detection.matches[0].profile if detection.matches else "laptop-cpu"
    output.next_step(f"edgefit bench BUNDLE --profile {best}")


@profiles.command("calibrate")
def calibrate_profile(
    out: Annotated[
        Path, typer.Option(metavar="FILE.yaml", help="Where to write the profile; its name is the file's.")
    ],
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure this machine's rates, at rest and after a minute of load, and write them as a profile.

    It takes about a minute and a half, and needs onnxruntime or OpenVINO. Run it on the device itself.

    \b
    Examples:
      edgefit profiles calibrate --out shop-floor.yaml
    """
    from bench.devices.calibrated_profile import calibrated, to_file, was_calibrated
    from bench.devices.matching import detect
    from bench.filesystem.whole_files import refuse_to_replace, write_whole
    from bench.harness.calibration import FULL, calibrate
    from bench.run.machine_warnings import machine_warnings
    from bench.system.cpu_time import read_highest_clock_khz
    from bench.system.host import read_host
    from bench.system.state import read_state
    from device_profiles.loading import load_profile, profile_of, shipped_profiles
    from edgefit.progress import progress
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    refuse_to_replace(out, was_calibrated, "--out")
    name = _name_of(out)
    host, state = read_host(), read_state()
    matches = detect(host, shipped_profiles()).matches
    known = load_profile(matches[0].profile) if matches else None
    content = calibrated(name, host, state.available_bytes, read_highest_clock_khz(), known, now()[:10])
    # Whatever could be wrong with it is found before a minute and a half, not after.
    profile_of(content.with_rates(()), out)
    for warning in machine_warnings(host, state):
        output.say(f"warning: {warning}")
    with progress() as watcher:
        rates = calibrate(content.source, host.emulated is not None, watcher, FULL)
    whole = content.with_rates(rates)
    profile = profile_of(whole, out)
    write_whole(out, to_file(whole))
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())
    output.next_step(f"edgefit bench BUNDLE --profile {out}")


def _name_of(out: Path) -> str:
    """Return a profile's name, which is its file's; refuse a file that cannot be one, or has another's."""
    from device_profiles.loading import path_of, profile_names
    from device_profiles.profile import NAME

    if out.suffix not in (".yaml", ".yml") or not re.fullmatch(NAME, out.stem):
        raise typer.BadParameter(
            f"'{out}' gives the profile no name; use small letters, digits and dashes, such as my-board.yaml",
            param_hint="--out",
        )
    if out.stem in profile_names() and path_of(out.stem).resolve() != out.resolve():
        raise typer.BadParameter(
            f"'{out}': a profile is called '{out.stem}' already ({path_of(out.stem)}); choose another name",
            param_hint="--out",
        )
    return out.stem
