"""The page's table of all rows: its columns of options."""

from making.compared_report import Row, made_report

from bench.render.html.rows import option_names, rows_of


def test_an_option_that_is_empty_everywhere_has_no_column() -> None:
    plain = made_report({"onnx-fp32": Row(10)})
    runs = tuple(
        run.model_copy(update={"config": run.config.model_copy(update={"variables": "MKL_CBWR=AVX2"})})
        for run in plain.runs
    )
    kept = plain.model_copy(update={"runs": runs})

    assert option_names([plain]) == ("threads",)
    assert option_names([plain, kept]) == ("threads", "variables")
    assert [tuple(row.options.values()) for row in rows_of([plain, kept])] == [(2, ""), (2, "MKL_CBWR=AVX2")]
