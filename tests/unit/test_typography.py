"""Printed numbers are read however they are typeset, by the audit and by the check of the rendered pages."""

from __future__ import annotations

import math

import pytest

from hhp_stats.consistency.command import run_audit
from hhp_stats.consistency.printed import printed_figure
from hhp_stats.consistency.statcheck import find_tests
from hhp_stats.consistency.typography import plain
from hhp_stats.infer.pooling import FARTHEST
from hhp_stats.publish.checks.page_check import FEWEST, sentence_shares, sentence_tests, table_estimates, table_shares
from hhp_stats.publish.checks.page_text import PageTable
from hhp_stats.tails import student_quantile, student_tail


@pytest.mark.parametrize(
    ("typeset", "read"),
    [
        ("\u22120.5", "-0.5"),
        ("\u20110.5", "-0.5"),
        ("\u20130.5", "-0.5"),
        ("(\u2212\u2009.5)", "(-.5)"),
        ("\u2212\u221e", "-\u221e"),
        ("p\u2009\u2264\u2009.05", "p <= .05"),
        ("p\u2265.05", "p >= .05"),
        ("\U0001d45d = .03", "p = .03"),
        ("95\u00a0% CI", "95% CI"),
        ("1\u2009234 people", "1,234 people"),
        ("0\u00b705", "0.05"),
        ("\uff10.5", "0.5"),
        ("pages 3\u20135", "pages 3\u20135"),
        ("well\u2010being", "well-being"),
        ("10\u00b2", "10\u00b2"),
        ("a \u2013 b", "a \u2013 b"),
        ("2019 120 people", "2019 120 people"),
    ],
)
def test_numbers_are_read_as_typeset(typeset, read):
    assert plain(typeset) == read


# One true and one false statement, in every spelling: an estimate of 0.40 with standard error 0.255 on many df.
INTERVALS = (
    "95% CI {a} to {b}",
    "95 % CI {a} to {b}",
    "95%\u00a0CI [{a}; {b}]",
    "95% CI ({a}, {b})",
    "95% CI: {a} \u2013 {b}",
    "95% CI, {a}\u2009to\u2009{b}",
    "95% confidence interval {a} to {b}",
    "95% CI = [{a}, {b}]",
)
P_VALUES = (
    "p = {p}",
    "p={p}",
    "P = {p}",
    "P={p}",
    "p\u2009=\u2009{p}",
    "p-value = {p}",
    "\U0001d45d = {p}",
    "(p = {p}",
)
MINUS = ("-", "\u2212", "\u2011", "\u2013")


@pytest.mark.parametrize("form", INTERVALS)
@pytest.mark.parametrize("p_form", P_VALUES)
@pytest.mark.parametrize("minus", MINUS)
def test_every_spelling_of_interval_and_p_is_checked(form, p_form, minus):
    reach = form.format(a=f"{minus}0.10", b="0.90")
    for p, sound in ((".12", True), ("0.12", True), (".03", False), ("0.03", False)):
        found = list(sentence_tests(f"It rose ({reach}, {p_form.format(p=p)})."))
        assert len(found) == 1 and (found[0] == "") == sound, (reach, p_form, p, found)


@pytest.mark.parametrize(
    ("words", "sound"),
    [
        ("p \u2264 .05", False),
        ("p<.05", False),
        ("p \u2265 .05", True),
        ("P > 0.05", True),
        ("p > .99", False),
        ("p\u2265.9", False),
    ],
)
def test_bounds_of_p_are_checked(words, sound):
    (found,) = sentence_tests(f"It rose (95% CI \u22120.10 to 0.90, {words}).")
    assert (found == "") == sound


def test_few_degrees_of_freedom_are_no_contradiction():
    assert list(sentence_tests("It rose (95% CI \u22121.84 to 2.31, p = .73).")) == [""]  # 2.7 df
    # At every df whose interval has ends the three figures agree.
    for df in (FEWEST, 0.3, 0.9, 2.7, 30.0):
        error = 2.0 / float(student_quantile(0.975, df))
        p = 2 * float(student_tail(0.24 / error, df))
        assert list(sentence_tests(f"It rose (95% CI -1.76 to 2.24, p = {p:.3f}).")) == [""], df
    assert float(student_quantile(0.975, FEWEST)) > FARTHEST


@pytest.mark.parametrize(
    ("heading", "p_heading", "reach", "p", "sound"),
    [
        ("95 % CI", "P", "[\u20110.10; 0.90]", "0.12", True),
        ("95% CI", "p-value", "(\u22120.10, 0.90)", "p = .12", True),
        ("95% CI", "p", "\u22120.10\u2009to\u20090.90", "\u2264 .05", False),
        ("95% confidence interval", "p", "\u22120.10 \u2013 0.90", "= .03", False),
    ],
)
def test_tables_are_read_as_typeset(heading, p_heading, reach, p, sound):
    table = PageTable(headings=["Outcome", "Difference", heading, p_heading], rows=[["x", "0.40", reach, p]])
    (found,) = table_estimates(table)
    assert (found == "") == sound


@pytest.mark.parametrize("cell", ["130 (22.6 %)", "130\u00a0[22.6%]", "130 (22.6\u2009%)"])
def test_shares_are_read_as_typeset(cell):
    rows = [["Treated", "574", cell]]
    assert list(table_shares(PageTable(headings=["Arm", "All", "Answered"], rows=rows))) == [""]
    rows[0][2] = cell.replace("22.6", "24.6")
    assert all(table_shares(PageTable(headings=["Arm", "All", "Answered"], rows=rows)))
    assert list(sentence_shares("1\u2009283 of the 6\u2009411 staff (20.0 %)")) == [""]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("t(28) = \u22122.20, p = .04", "consistent"),
        ("t(28) = \u22122.20, P\u2009\u2264\u2009.05", "consistent"),
        ("t(28)=2.20, p<.05", "consistent"),
        ("t(28) = 2.20, p \u2265 .05", "decision_error"),
        ("t(28) = 2.20, p\u2009=\u20090.20", "decision_error"),
        ("t(28) = 2.20; p-value = .04", "consistent"),
    ],
)
def test_tests_in_running_text_are_read_as_typeset(text, outcome):
    (found,) = find_tests(text)
    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("\u2264 .05", 0.05, -math.inf, 0.05),
        ("p \u2265 .10", 0.10, 0.10, math.inf),
        ("> .05", 0.05, 0.05, math.inf),
        ("\u22120.5", -0.5, -0.55, -0.45),
        ("0\u00b705", 0.05, 0.045, 0.055),
        ("1\u2009234", 1234, 1233.5, 1234.5),
    ],
)
def test_a_printed_figure_is_read_as_typeset(text, value, low, high):
    found = printed_figure(value=value, text=text)
    assert (found.low, found.high) == pytest.approx((low, high)) and not found.in_words
    assert found.agrees(value, value) == (text != "> .05")


def test_the_audit_takes_a_minus_as_typesetters_write_it(tmp_path):
    head = "id,trial,outcome,research_question,group,statistic,value,unit,as_printed,source_file,source_line,note"
    rows = [
        ("D", "difference", "\u22120.40", "\u22120.40"),
        ("L", "conf_low", "\u20110.90", "\u20110.90"),
        ("H", "conf_high", "0.10", "0.10"),
        ("P", "p", "0.12", "\u2264 .12"),
    ]
    file = tmp_path / "figures.csv"
    lines = [f"{key},t,o,,difference,{what},{value},points,{text},,," for key, what, value, text in rows]
    file.write_text("\n".join([head, *lines]), encoding="utf-8")
    report = run_audit(tmp_path, file)
    assert report.exit_status == 0
    assert set(report.verdicts.set_index("id").loc[["D", "L", "H", "P"], "verdict"]) <= {"reproduces", "not_checkable"}
    assert not [remark for remark in report.remarks if remark.code == "B13"]
