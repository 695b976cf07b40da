"""`edgefit profiles`: what edgefit knows of devices. It parses and prints; device_profiles/ reads."""

import json
from typing import Annotated

import typer

from edgefit.options import AsJson
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
