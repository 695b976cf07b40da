"""`edgefit profiles`: what edgefit knows about devices. It parses and prints; device_profiles/ reads."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from edgefit.late_commands import LightGroup
from edgefit.options import AsJson, Quiet
from edgefit.profiles import complete_profile_name
from edgefit.terminal import Output
from edgefit.values import now

profiles = typer.Typer(
    name="profiles",
    cls=LightGroup,
    help="Show device profiles, and which one this machine matches.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@profiles.command("list")
def list_profiles(_quiet: Quiet = False, as_json: AsJson = False) -> None:
    """List the profiles that come with edgefit, and your own.

    \b
    Examples:
      edgefit profiles list
    """
    from device_profiles.loading import path_of
    from edgefit.profiles import named_profiles
    from edgefit.views.profiles import profiles_view

    output = Output(as_json)
    shown = named_profiles(output)
    output.show(profiles_view(shown))
    document = [
        {"name": profile.name, "description": profile.description, "file": str(path_of(profile.name))}
        for profile in shown
    ]
    output.document(json.dumps(document))
    output.next_step("edgefit profiles show NAME, or: edgefit profiles detect")


@profiles.command("show")
def show_profile(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE",
            autocompletion=complete_profile_name,
            help="The name of a profile, or a file of your own.",
        ),
    ],
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show one profile, with the kind and source of each figure.

    \b
    Examples:
      edgefit profiles show raspberry-pi-5
    """
    from bench.runtimes.profile_names import load_checked_profile
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    profile = load_checked_profile(name)
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())


@profiles.command("detect", short_help="Show which profile this machine matches, and why.")
def detect_profile(_quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Show which profile this machine matches and why, or the nearest one and what differs.

    \b
    Examples:
      edgefit profiles detect --json
    """
    from dataclasses import asdict

    from bench.devices.matching import detect
    from bench.system.host import read_host
    from bench.system.operating_system import require_linux
    from edgefit.profiles import named_profiles
    from edgefit.views.profiles import detection_view

    output = Output(as_json)
    require_linux("edgefit profiles detect")
    host = read_host()
    detection = detect(host, named_profiles(output))
    output.show(detection_view(host, detection))
    output.document(json.dumps({"host": host.model_dump(), **asdict(detection)}))
    best = detection.matches[0].profile if detection.matches else "laptop-cpu"
    output.next_step(f"edgefit bench BUNDLE --profile {best}")


@profiles.command("calibrate", short_help="Measure how fast this machine is, and write a profile.")
def calibrate_profile(
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE.yaml", help="The profile file to write. The file's name becomes the profile's name."
        ),
    ],
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure how fast this machine is, at rest and after a minute of load, and write a profile.

    Run it on the device itself. It takes about 90 seconds and needs onnxruntime or OpenVINO.

    \b
    Examples:
      edgefit profiles calibrate --out shop-floor.yaml
    """
    from bench.devices.calibrated_profile import calibrated, to_file, was_calibrated
    from bench.devices.matching import detect
    from bench.filesystem.whole_files import refuse_to_replace, write_whole
    from bench.harness.alone import alone
    from bench.harness.calibration import FULL, calibrate
    from bench.run.machine_warnings import machine_warnings
    from bench.runtimes.profile_names import checked_profile, load_checked_profile
    from bench.system.cpu_time import read_highest_clock_khz
    from bench.system.cpus import cpus_here
    from bench.system.host import read_host
    from bench.system.operating_system import require_linux
    from bench.system.state import read_state
    from device_profiles.loading import profile_of, shipped_profiles
    from edgefit.progress import progress
    from edgefit.views.profiles import profile_view

    output = Output(as_json)
    require_linux("edgefit profiles calibrate")
    refuse_to_replace(out, was_calibrated, "--out")
    name = _name_of(out)
    with progress() as watcher, alone(watcher):
        host, state = read_host(), read_state()
        matches = detect(host, shipped_profiles()).matches
        matched = load_checked_profile(matches[0].profile) if matches else None
        clock_khz = read_highest_clock_khz(cpus_here().cores[0].number)
        content = calibrated(name, host, state.available_bytes, clock_khz, matched, now()[:10])
        # An error in the profile is reported before 90 seconds of measuring, not after.
        checked_profile(profile_of(content.with_rates(()), out), out)
        for warning in machine_warnings(host, state):
            watcher.say(f"warning: {warning}")
        rates = calibrate(content.source, host.emulated is not None, watcher, FULL)
    whole = content.with_rates(rates)
    profile = checked_profile(profile_of(whole, out), out)
    write_whole(out, to_file(whole))
    output.show(profile_view(profile))
    output.document(profile.model_dump_json())
    output.next_step(f"edgefit bench BUNDLE --profile {out}")


def _name_of(out: Path) -> str:
    """Return the profile's name, which is its file's; raises BadParameter if it is invalid or taken."""
    from device_profiles.loading import path_of, profile_names
    from device_profiles.profile import NAME

    if out.suffix not in (".yaml", ".yml") or not re.fullmatch(NAME, out.stem):
        raise typer.BadParameter(
            f"'{out}' is not a valid file name for a profile; use small letters, digits and dashes, such as "
            "my-board.yaml",
            param_hint="--out",
        )
    if out.stem in profile_names() and path_of(out.stem).resolve() != out.resolve():
        raise typer.BadParameter(
            f"'{out}': another profile has the name '{out.stem}' ({path_of(out.stem)}); choose another name",
            param_hint="--out",
        )
    return out.stem
