"""Choosing: the pick under a budget, ties, what is not decided, and the reason against every other."""

from typing import Any

import pytest
from making.compared_report import Row, bundle, made_report
from making.tiny_report import HOST, MS

from bench.choose.choosing import Choice, Criteria, choose
from bench.choose.comparing import Preference
from bench.devices.projection.projected import Projected
from bench.measurements import Failed, FailureKind, Stage
from bench.report.schema import Report
from device_profiles.settings import Budget

NOISY = (0.8, 1.2, 0.84, 1.24, 0.8, 1.2, 1.0, 1.0)


def choice_of(*reports: Report, prefer: Preference = Preference.LATENCY, **budget: Any) -> Choice:
    ((choice, _),) = choose(reports, Criteria(Budget(**budget), prefer))
    return choice


def results(choice: Choice) -> dict[str, str]:
    return {row.name: row.result for row in choice.candidates}


def reasons(choice: Choice) -> dict[str, str]:
    return {row.name: row.reason for row in choice.candidates}


def test_the_fastest_is_chosen_and_the_others_are_slower_by_a_ratio() -> None:
    choice = choice_of(made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4, size=2_500_000)}))

    assert choice.chosen == "onnx-int8"
    assert results(choice) == {"onnx-int8": "chosen", "onnx-fp32": "worse"}
    assert reasons(choice)["onnx-fp32"].startswith("2.50× the latency, interval 2.50 to 2.50")


def test_of_a_tie_the_smaller_wins_though_the_other_is_a_little_faster() -> None:
    choice = choice_of(made_report({"onnx-fp32": Row(10), "onnx-fp16": Row(10.2, size=4_500_000)}))

    assert choice.chosen == "onnx-fp16"
    assert results(choice)["onnx-fp32"] == "tie"
    assert "a tie in latency with onnx-fp32: the smallest is chosen" in choice.explanation
    assert "larger (9.00 MB, onnx-fp16 has 4.50)" in reasons(choice)["onnx-fp32"]


def test_of_a_tie_of_one_size_the_more_accurate_wins_and_then_fp32() -> None:
    accurate = made_report({"onnx-fp32": Row(10, wrong=3), "onnx-fp16": Row(10)})
    alike = made_report({"onnx-fp16": Row(10), "onnx-fp32": Row(10)})

    assert choice_of(accurate).chosen == "onnx-fp16"
    assert choice_of(alike).chosen == "onnx-fp32"


def test_five_per_cent_of_latency_is_a_tie_and_six_is_none() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-fp16": Row(10.49), "openvino-fp16": Row(10.6)})

    assert results(choice_of(report)) == {"onnx-fp32": "chosen", "onnx-fp16": "tie", "openvino-fp16": "worse"}


def test_three_per_cent_of_memory_is_a_tie_and_four_is_none() -> None:
    rows = {"onnx-fp32": Row(10, mib=100), "onnx-fp16": Row(10, mib=103), "openvino-fp16": Row(10, mib=104)}

    choice = choice_of(made_report(rows), prefer=Preference.MEMORY)

    assert results(choice) == {"onnx-fp32": "chosen", "onnx-fp16": "tie", "openvino-fp16": "worse"}


def test_what_can_hardly_be_faster_leaves_the_choice_decided() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-fp16": Row(10.2, noise=(0.95, 1.05) * 4)})

    choice = choice_of(report)

    assert results(choice) == {"onnx-fp32": "chosen", "onnx-fp16": "not better"}
    assert reasons(choice)["onnx-fp16"].startswith("1.02× the latency, interval 0.9")
    assert "no other variant is more than 3% faster" in choice.explanation


def test_a_proxy_says_nothing_of_what_is_faster_on_the_device() -> None:
    rows = {"onnx-fp32": Row(10), "onnx-fp16": Row(20)}

    choice = choice_of(made_report(rows, profile="raspberry-pi-5", provenance="proxy"))

    assert results(choice)["onnx-fp16"] == "worse"
    assert not any("faster" in sentence for sentence in choice.explanation)


def test_only_variants_within_the_budget_are_said_to_be_no_faster() -> None:
    rows = {"onnx-fp32": Row(10), "onnx-fp16": Row(20), "onnx-int8": Row(4, mib=500)}

    choice = choice_of(made_report(rows), memory_mb=200)

    assert "no other variant within the budget is faster" in choice.explanation


def test_an_interval_too_wide_for_either_is_not_decided() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(10.2, noise=NOISY)})

    choice = choice_of(report)

    assert results(choice) == {"onnx-fp32": "chosen", "onnx-int8": "not decided"}
    assert "measure longer, this CPU has no int8 dot product" in reasons(choice)["onnx-int8"]
    assert "not decided against onnx-int8" in choice.explanation
    assert not any("faster" in sentence for sentence in choice.explanation)


def test_a_report_with_one_process_decides_nothing() -> None:
    report = made_report({"onnx-fp32": Row(10, noise=(1.0,)), "onnx-int8": Row(4, noise=(1.0,))})

    choice = choice_of(report)

    assert choice.chosen == "onnx-int8"
    assert "too few processes for an interval" in reasons(choice)["onnx-fp32"]


def test_what_is_over_a_limit_says_which_and_by_how_much() -> None:
    report = made_report({"onnx-fp32": Row(10, mib=300), "onnx-int8": Row(12, mib=100)})

    choice = choice_of(report, memory_mb=200, p95_ms=50)

    assert choice.chosen == "onnx-int8"
    assert reasons(choice)["onnx-fp32"] == (
        "peak memory 300 MiB is 100 MiB (+50.0%) over the limit of 200 MiB"
    )


def test_a_budget_no_variant_meets_names_the_nearest_row_for_each_limit() -> None:
    report = made_report(
        {"onnx-fp32": Row(10, size=9_000_000), "onnx-int8": Row(4, size=2_500_000), "onnx-fp16": Row(1)}
    )

    choice = choice_of(report, p95_ms=3, size_mb=2)

    assert choice.chosen is None
    latency, size = choice.nearest
    assert latency.startswith(
        "the limit of p95 latency is met by 1 of 3 candidates; the nearest is onnx-int8: "
    )
    assert "p95 latency 4 ms is 1 ms (+33.3%)" in latency
    assert size.startswith(
        "the limit of size is met by 0 of 3 candidates; the nearest is onnx-int8: size 2.5"
    )


def test_accuracy_not_shown_loses_and_says_how_many_images_decide() -> None:
    fast, slow = Row(4, wrong=3), Row(10)
    report = made_report({"onnx-int8": fast, "onnx-fp32": slow}, images=200)

    choice = choice_of(report)

    assert choice.chosen == "onnx-fp32"
    assert results(choice)["onnx-int8"] == "not shown to keep the accuracy"
    needed = int(reasons(choice)["onnx-int8"].partition(" images like these 200")[0].rpartition(" ")[2])
    assert 200 < needed < 4000
    enough = made_report({"onnx-int8": Row(4, wrong=needed * 3 // 200), "onnx-fp32": slow}, images=needed)
    assert choice_of(enough).chosen == "onnx-int8"


def changed(answers: tuple[int, ...], places: range) -> tuple[int, ...]:
    return tuple(1 - answer if place in places else answer for place, answer in enumerate(answers))


def test_changed_answers_on_the_references_mistakes_keep_no_accuracy() -> None:
    labels = (0,) * 624
    reference = changed(labels, range(60))
    # 24 of the 60 mistakes are mended: a retention of 1.043, and 3.8 % of the classes changed.
    luck = Row(4, answers=changed(reference, range(24)))
    same = Row(10, answers=reference)
    report = made_report({"onnx-int8": luck, "onnx-fp32": same}, labels=labels, reference=reference)

    choice = choice_of(report, retention=0.99)

    assert choice.chosen == "onnx-fp32"
    assert results(choice)["onnx-int8"] == "not shown to keep the accuracy"
    assert "agreement 0.962 (0.943 to 0.974)" in reasons(choice)["onnx-int8"]


def test_a_class_that_is_lost_where_the_other_gains_is_named() -> None:
    labels = (0,) * 600 + (1,) * 40
    reference = changed(labels, range(10))
    # Eight of 40 positive images missed, eight mistakes on the others mended.
    swapped = Row(4, answers=changed(changed(reference, range(8)), range(600, 608)))
    same = Row(10, answers=reference)
    report = made_report({"onnx-int8": swapped, "onnx-fp32": same}, labels=labels, reference=reference)

    choice = choice_of(report, retention=0.9)

    assert choice.chosen == "onnx-fp32"
    assert reasons(choice)["onnx-int8"].startswith(
        "class 'pneumonia': recall 0.80 instead of 1.00 on 40 images (retention 0.800, below 0.89,"
    )


def test_few_images_keep_the_accuracy_only_if_all_agree() -> None:
    report = made_report({"onnx-int8": Row(4, wrong=5), "onnx-fp32": Row(10)}, images=110)

    choice = choice_of(report, retention=0.99)

    assert choice.chosen == "onnx-fp32"
    assert not any("not shown" in sentence for sentence in choice.explanation)


def test_the_limit_of_the_user_counts_for_the_agreement_as_well() -> None:
    report = made_report({"onnx-int8": Row(4, wrong=30), "onnx-fp32": Row(10)}, images=600)

    assert choice_of(report, retention=0.99).chosen == "onnx-fp32"
    assert choice_of(report, retention=0.9).chosen == "onnx-int8"


def test_the_lower_end_of_retention_may_reach_a_margin_below_the_limit() -> None:
    report = made_report({"onnx-int8": Row(4, wrong=5)}, images=1000)  # 0.995 (0.9898 to 1.0000)

    ((wide, _),) = choose([report], Criteria(Budget(retention=0.995), margin=0.01))
    ((narrow, _),) = choose([report], Criteria(Budget(retention=0.995), margin=0.001))

    assert not any("not shown" in sentence for sentence in wide.explanation)
    assert any("not shown to keep the accuracy" in sentence for sentence in narrow.explanation)


def test_a_variant_that_loses_accuracy_is_not_chosen_even_alone() -> None:
    choice = choice_of(made_report({"onnx-int8": Row(4, wrong=200)}))

    assert choice.chosen is None
    assert results(choice) == {"onnx-int8": "loses accuracy"}
    assert "the nearest is onnx-int8: retention 0.800" in choice.nearest[0]


def test_the_order_can_be_set() -> None:
    rows = {
        "onnx-fp32": Row(10, mib=90, size=9_000_000),
        "onnx-int8": Row(4, mib=120, size=4_000_000, wrong=4),
        "openvino-int8": Row(6, mib=150, size=3_000_000, wrong=4),
    }
    report = made_report(rows)

    chosen = {one: choice_of(report, prefer=one).chosen for one in Preference if one is not Preference.ENERGY}

    assert chosen == {
        Preference.LATENCY: "onnx-int8",
        Preference.MEMORY: "onnx-fp32",
        Preference.SIZE: "openvino-int8",
        Preference.ACCURACY: "openvino-int8",  # all three tie in accuracy, and it is the smallest
    }


def test_by_energy_nothing_is_chosen_where_nothing_was_measured() -> None:
    choice = choice_of(made_report({"onnx-fp32": Row(10)}), prefer=Preference.ENERGY)

    assert (choice.chosen, choice.has_rows) == (None, False)
    assert "no variant's energy was measured" in choice.headline
    assert reasons(choice)["onnx-fp32"] == "no energy: no meter"


def test_the_front_holds_those_that_nobody_beats_in_everything() -> None:
    choice = choice_of(
        made_report(
            {
                "onnx-int8": Row(4, mib=100, size=2_500_000, wrong=2),
                "onnx-fp32": Row(10, mib=100, size=9_000_000),
                "torchscript-fp32": Row(20, mib=250, size=9_000_000),
                "onnx-fp16": Row(10, mib=100, size=4_500_000),
            }
        )
    )

    assert {one.name for one in choice.candidates if one.on_front} == {"onnx-int8", "onnx-fp16"}
    assert "dominated by onnx-fp32" in reasons(choice)["torchscript-fp32"]


def test_what_did_not_run_is_named_with_its_reason() -> None:
    crash = Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV")

    choice = choice_of(made_report({"onnx-fp32": Row(10), "onnx-int8": crash}))
    nothing = choice_of(made_report({"onnx-int8": crash}))

    assert reasons(choice)["onnx-int8"] == "failed: crash in stage load: died of SIGSEGV"
    assert (nothing.chosen, nothing.has_rows) == (None, False)


def test_two_reports_of_one_profile_are_compared_through_their_controls() -> None:
    one = made_report({"onnx-fp32": Row(10)}, control=Row(1))
    slow_day = made_report({"openvino-fp32": Row(12)}, control=Row(2))  # 6 control workloads against 10

    choice = choice_of(one, slow_day)

    assert choice.chosen == "openvino-fp32"
    assert reasons(choice)["onnx-fp32"].startswith("1.67× the latency")


def test_reports_of_other_machines_are_not_decided_against_each_other() -> None:
    one = made_report({"onnx-fp32": Row(10)})
    other = made_report({"openvino-fp32": Row(5)}, host=HOST.model_copy(update={"cpu": "Another CPU"}))

    choice = choice_of(one, other)

    assert results(choice)["onnx-fp32"] == "not decided"
    assert "under other conditions: CPU 'Test CPU', was 'Another CPU'" in reasons(choice)["onnx-fp32"]


def test_of_the_same_row_in_two_reports_the_later_counts() -> None:
    old = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)}, created="2026-01-01T00:00:00+00:00")
    new = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(20)}, created="2026-02-01T00:00:00+00:00")

    choice = choice_of(new, old)

    assert choice.chosen == "onnx-fp32"
    assert "it was measured again" in reasons(choice)["onnx-int8 of 2026-01-01T00:00:00+00:00"]


def test_bundles_of_one_profile_are_named_by_their_reports() -> None:
    one = made_report({"onnx-fp32": Row(10)}, name="plain")
    other = made_report({"onnx-fp32": Row(5)}, name="pruned", bundle=bundle(sha256="a" * 64))

    choice = choice_of(one, other)

    assert choice.chosen == "onnx-fp32 (pruned, aaaaaaaa, measured)"
    assert choice.report == "pruned"


def test_rows_of_two_machines_have_different_names() -> None:
    here = made_report({"onnx-fp32": Row(10)})
    there = made_report({"onnx-fp32": Row(90)}, host=HOST.model_copy(update={"cpu": "Slow CPU"}))

    choice = choice_of(here, there, p95_ms=50)

    assert choice.chosen == "onnx-fp32 (tiny, 00000000, measured, Test CPU)"
    assert results(choice)["onnx-fp32 (tiny, 00000000, measured, Slow CPU)"] == "over a limit"


def test_where_some_rows_are_projected_the_others_are_not_ranked_with_them() -> None:
    report = made_report(
        {"onnx-fp32": Row(1), "openvino-fp32": Row(2)}, profile="raspberry-pi-5", provenance="proxy"
    )
    runs = tuple(
        run.model_copy(update={"projection": projected(30, 50)}) if run.variant == "openvino-fp32" else run
        for run in report.runs
    )

    choice = choice_of(report.model_copy(update={"runs": runs}))

    assert choice.chosen == "openvino-fp32"
    assert reasons(choice)["onnx-fp32"].startswith("it is not projected for the device, and others are")


def test_each_profile_has_its_own_choice() -> None:
    here = made_report({"onnx-fp32": Row(10)})
    there = made_report({"onnx-int8": Row(10)}, profile="raspberry-pi-5", provenance="proxy")

    choices = [choice for choice, _ in choose([here, there], Criteria(Budget()))]

    assert [(choice.profile, choice.chosen) for choice in choices] == [
        ("laptop-cpu", "onnx-fp32"),
        ("raspberry-pi-5", "onnx-int8"),
    ]


def test_a_proxy_is_never_ranked_against_a_measured_row() -> None:
    measured = made_report({"onnx-fp32": Row(10)}, profile="raspberry-pi-5")
    faster = made_report({"onnx-int8": Row(1)}, profile="raspberry-pi-5", provenance="proxy")

    both, alone = choice_of(measured, faster), choice_of(faster)

    assert both.chosen == "onnx-fp32"
    assert "not ranked against measured" in reasons(both)["onnx-int8"]
    assert both.headline == "raspberry-pi-5: onnx-fp32, p50 10 ms (10 to 10, measured)"
    assert not any("based on" in sentence for sentence in both.explanation)
    assert alone.headline == "raspberry-pi-5: onnx-int8, p50 1 ms (1 to 1, proxy)"
    assert "based on a proxy (Test CPU): not measured on raspberry-pi-5" in alone.explanation


def test_projected_ranges_decide_only_where_they_do_not_overlap() -> None:
    report = made_report(
        {"onnx-fp32": Row(10), "onnx-int8": Row(20), "openvino-fp32": Row(1)},
        profile="raspberry-pi-5",
        provenance="proxy",
    )
    ranges = {"onnx-fp32": (30.0, 50.0), "onnx-int8": (10.0, 20.0), "openvino-fp32": (15.0, 25.0)}
    runs = tuple(
        run.model_copy(update={"projection": projected(*ranges[run.variant])}) if run.is_variant else run
        for run in report.runs
    )

    choice = choice_of(report.model_copy(update={"runs": runs}))

    assert choice.chosen == "onnx-int8"
    assert results(choice)["onnx-fp32"] == "worse"
    assert results(choice)["openvino-fp32"] == "not decided"
    assert (
        "based on a proxy (Test CPU) and on projections: not measured on raspberry-pi-5" in choice.explanation
    )


def projected(low: float, high: float) -> Projected:
    return Projected(
        low_ns=low * MS,
        high_ns=high * MS,
        basis_ns=low * MS,
        basis="a test",
        basis_precision="fp32",
        factors=(),
    )


@pytest.mark.parametrize(("limit", "chosen"), [(30.0, "onnx-fp32"), (20.0, None)])
def test_a_projected_range_wholly_over_the_limit_is_over_it(limit: float, chosen: str | None) -> None:
    report = made_report({"onnx-fp32": Row(1)}, profile="raspberry-pi-5", provenance="proxy")
    runs = tuple(
        run.model_copy(update={"projection": projected(25, 60)}) if run.is_variant else run
        for run in report.runs
    )

    assert choice_of(report.model_copy(update={"runs": runs}), p95_ms=limit).chosen == chosen
