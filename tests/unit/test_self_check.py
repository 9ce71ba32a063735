"""The checks of our own results and pages: sound ones pass, every planted slip is found and named."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import HhpError, SelfCheckFailed
from hhp_stats.present.numbers import number
from hhp_stats.publish.checks.mark_check import check_marks, mark_problems
from hhp_stats.publish.checks.page_check import (
    check_pages,
    sentence_shares,
    sentence_tests,
    table_estimates,
    table_shares,
)
from hhp_stats.publish.checks.page_text import PageTable, read_page
from hhp_stats.publish.checks.self_check import check_flow, check_report, check_results
from hhp_stats.results.frame import Estimate, ResultRow, result_frame, write_results
from hhp_stats.results.traced import TracedRow, recording


def row(
    key: str = "trial/outcome/itt/hc2", *, df: float = 98.0, method: str = "OLS, HC2", **changes: object
) -> ResultRow:
    made = Estimate(estimate=0.40, std_error=0.25, df=df, n=100, n_clusters=None, method=method).row(
        result_id=key,
        population="responders",
        contrast="treatment minus control",
        analysis="planned",
        clause="R01",
        source="",
    )
    return replace(made, **changes)


def test_sound_rows_are_counted() -> None:
    found = check_results(
        result_frame([row(), row("trial/outcome/itt/z", df=math.inf), row("trial/outcome/itt/t2", df=2.5)])
    )
    assert (found.rows, found.p_values, found.intervals, dict(found.exempt)) == (3, 3, 3, {})


@pytest.mark.parametrize(
    ("column", "factor"),
    [
        ("estimate", 1.001),
        ("std_error", 0.999),
        ("df", 0.9),
        ("p_value", 1.0001),
        ("conf_low", 1.0001),
        ("conf_high", 0.9999),
        ("statistic", 1.0001),
        ("conf_level", 0.999),
    ],
)
def test_slip_in_any_column_is_found(column: str, factor: float) -> None:
    frame = result_frame([row(), row("trial/outcome/itt/other")])
    frame.loc[1, column] = float(frame.loc[1, column]) * factor
    with pytest.raises(SelfCheckFailed, match="trial/outcome/itt/other") as error:
        check_results(frame)
    assert all(problem.startswith("trial/outcome/itt/other") for problem in error.value.problems)
    assert isinstance(error.value, HhpError)


def test_other_rules_are_exempt_but_not_from_everything() -> None:
    bootstrap = row(method="OLS, wild cluster bootstrap, null imposed", p_value=0.2, conf_low=-0.1, conf_high=1.0)
    assert list(check_results(result_frame([bootstrap])).exempt) == ["trial/outcome/itt/hc2"]
    with pytest.raises(SelfCheckFailed, match="p_value"):
        check_results(result_frame([replace(bootstrap, p_value=1.2)]))
    with pytest.raises(SelfCheckFailed):  # the same numbers under a name that claims t
        check_results(result_frame([replace(bootstrap, method="OLS, HC2")]))


def test_interval_without_standard_error_is_refused() -> None:
    with pytest.raises(SelfCheckFailed, match="without std_error"):
        check_results(result_frame([row(std_error=math.nan, statistic=math.nan)]))


def test_adjusted_below_unadjusted_is_refused() -> None:
    with pytest.raises(SelfCheckFailed, match="p_adjusted"):
        check_results(result_frame([row(p_adjusted=0.01)]))


def test_chi_squared_is_recomputed() -> None:
    base = row(
        method="omnibus, chi-squared",
        estimate=9.9,
        std_error=math.nan,
        statistic=9.9,
        df=11.0,
        conf_low=math.nan,
        conf_high=math.nan,
        p_value=0.5395,
    )
    with pytest.raises(SelfCheckFailed, match=r"give 0\.539404"):  # R: pchisq(9.9, 11, lower.tail = FALSE) = 0.5394043
        check_results(result_frame([base]))


def test_rates_are_held_against_counts() -> None:
    def counted(name: str, value: float) -> ResultRow:
        return replace(
            row(f"trial/sample/{name}/count", method="count"),
            estimate=value,
            std_error=math.nan,
            statistic=math.nan,
            p_value=math.nan,
            df=math.nan,
            conf_low=math.nan,
            conf_high=math.nan,
            n=574,
            status="descriptive",
        )

    assert check_results(result_frame([counted("responded", 130), counted("response_rate", 130 / 574)])).rates == 1
    with pytest.raises(SelfCheckFailed, match="response_rate"):
        check_results(result_frame([counted("responded", 130), counted("response_rate", 0.23)]))


FLOW = pd.DataFrame(
    [
        ("randomised", "all", "Randomised", 200, "stage"),
        ("allocated", "control", "Control", 100, "stage"),
        ("survey", "control", "Did not answer", 40, "loss"),
        ("analysed", "control", "Analysed: primary outcome", 60, "stage"),
        ("allocated", "treatment", "Treated", 100, "stage"),
        ("survey", "treatment", "Did not answer", 60, "loss"),
        ("analysed", "treatment", "Analysed: primary outcome", 40, "stage"),
    ],
    columns=["stage", "arm", "label", "people", "kind"],
)


def test_flow_agrees_with_results() -> None:
    assert check_flow(FLOW, result_frame([row()]), study="trial") == 1


@pytest.mark.parametrize(
    ("line", "people", "message"),
    [(1, 90, "add to 190"), (2, 30, "100 less 30"), (3, 120, "more than"), (6, 41, "100 less 60")],
)
def test_flow_that_loses_people_is_refused(line: int, people: int, message: str) -> None:
    flow = FLOW.copy()
    flow.loc[line, "people"] = people
    with pytest.raises(SelfCheckFailed, match=message):
        check_flow(flow, result_frame([row()]), study="trial")


@pytest.mark.parametrize(("n", "message"), [(201, "200 people were randomised"), (99, "flow has 100 analysed")])
def test_results_on_other_numbers_than_the_flow_are_refused(n: int, message: str) -> None:
    with pytest.raises(SelfCheckFailed, match=message):
        check_flow(FLOW, result_frame([row(n=n)]), study="trial")


def test_arms_of_an_outcome_add_up() -> None:
    arms = [replace(row(f"trial/outcome/mean_{arm}/raw"), n=n) for arm, n in (("control", 60), ("treatment", 39))]
    with pytest.raises(SelfCheckFailed, match="the arms have 99"):
        check_flow(FLOW, result_frame([row(), *arms]), study="trial")


def test_experiment_flow() -> None:
    flow = pd.DataFrame(
        {
            "experiment": ["outcome"] * 2,
            "condition": ["a", "b"],
            "people": [10, 10],
            "rows": [50, 50],
            "answered": [50, 49],
        }
    )
    assert check_flow(flow, result_frame([row()]), study="trial") == 1
    with pytest.raises(SelfCheckFailed, match="hold 100 rows"):
        check_flow(flow, result_frame([row(n=101)]), study="trial")


# ---------------------------------------------------------------- pages
def page(
    difference: str = "0.40",
    reach: str = "\u22120.10 to 0.90",
    p: str = ".11",
    df: str = "98",
    share: str = "22.6%",
    words: str = "",
) -> str:
    return f"""<html><head><title>1 of 2 (90%)</title></head><body><nav>1 of 2 (90%)</nav><main>
    <table><thead><tr><th>Outcome</th><th>Difference</th><th>95% CI</th><th>p</th><th>df</th></tr></thead>
    <tbody><tr><th>Wellbeing</th><td><span data-result="trial/outcome/itt/hc2">{difference}</span></td><td>{reach}</td><td>{p}</td><td>{df}</td></tr></tbody></table>
    <table><thead><tr><th>Arm</th><th>Randomised</th><th>Answered</th></tr></thead>
    <tr><td>Treated</td><td>574</td><td>130 ({share})</td></tr></table>
    <p>{words or "128 of the 641 staff offered it (20.0%) began."} Wellbeing rose (95% CI \u22120.10 to 0.90, p = .11).<br>End.</p>
    <script>if (1 < 2) "3 of 4 (1%)"</script></main></body></html>"""


def write(folder: Path, text: str) -> Path:
    (folder / "page.html").write_text(text, encoding="utf-8")
    return folder


def test_sound_page_is_counted(tmp_path: Path) -> None:
    found = check_pages(write(tmp_path, page()))
    assert (found.pages, found.estimates, found.shares, found.sentences) == (1, 1, 2, 1)


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        ({"difference": "0.45"}, "not in the middle"),
        ({"difference": "\u22120.40"}, "not in the middle"),
        ({"p": ".011"}, "p .011 is printed"),
        ({"p": "< .001"}, "is printed"),
        ({"p": "> .99"}, "is printed"),
        ({"df": "2"}, "the others give"),
        ({"share": "24.6%"}, "no share of 574"),
        ({"words": "128 of the 641 staff offered it (21.0%) began."}, "19.97%"),
        ({"words": "A test gave t(28) = 2.20, p = .30."}, r"t\(28\)"),
        ({"words": "It fell (95% CI 0.10 to 0.90, p = .20)."}, "the interval gives p"),
    ],
)
def test_slip_on_a_page_is_found(tmp_path: Path, slip: dict[str, str], message: str) -> None:
    with pytest.raises(SelfCheckFailed, match=message) as error:
        check_pages(write(tmp_path, page(**slip)))
    assert len(error.value.problems) == 1 and error.value.problems[0].startswith("page.html: ")


def test_rounding_is_no_slip(tmp_path: Path) -> None:
    # estimate 0.404, standard error 0.2548, df 98: every figure rounded on its own.
    sound = page(difference="0.40", reach="\u22120.10 to 0.91", p=".12")
    assert check_pages(write(tmp_path, sound)).estimates == 1


def test_resampled_rows_and_quoted_pages_are_left_out(tmp_path: Path) -> None:
    wrong = page(p=".50")
    assert check_pages(write(tmp_path, wrong.replace("<th>Wellbeing</th>", "<th>Wild bootstrap</th>"))).estimates == 0
    write(tmp_path, wrong)
    (tmp_path / "other.html").write_text(page(), encoding="utf-8")
    assert check_pages(tmp_path, quoted=["page.html"]).pages == 1


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelfCheckFailed, match="no page"):
        check_pages(tmp_path)


def test_printed_rows_of_random_estimates_pass() -> None:
    """Whatever the estimator gives must survive rounding: no false alarm over many rows and all kinds of df."""
    from hhp_stats.present.numbers import interval, number, p_value

    rng = np.random.default_rng(5)
    lines = []
    for _ in range(400):
        df = float(rng.choice([4.2, 11.0, 37.6, 158.7, math.inf]))
        made = Estimate(
            estimate=float(rng.normal(0, 1)),
            std_error=float(rng.uniform(0.02, 2)),
            df=df,
            n=9,
            n_clusters=None,
            method="t",
        )
        lines.append(
            [
                "x",
                number(made.estimate),
                interval(made.conf_low, made.conf_high),
                p_value(made.p_value),
                "normal" if df == math.inf else number(df, 0 if df.is_integer() else 1),
            ]
        )
    table = PageTable(headings=["Outcome", "Difference", "95% CI", "p", "df"], rows=lines)
    found = list(table_estimates(table))
    assert len(found) == 400 and not any(found)


def test_whole_report(tmp_path: Path) -> None:
    """Results, flow and pages of a small project; a slip in any of the three stops it."""
    results, pages = tmp_path / ".report/results", tmp_path / "pages"
    (results / "trial").mkdir(parents=True)
    pages.mkdir()
    write_results(result_frame([row()]), results / "results.csv")
    FLOW.to_csv(results / "trial/flow.csv", index=False)
    assert check_report(tmp_path, pages)[1].pages == 0  # a PDF alone
    write(pages, page())
    frame, shown = check_report(tmp_path, pages)
    assert (frame.rows, shown.pages) == (1, 1)
    write(pages, page(p=".50"))
    with pytest.raises(SelfCheckFailed, match=r"page\.html"):
        check_report(tmp_path, pages)
    write(pages, page())
    FLOW.assign(people=FLOW["people"].replace(200, 190)).to_csv(results / "trial/flow.csv", index=False)
    with pytest.raises(SelfCheckFailed, match="190 were randomised"):
        check_report(tmp_path, pages)
    write_results(result_frame([row(p_value=0.5)]), results / "results.csv")
    with pytest.raises(SelfCheckFailed, match="trial/outcome/itt/hc2"):
        check_report(tmp_path, pages)


def test_words_around_shares() -> None:
    assert list(sentence_shares("54 of 674 people (8.0%) and 38 of 641 (5.9%) left.")) == ["", ""]
    assert list(sentence_shares("A response of 29% is printed, but 428 of 1,969 is 21.7%.")) == [""]
    assert list(sentence_shares("In 2020, 12 of 24 weeks had passed.")) == []
    assert list(sentence_tests("No test here.")) == []


def test_share_column() -> None:
    table = PageTable(
        headings=["Taking part", "People", "Of", "Share"],
        rows=[["Started", "128", "641", "20.0%"], ["Done", "10", "641", "2.6%"]],
    )
    assert list(table_shares(table)) == ["", "Done: 10 of 641 is printed as 2.6%"]


def test_reader_sees_what_a_reader_sees() -> None:
    found = read_page(page())
    assert [table.headings[0] for table in found.tables] == ["Outcome", "Arm"]
    assert found.tables[0].rows == [["Wellbeing", "0.40", "\u22120.10 to 0.90", ".11", "98"]]
    assert not any("90%)" in text or "1%)" in text for text in found.paragraphs)


# ---------------------------------------------------------------- numbers that name their result
MARKED = "<html><main><p>It was <span class='result' data-result='trial/outcome/itt/hc2'>{}</span>.</p></main></html>"


@pytest.mark.parametrize(
    "shown", ["0.40", "0.4", "40.0", ".11", "100", "98", "\u22120.10 to 0.90", "<span>0.90</span>", "outcome/itt/hc2"]
)
def test_number_of_its_result_passes(shown: str) -> None:
    rows = {"trial/outcome/itt/hc2": result_frame([row()]).to_dict("records")[0]}
    assert not any(mark_problems(MARKED.format(shown), rows))


@pytest.mark.parametrize(
    "shown",
    ["0.41", "\u22120.40", "41.0", ".12", "< .001", "101", "97", "\u22120.10 to 0.91", "\u22120.20 to 0.90", "> 1,000"],
)
def test_number_of_another_result_is_found(tmp_path: Path, shown: str) -> None:
    with pytest.raises(SelfCheckFailed, match=r"page\.html.*trial/outcome/itt/hc2"):
        check_marks(write(tmp_path, MARKED.format(shown)), result_frame([row()]))


def test_large_degrees_of_freedom_are_printed_as_a_bound(tmp_path: Path) -> None:
    assert check_marks(write(tmp_path, MARKED.format("> 1,000")), result_frame([row(df=1285.0)])) == 1


def test_an_end_without_bound_is_one_of_its_row(tmp_path: Path) -> None:
    open_ended = row(conf_high=math.inf)
    shown = "\u22120.10 to \u221e"
    assert check_marks(write(tmp_path, MARKED.format(shown)), result_frame([open_ended])) == 1
    with pytest.raises(SelfCheckFailed, match="not those of the results they name"):
        check_marks(write(tmp_path, MARKED.format(shown)), result_frame([row()]))
    with pytest.raises(SelfCheckFailed, match="not those of the results they name"):
        check_marks(write(tmp_path, MARKED.format("\u2212\u221e to 0.90")), result_frame([open_ended]))


def test_a_mark_that_nobody_wrote_out_is_found(tmp_path: Path) -> None:
    with recording():
        loose = number(TracedRow({"result_id": "trial/outcome/itt/hc2", "estimate": 0.4})["estimate"])
    with pytest.raises(SelfCheckFailed, match="marks of numbers stand in the text"):
        check_marks(write(tmp_path, MARKED.format("0.40") + loose), result_frame([row()]))


def test_unknown_result_is_found(tmp_path: Path) -> None:
    with pytest.raises(SelfCheckFailed, match="which is no result"):
        check_marks(write(tmp_path, MARKED.format("0.40")), result_frame([row("trial/outcome/itt/other")]))


def test_report_with_a_stale_number_is_refused(tmp_path: Path) -> None:
    """A page kept from an earlier run agrees with itself; only its results know better."""
    results, pages = tmp_path / ".report/results", tmp_path / "pages"
    results.mkdir(parents=True)
    write_results(result_frame([row()]), results / "results.csv")
    pages.mkdir()
    write(pages, page())
    assert check_report(tmp_path, pages)[1].marks == 1
    moved = Estimate(estimate=0.50, std_error=0.25, df=98.0, n=100, n_clusters=None, method="OLS, HC2").row(
        result_id="trial/outcome/itt/hc2",
        population="responders",
        contrast="treatment minus control",
        analysis="planned",
        clause="R01",
        source="",
    )
    write_results(result_frame([moved]), results / "results.csv")
    with pytest.raises(SelfCheckFailed, match="not those of the results they name"):
        check_report(tmp_path, pages)


def test_least_squares_with_plain_intervals_is_never_exempt(root):
    """Of the planned analyses none by least squares, pooled or not, is left out of the recomputation."""
    from hhp_stats.publish.checks.self_check import EXEMPT

    for method in (
        "OLS, CR1 by team, t(G-1)",
        "OLS, CR2 by team, Satterthwaite",
        "OLS, HC2, t(n-k)",
        "OLS, classical, t(n-k)",
        "OLS, CR1 by team, t(G-1); 100 imputations, Rubin's rules, Barnard-Rubin df",
    ):
        assert [words for words in EXEMPT if words in method] == []


@pytest.mark.parametrize(
    ("coefficient", "checked"), [("Cronbach’s alpha", 0), ("Spearman-Brown", 0), ("Difference", 1)]
)
def test_the_interval_of_a_scales_coefficient_need_not_have_it_in_the_middle(coefficient: str, checked: int) -> None:
    table = PageTable(
        headings=["Scale", "Coefficient", "Estimate", "95% CI"],
        rows=[["All six items", coefficient, "−3.23", "−3.81 to −2.70"]],
    )
    assert len([found for found in table_estimates(table) if found]) == checked
