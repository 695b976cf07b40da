"""Converts reports of schema 1 to schema 2. It knows the old keys and reads no file.

Schema 1 had milliseconds and MiB, and stored derived values in the same row as the measurements.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.runtimes.providers import case_id
from bench.units import BYTES_PER_MIB, MJ_PER_J, NS_PER_MS
from device_profiles.schema1 import renamed, upgraded, upgraded_rates

Json = dict[str, Any]

_PROCESS = {"wave": "group", "round": "repetition"}
_BLOCK = {"sweep": "pass_index", "turn": "position", "surroundings": "counters"}
_VARIANTS = {"yardstick": "control"}
_PROVENANCES = {"stand-in": "proxy"}
_ENDS = {"with its wave": "with its group"}
# Before 27 November 2026 the interval of the median was written in ns. An interval in ms is never this wide.
_NS_FOR_SURE = 1e4


def to_schema_2(report: Mapping[str, Any]) -> Json:
    """Return a report's document of schema 1 in schema 2.

    Raises LookupError, TypeError, AttributeError, ArithmeticError or ValueError if it is not one.
    """
    whole = renamed(report, {"stand_in": "proxy"})
    whole |= {"schema": 2, "converted_from": 1}
    whole["profile"] = upgraded(whole["profile"])
    if whole.get("proxy") is not None:
        whole["proxy"] = _proxy(whole["proxy"])
    whole["runs"] = [_row(run) for run in whole["runs"]]
    return whole


def _proxy(old: Mapping[str, Any]) -> Json:
    proxy = renamed(old, {"memory_limit_mb": "memory_limit_bytes"})
    limit_mib = proxy["memory_limit_bytes"]
    proxy["memory_limit_bytes"] = None if limit_mib is None else round(limit_mib * BYTES_PER_MIB)
    proxy["host_rates"] = upgraded_rates(proxy.get("host_rates", []))
    return proxy


def _row(run: Mapping[str, Any]) -> Json:
    variant = _VARIANTS.get(run["variant"], run["variant"])
    precision_ran = run.get("precision_ran")
    return {
        "case": case_id(variant, run["provider"]),
        "variant": variant,
        "format": run["format"],
        "precision": None if precision_ran is None else precision_ran["requested"],
        "config": {"provider": run["provider"], "threads": run["threads"]},
        "provenance": _PROVENANCES.get(run["standing"], run["standing"]),
        "size_bytes": run.get("size_bytes"),
        "outcome": _outcome(run),
        "summary": _summary(run) if run.get("latency_ms") is not None else None,
        "projection": _projection(run),
        "nearest_published": run.get("nearest_published"),
        "warnings": run.get("warnings", []),
    }


def _outcome(run: Mapping[str, Any]) -> Json:
    if run["status"] == "failed" and run.get("failure") is not None:
        return {"status": "failed", **run["failure"]}
    if run["status"] != "completed":
        return {"status": run["status"], "reason": run.get("reason") or "no reason is known"}
    raw = renamed(run["raw"], {"waves": "groups"})
    raw["status"] = "completed"
    raw["runtime"] = run["runtime"]
    raw["predictions_cached_at"] = run.get("answers_from")
    raw["ended"] = _ENDS.get(raw["ended"], raw["ended"])
    raw["processes"] = [_process(process) for process in raw["processes"]]
    raw["telemetry"] = [renamed(state, _PROCESS) for state in raw["telemetry"]]
    if raw.get("sustained") is not None:
        raw["sustained"] = {**raw["sustained"], "blocks": _blocks(raw["sustained"]["blocks"])}
    return raw


def _process(old: Mapping[str, Any]) -> Json:
    return {**renamed(old, _PROCESS), "blocks": _blocks(old["blocks"])}


def _blocks(blocks: Sequence[Mapping[str, Any]]) -> list[Json]:
    return [renamed(block, _BLOCK) for block in blocks]


def _summary(run: Mapping[str, Any]) -> Json:
    energy = run.get("energy_mj")
    return {
        "latency": _latency(run["latency_ms"]),
        "relative_to_control": _relative(run.get("per_yardstick"), run.get("per_yardstick_ci95")),
        "relative_to_fp32": _relative(run.get("per_fp32"), run.get("per_fp32_ci95")),
        "import_ns": _ns(run["import_ms"]),
        "load_ns": _ns(run["load_ms"]),
        "first_inference_ns": _ns(run["first_inference_ms"]),
        "file_cache": run.get("file_cache"),
        "sustained": None if run.get("sustained") is None else _sustained(run["sustained"]),
        "energy_per_inference_j": None if energy is None else energy["value"] / MJ_PER_J,
        "precision_ran": _precision_ran(run),
        "accuracy": run.get("accuracy"),
    }


def _precision_ran(run: Mapping[str, Any]) -> Json | None:
    """Return which precision ran; None where no executed graph was read, for which schema 1 had nulls."""
    ran = run.get("precision_ran")
    if ran is None or run["raw"]["executed"] is None:
        return None
    return {key: ran[key] for key in ran if key != "requested"}


def _relative(ratio: float | None, ci95: Sequence[float] | None) -> Json | None:
    return None if ratio is None else {"ratio": ratio, "ci95": ci95}


def _latency(old: Mapping[str, Any]) -> Json:
    percentiles = {
        f"{name}_ns": _ns(old[name]) for name in ("p50", "p90", "p95", "p99", "mean", "min", "max")
    }
    upper = {f"{name}_upper_ns": _ns(bound) for name, bound in old["upper"].items()}
    others = {key: old[key] for key in ("unsupported", "samples", "processes")}
    interval = {"p50_ci95_ns": _interval(old["p50_ci95"], old["p50"])}
    return {**percentiles, **upper, **others, **interval, "relative_range": old["spread"]}


def _interval(ends: Sequence[float] | None, p50_ms: float) -> list[float] | None:
    if ends is None:
        return None
    is_in_ns = ends[1] >= _NS_FOR_SURE * p50_ms
    return [end if is_in_ns else end * NS_PER_MS for end in ends]


def _sustained(old: Mapping[str, Any]) -> Json:
    sustained = renamed(old, {"settled_ms": "settled_ns"})
    sustained["settled_ns"] = _ns(sustained["settled_ns"])
    sustained["points"] = [{"at_s": point["at_s"], "p50_ns": _ns(point["p50_ms"])} for point in old["points"]]
    return sustained


def _projection(run: Mapping[str, Any]) -> Json | None:
    if (projected := run.get("projected_ms")) is None:
        reason = run.get("projection_reason")
        return None if reason is None else {"reason": reason}
    new = renamed(projected, {"low": "low_ns", "high": "high_ns", "basis_ms": "basis_ns"})
    return {**new, **{key: _ns(new[key]) for key in ("low_ns", "high_ns", "basis_ns")}}


def _ns(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms * NS_PER_MS
