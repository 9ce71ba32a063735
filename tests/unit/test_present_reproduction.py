"""Published against ours as appendix D prints it: counts add up, matches can be judged, sentences follow the ledger."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from hhp_stats.consistency.ledger import COLUMNS
from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.present import reproduction
from hhp_stats.present.published_names import group_in_words, in_the_style_of, outcome_in_words, published_names
from hhp_stats.present.reproduction import Reproduction

ROWS = (
    ("BEN-SWB-T-M", "beneficiaries", "mean", ".07", 0.0742, "", "reproduced", "", ""),
    ("BEN-SWB-P", "beneficiaries", "p", ".44", 0.4403, "", "reproduced", "", ""),
    ("DIVJ-ME-P", "diversity_joint", "p", "<0.01", 1e-9, "", "reproduced", "", ""),
    ("DIVB-B-SE", "diversity_blinding", "se", "2.45", 2.4513, "", "other_reading", "C09", "a standard deviation"),
    ("BEN-PSW-P", "beneficiaries", "p", ".05", 0.5715, "", "not_reproduced", "C01", ""),
    ("BEN-PSW-DIR", "beneficiaries", "stated_direction", "increase", float("nan"), "down", "not_reproduced", "C01", ""),
    ("SWI-RR", "swing", "response_rate", "23%", 23.26, "", "reproduced", "", ""),
    ("CTX-ABS", "context", "percent", "2.9%", float("nan"), "", "not_compared", "", "from another survey"),
)


@pytest.fixture
def report(root) -> Reproduction:
    frame = pd.DataFrame(
        [
            dict.fromkeys(COLUMNS, "")
            | {
                "id": i,
                "trial": t,
                "outcome": "some_outcome",
                "statistic": s,
                "as_printed": p,
                "value": 0.0,
                "ours": o,
                "said": said,
                "standing": standing,
                "conflict": c,
                "reason": why,
            }
            for i, t, s, p, o, said, standing, c, why in ROWS
        ],
        columns=list(COLUMNS),
    )
    return Reproduction(root=root, ledger=frame)


def cells(table) -> list[list[str]]:
    html = re.sub(r"<style.*?</style>", "", table.as_raw_html(), flags=re.S)
    return [
        [
            re.sub(r"<[^>]+>", "", cell).replace("&lt;", "<").strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.S)
        ]
        for row in re.findall(r"<tr.*?</tr>", html, flags=re.S)
    ]


def test_share_has_its_denominator(report):
    words = report.say("share")
    assert words.startswith(
        "Of 8 figures and claims in the list of published results, we can compare 7 with a number that we compute."
    )
    assert "Of these, 4 (57%) match; 1 more" in words and "2 do not match, each for a reason" in words
    assert words.endswith("For the other 1 there is nothing to compare.")


def test_a_miss_without_a_conflict_is_not_called_explained(report):
    report.ledger.loc[4, "conflict"] = ""
    assert "1 of them for no other reason than that the data are not those" in report.say("share")
    assert any("The data differ" in row for row in cells(report.table("missed")))


def test_our_figures_have_a_digit_more_than_printed(report):
    shown = {row[0]: row[3] for row in cells(report.table("figures/beneficiaries")) if row[0].startswith("BEN")}
    assert shown == {"BEN-SWB-T-M": "0.074", "BEN-SWB-P": ".440", "BEN-PSW-P": ".572", "BEN-PSW-DIR": "down"}
    assert cells(report.table("figures/diversity_joint"))[-1][3] == "< .001"
    assert cells(report.table("figures/swing"))[-1][3:] == ["23.3%", "yes"]


@pytest.mark.parametrize(
    ("printed", "value", "statistic", "shown"),
    [
        ("37%", 35.507, "response_rate", "35.5%"),
        (".63", 0.5171, "p", ".517"),
        ("<0.01", 0.0000004, "p", "< .001"),
        ("3030", 3030.0, "n", "3,030"),
        ("0.22", 0.4033, "mdes", "0.403"),
        ("\u2212.05", -0.0539, "mean", "\u22120.054"),
        ("41", float("nan"), "n", "\u2014"),
    ],
)
def test_our_number_is_written_as_the_printed_one(printed, value, statistic, shown):
    assert in_the_style_of(printed, value, statistic=statistic) == shown


def test_codes_of_groups_and_outcomes_are_words(root):
    names = published_names(root)
    assert group_in_words(names, "difference_me_joint_vs_sep") == "minority ethnic names joint against separate"
    assert group_in_words(names, "all") == "all" and group_in_words(names, "joint_wb") == "joint White British names"
    assert outcome_in_words(names, "progression_rate") == "Share shortlisted"
    assert outcome_in_words(names, "scheduled_time") == "Scheduled time"


def test_counts_add_up_by_study_and_kind(report):
    last = cells(report.table("by_study"))[-2]
    assert last == ["All", "8", "7", "4", "1", "2", "57%"]
    kinds = [row for row in cells(report.table("by_kind"))[1:-1] if len(row) == 7]
    assert sum(int(row[2]) for row in kinds) == 7


def test_reason_and_reading_stand_beside_each_miss(report):
    missed = {row[0]: row[-1] for row in cells(report.table("missed")) if len(row) == 5}
    assert "(C01)" in missed["BEN-PSW-P"] and missed["DIVB-B-SE"].endswith("(C09); read as a standard deviation")
    assert any("CTX-ABS" in row for row in cells(report.table("without")))


def test_unknown_names_and_missing_results_are_refused(report, tmp_path):
    for name in ("nothing", "figures/letters"):
        with pytest.raises(UnknownName):
            report.table(name)
    with pytest.raises(UnknownName):
        report.say("nothing")
    (tmp_path / "data").symlink_to(report.root / "data")
    with pytest.raises(HhpError, match="not ready"):
        reproduction.chapter(root=tmp_path)


def test_the_figure_counts_what_the_table_counts(report: Reproduction) -> None:
    drawn = report.figure()
    assert drawn.alt.startswith("4 of 7 published figures that can be compared match (57%). Bars of")
    for said in ("Beneficiaries: 2 of 4", "SWING: 1 of 1", "Beneficiaries: 2 not at all", ": 1 if read otherwise"):
        assert said in drawn.alt
    assert "Context" not in drawn.alt  # nothing of it can be compared
    assert drawn.caption.startswith("4 of 7 published figures") and "made so" in drawn.caption
