"""What chapters 3 and 4 say beside what every field trial has, on made-up rows; two tables of other chapters by
hand.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from made_trials import made, report_of

from hhp_stats.present import programme
from hhp_stats.present.appendices import Appendix
from hhp_stats.present.field_trials.phase_one import (
    buildings,
    chance,
    clustering,
    detectable,
    detectable_clustered,
    drawn,
    few_clusters,
)
from hhp_stats.present.goal_setting import balance, randomisation
from hhp_stats.present.numbers import number
from hhp_stats.present.style import WIDTH
from hhp_stats.results.frame import result_frame

CLUSTERS = pd.DataFrame(
    {
        "cluster": [f"Building {n:02}" for n in range(1, 6)],
        "arm": ["treatment", "treatment", "control", "control", "control"],
        "people": [11, 22, 33, 44, 55],
        "responded": [1, 2, 30, 40, 50],
    }
)


@pytest.fixture(scope="module")
def wellbeing(root):
    return report_of(root, "coffee", {}).measured[0].id


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_difference_is_named_whichever_its_sign(root, sign):
    for study in ("letters", "coffee"):
        names = [outcome.id for outcome in report_of(root, study, {}).measured]
        effects = {name: (0.01 * place, 0.5, 0.5, 1.0) for place, name in enumerate(names, start=1)} | {
            names[0]: (0.3 * sign, 0.5, 0.23, 1.0)
        }
        report = report_of(root, study, effects)
        assert (
            f"in {report.outcome(names[0]).label.lower()}, is {number(0.3 * sign)} standard deviations (p = .23)"
            in chance(report)
        )


def test_buildings_are_counted_by_arm(root):
    assert (
        drawn(report_of(root, "coffee", {}, clusters=CLUSTERS))
        == "In all, 5 buildings with 11 to 55 social workers were randomly assigned, 2 to coffee and tea and 3 to carry on"
        " as usual."
    )


def test_buildings_stand_with_their_arm_and_response(root):
    report = report_of(root, "coffee", {}, clusters=CLUSTERS)
    table = buildings(report)._tbl_data
    labels = {arm.id: arm.label for arm in report.plan.arms}
    assert table["Building"].tolist() == ["01", "02", "03", "04", "05"] and table["Social workers"].tolist() == [
        "11",
        "22",
        "33",
        "44",
        "55",
    ]
    assert table["Arm"].tolist() == [labels[arm] for arm in CLUSTERS["arm"]]
    assert table["Answered"].tolist() == ["1 (9%)", "2 (9%)", "30 (91%)", "40 (91%)", "50 (91%)"]


def test_each_way_with_few_clusters_has_its_p_value(root, wellbeing):
    ways = {
        "cr2": 0.11,
        "cr1": 0.22,
        "wild-webb": 0.33,
        "randomisation": 0.44,
        "building-means": 0.55,
        "people-hc2": 0.66,
    }
    rows = [
        made("coffee", f"{wellbeing}/itt/{key}", 0.1, p=p, half=0.2 if key == "cr2" else 0.1) for key, p in ways.items()
    ]
    known = report_of(root, "coffee", {}).output.results["result_id"]
    report = report_of(root, "coffee", {})
    frame = report.output.results[~known.isin([row.result_id for row in rows])]
    report = replace(
        report, output=replace(report.output, results=pd.concat([frame, result_frame(rows)], ignore_index=True))
    )
    said = few_clusters(report, wellbeing)
    assert (
        ".11 by CR2 with Satterthwaite's degrees of freedom, .22 by CR1, .33 by the wild bootstrap, .44 by"
        " randomisation inference" in said
    )
    assert ".55 by the buildings' means; it would be .66 if buildings were ignored" in said
    assert "standard error is 0.10 with buildings and 0.05 without" in said


def test_what_all_would_have_found_and_what_those_who_answered_find(root, wellbeing):
    rows = [
        made("letters", "power/mde_recruited/formula", 0.11, n=111),
        made("letters", "power/mde_achieved/formula", 0.22, n=222),
    ]
    said = detectable(report_of(root, "letters", {}, *rows))
    assert re.search(
        r"If all 111 people had answered, .* effect of 0\.11 .* with the 222 who answered .* one of 0\.22\.", said
    )
    rows = [
        made("coffee", f"{wellbeing}/mde_recruited/clustered", 0.33),
        made("coffee", f"{wellbeing}/mde_achieved/clustered", 0.44),
        made("coffee", "power/mde_achieved/formula", 0.22),
    ]
    said = detectable_clustered(report_of(root, "coffee", {}, *rows), wellbeing)
    assert re.search(r"detects an effect of 0\.44 .* one of 0\.33 if everyone answers\. .* could detect 0\.22\.", said)


@pytest.mark.parametrize("conf_level", [0.9, 0.95])
def test_likeness_and_reach_of_every_outcome(root, conf_level):
    report = report_of(root, "coffee", {})
    rows = []
    for place, outcome in enumerate(report.measured, start=1):
        rows += [
            made("coffee", f"{outcome.id}/icc/anova", 0.1 * place, half=0.01),
            made("coffee", f"{outcome.id}/mde_recruited/clustered", place + 0.1),
            made("coffee", f"{outcome.id}/mde_achieved/clustered", place + 0.2),
        ]
    report = report_of(root, "coffee", {}, *rows)
    report = replace(report, plan=replace(report.plan, conf_level=conf_level))
    table = clustering(report)._tbl_data
    for place, row in enumerate(table.to_dict("records"), start=1):
        assert row["Outcome"] == report.measured[place - 1].label and row["Intraclass correlation"] == number(
            0.1 * place, 3
        )
        assert row[f"{100 * conf_level:g}% CI"] == f"{number(0.1 * place - 0.01)} to {number(0.1 * place + 0.01)}"
        assert (row["Detectable if all answer"], row["Detectable as answered"]) == (
            number(place + 0.1),
            number(place + 0.2),
        )


# ---------------------------------------------------------------- tables of other chapters
def test_every_raw_file_stands_with_its_rows_and_bytes(root):
    inputs = pd.DataFrame(
        {
            "path": ["b.csv", "a.csv", "a.csv"],
            "rows": [33, 11, 11],
            "bytes": [4444, 2222, 2222],
            "sha256": ["b" * 64, "a" * 64, "a" * 64],
        }
    )
    report = SimpleNamespace(tables={"inputs": inputs})
    table = Appendix(root=root, outputs={"one": report}, protocol="").inputs()._tbl_data
    assert table.to_dict("records") == [
        {"File": "a.csv", "Rows": "11", "Bytes": "2,222", "SHA-256 (first 16)": "a" * 16},
        {"File": "b.csv", "Rows": "33", "Bytes": "4,444", "SHA-256 (first 16)": "b" * 16},
    ]


def test_the_waves_of_the_survey_stand_in_their_order(root):
    """Printed: 21.34 and 77.98 in the first wave, 20.44 and 75.59 in the second."""
    table = programme.survey(programme.chapter(root=root))._tbl_data
    assert [cell[:5] for cell in table["First wave"]] == ["21.34", "77.98"]
    assert [cell[:5] for cell in table["Second wave"]] == ["20.44", "75.59"]
    assert table["Change"].tolist() == ["\u22120.90", "\u22122.39"]


@pytest.mark.parametrize(
    ("absence", "wellbeing", "words"),
    [
        (0.05, 0.05, "were also well balanced"),
        (0.0499, 0.05, "Among those whose absence is known the arms differ"),
        (0.05, 0.0499, "Among those who answered about wellbeing the arms differ"),
        (0.01, 0.02, "Among both those whose absence is known and those who answered about wellbeing the arms differ"),
    ],
)
def test_who_is_still_alike(absence, wellbeing, words):
    rows = {
        "balance/omnibus/analysed": {"p_value": absence, "status": "descriptive"},
        "balance/omnibus/respondents": {"p_value": wellbeing, "status": "descriptive"},
    }
    report = SimpleNamespace(row=rows.__getitem__, plan=SimpleNamespace(conf_level=0.95))
    assert words in balance.balance_analysed(report)
    # One that could not be tested is told apart from one that differs by chance alone.
    rows["balance/omnibus/analysed"] |= {"status": "not_estimated", "note": "NoObservations: nobody is there"}
    assert balance.balance_analysed(report).startswith(
        "Whether the arms still are alike among those whose absence is known could not be tested. Nobody is there."
    )


def test_the_band_of_chance_holds_nineteen_points_of_twenty(goal_setting_report, monkeypatch):
    """400 draws with a chance of one half: 1.96 times sqrt(.25/400) is .049 to either side."""
    bands = []
    monkeypatch.setattr(randomisation, "_strip", lambda table, names, reach, **_: bands.append(reach))
    monkeypatch.setattr(randomisation, "embed", lambda draw, *, caption, **_: (draw(WIDTH), caption)[1])
    tables = goal_setting_report.output.tables
    changed = {**tables, "assignment": tables["assignment"].assign(draws=400, beyond_chance=7)}
    said = randomisation.assignment_map(
        replace(goal_setting_report, output=replace(goal_setting_report.output, tables=changed))
    )
    assert bands == [pytest.approx(0.049, abs=5e-6)]  # 1.95996 rounded to two digits
    assert "95% of the points" in said and "in 400 simulated randomisations" in said and "7 of" in said
