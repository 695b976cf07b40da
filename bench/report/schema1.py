"""Reports of schema 1, turned into schema 2. It knows the old keys and reads no file."""

from collections.abc import Mapping
from typing import Any

from device_profiles.schema1 import renamed, upgraded, upgraded_rates

_ROW = {
    "standing": "provenance",
    "per_yardstick": "relative_to_control",
    "per_yardstick_ci95": "relative_to_control_ci95",
    "per_fp32": "relative_to_fp32",
    "per_fp32_ci95": "relative_to_fp32_ci95",
    "answers_from": "predictions_cached_at",
}
_PROCESS = {"wave": "group", "round": "repetition"}
_BLOCK = {"sweep": "pass_index", "turn": "position", "surroundings": "counters"}
_VARIANTS = {"yardstick": "control"}
_PROVENANCES = {"stand-in": "proxy"}
_ENDS = {"with its wave": "with its group"}

Json = dict[str, Any]


def to_schema_2(report: Mapping[str, Any]) -> Json:
    """Return a report's document of schema 1 as schema 2 has it; KeyError or TypeError if it is none."""
    whole = renamed(report, {"stand_in": "proxy"})
    whole["schema"] = 2
    whole["profile"] = upgraded(whole["profile"])
    if whole.get("proxy") is not None:
        rates = upgraded_rates(whole["proxy"].get("host_rates", []))
        whole["proxy"] = {**whole["proxy"], "host_rates": rates}
    whole["runs"] = [_row(run) for run in whole["runs"]]
    return whole


def _row(run: Mapping[str, Any]) -> Json:
    row = renamed(run, _ROW)
    row["variant"] = _VARIANTS.get(row["variant"], row["variant"])
    row["provenance"] = _PROVENANCES.get(row["provenance"], row["provenance"])
    if row.get("sampling_ended") is not None:
        row["sampling_ended"] = _ENDS.get(row["sampling_ended"], row["sampling_ended"])
    if row.get("latency_ms") is not None:
        row["latency_ms"] = renamed(row["latency_ms"], {"spread": "relative_range"})
    if row.get("raw") is not None:
        row["raw"] = _raw(row["raw"])
    return row


def _raw(old: Mapping[str, Any]) -> Json:
    raw = renamed(old, {"waves": "groups"})
    raw["ended"] = _ENDS.get(raw["ended"], raw["ended"])
    raw["processes"] = [_process(process) for process in raw["processes"]]
    raw["telemetry"] = [renamed(state, _PROCESS) for state in raw["telemetry"]]
    if raw.get("sustained") is not None:
        blocks = [renamed(block, _BLOCK) for block in raw["sustained"]["blocks"]]
        raw["sustained"] = {**raw["sustained"], "blocks": blocks}
    return raw


def _process(old: Mapping[str, Any]) -> Json:
    process = renamed(old, _PROCESS)
    process["blocks"] = [renamed(block, _BLOCK) for block in process["blocks"]]
    return process
