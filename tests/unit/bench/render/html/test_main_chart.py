"""The chart of latency and accuracy says where its latencies come from."""

from making.compared_report import Row, made_report

from bench.render.html.main_chart import main_picture


def test_a_proxy_without_ranges_is_not_held_against_the_devices_limit() -> None:
    report = made_report({"onnx-fp32": Row(10)}, profile="raspberry-pi-5", provenance="proxy")
    measured = made_report({"onnx-fp32": Row(10)}, profile="raspberry-pi-5")

    words = [str(main_picture([one])) for one in (report, measured)]

    assert ["p95 limit" in one for one in words] == [False, True]
    assert "proxy, 2 threads, batch 1" in words[0]
