"""Words of the goal-setting chapter that say which of two things is the case: each is turned by the number it rests
on.
"""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hhp_stats.errors import HhpError
from hhp_stats.present import figures
from hhp_stats.present.embed import embed
from hhp_stats.present.flow import flow_diagram, flow_in_words
from hhp_stats.present.goal_setting import SENTENCES, TABLES
from hhp_stats.present.style import CONTROL, PHONE, TREATMENT, WIDTH


def with_rows(report, **changes):
    """The report with fields of rows changed; keys are result ids without the study, `/` written `__` and `-` written
    `_0`.
    """
    frame = report.output.results.copy()
    for key, fields in changes.items():
        result_id = f"goal_setting/{key.replace('__', '/').replace('_0', '-')}"
        assert (frame["result_id"] == result_id).sum() == 1, result_id
        for name, value in ({"status": "estimated"} | fields).items():
            frame.loc[frame["result_id"] == result_id, name] = value
    return replace(report, output=replace(report.output, results=frame))


def with_table(report, name, change):
    table = report.output.tables[name].copy()
    return replace(report, output=replace(report.output, tables={**report.output.tables, name: change(table)}))


def interval(estimate, half=0.5, p=0.4):
    return {
        "estimate": estimate,
        "conf_low": estimate - half,
        "conf_high": estimate + half,
        "p_value": p,
        "std_error": half / 2,
    }


@pytest.mark.parametrize(
    ("estimate", "words"), [(0.69, "below the 0.70 asked for"), (0.71, "above the 0.70 asked for")]
)
def test_reliability(goal_setting_report, estimate, words):
    report = with_table(
        goal_setting_report, "reliability", lambda table: table.assign(estimate=estimate, conf_low=0.5, conf_high=0.9)
    )
    said = SENTENCES["pressure_reliability"](report)
    assert words in said and ("with reserve" in said) == ("below" in words)


@pytest.mark.parametrize(("shift", "word"), [(-0.8, "lower"), (0.8, "higher")])
def test_tipping(goal_setting_report, shift, word):
    report = goal_setting_report
    for side in ("low", "high"):
        report = with_rows(report, **{f"wellbeing__tipping__control_0{side}": {"estimate": shift}})
    said, table = SENTENCES["tipping"](report), TABLES["tipping"](report)._tbl_data.set_index("Outcome")
    assert f"if non-respondents in the control group alone scored 0.80 standard deviations {word} than imputed" in said
    other = {"lower": "higher", "higher": "lower"}[word]
    assert table.loc["Subjective wellbeing", f"Control, {word}"] == "0.80"
    assert table.loc["Subjective wellbeing", f"Control, {other}"].startswith("more than ")


@pytest.mark.parametrize(
    ("estimate", "word"), [(1.2, "1.2 more days of absence than"), (-1.2, "1.2 fewer days of absence than")]
)
def test_baselines(goal_setting_report, estimate, word):
    frame = goal_setting_report.output.results
    row = frame.loc[frame["result_id"] == "goal_setting/sickness_absence/itt/cr1"].assign(
        result_id="goal_setting/balance/baseline_absence/all",
        outcome="balance",
        estimand="baseline_absence",
        **interval(estimate),
    )
    frame = pd.concat(
        [frame.loc[frame["result_id"] != "goal_setting/balance/baseline_absence/all"], row], ignore_index=True
    )
    report = replace(goal_setting_report, output=replace(goal_setting_report.output, results=frame))
    assert word in SENTENCES["baseline_handling"](report)


@pytest.mark.parametrize(("high", "low", "word"), [(0.6, 0.4, "more"), (0.4, 0.6, "less"), (0.5, 0.5, "just as")])
def test_answering_by_wellbeing(goal_setting_report, high, low, word):
    share = {"Lowest third": low, "Highest third": high}
    report = with_table(
        goal_setting_report,
        "attrition_wellbeing",
        lambda table: table.assign(people=50, answered=table["level"].map(share).fillna(0.3)),
    )
    said = SENTENCES["attrition_wellbeing"](report)
    assert said.startswith(
        f"Of those in the highest third of wellbeing at the start, {high:.0%} answered at the end; of the lowest third,"
        f" {low:.0%}"
    )
    assert f"Those who felt better were {word} likely" in said


@pytest.mark.parametrize(
    ("estimate", "low", "high", "words"),
    [
        (1.6, 1.1, 2.0, ("saved \u00a31.60", "The second interval excludes")),
        (1.6, 0.5, 2.0, ("saved \u00a31.60", "Both intervals include")),
        (0.6, 0.1, 0.9, ("saved \u00a30.60", "The second interval excludes")),
        (-0.4, -1.0, 0.5, ("went with a further loss of \u00a30.40", "excludes")),
    ],
)
def test_ratio_is_held_against_breaking_even(goal_setting_report, estimate, low, high, words):
    key = "benefit_cost__ratio__programme_030"
    point = {"estimate": estimate, "conf_low": -3.0, "conf_high": 5.0}
    report = with_rows(
        goal_setting_report,
        **{key: point, f"{key}_0bootstrap": {"estimate": estimate, "conf_low": low, "conf_high": high}},
    )
    said = SENTENCES["ratio"](report)
    for word in words:
        assert word in said


def test_intervals_of_the_ratio_stand_under_their_method(goal_setting_report):
    report = goal_setting_report
    for scenario in report.plan.cost_benefit.scenarios:
        key = f"benefit_cost__ratio__{scenario.key.replace('-', '_0')}"
        report = with_rows(
            report,
            **{
                key: {"estimate": 2.0, "conf_low": 1.0, "conf_high": 3.0},
                f"{key}_0bootstrap": {"estimate": 2.0, "conf_low": 0.5, "conf_high": 4.0},
                f"{key}_0fieller": {"estimate": 2.0, "conf_low": 0.25, "conf_high": 8.0},
            },
        )
    table = TABLES["cost_benefit"](report)._tbl_data
    assert set(table["Protocol\u2019s formula"]) == {"1.00 to 3.00"}
    assert set(table["Joint bootstrap"]) == {"0.50 to 4.00"}
    assert set(table["Fieller"]) == {"0.25 to 8.00"}


def test_what_is_saved_is_added_up(goal_setting_report):
    report = with_table(
        goal_setting_report,
        "cost_parts",
        lambda table: table.assign(absence=100.0, turnover=-30.0, cost=45.0, days=0.4),
    )
    table = TABLES["cost_parts"](report)._tbl_data
    assert table[["Absence", "Turnover", "Together", "Days", "\u00a3"]].iloc[0].tolist() == [
        "100",
        "\u221230",
        "70",
        "0.40",
        "45",
    ]


def test_only_p_values_below_a_twentieth_count(goal_setting_report):
    from hhp_stats.studies.goal_setting_terms import FAMILY

    def keyed(key):
        return key.replace("/", "__").replace("-", "_0")

    p_values = dict(zip(FAMILY, (0.01, 0.049, 0.06, 0.09, 0.2, 0.3), strict=True))
    rows = {
        keyed(key): {
            "p_value": p,
            "p_adjusted": 0.04 if p < 0.02 else 0.06,
            "estimate": 0.1,
            "conf_low": 0.0,
            "conf_high": 0.2,
        }
        for key, p in p_values.items()
    }
    said = SENTENCES["multiplicity"](with_rows(goal_setting_report, **rows))
    assert said.startswith("Two of the six outcomes have an unadjusted p-value below .05")
    assert "sickness absence remains" in said


def test_likeness_of_teammates(goal_setting_report):
    report = with_rows(
        goal_setting_report, sickness_absence__icc__reml={"estimate": 0.123, "conf_low": 0.045, "conf_high": 0.234}
    )
    assert "is 0.123 (95% CI 0.045 to 0.234)" in SENTENCES["icc"](report)


def test_sites_show_each_wave_under_its_name(goal_setting_report):
    table = TABLES["sites"](goal_setting_report)._tbl_data
    for wave, day in {
        "Baseline": "1\u00a0May\u00a02019",
        "Interim": "2\u00a0Oct\u00a02019",
        "Endline": "3\u00a0Feb\u00a02020",
    }.items():
        assert set(table[wave]) == {day}
    site = min(goal_setting_report.plan.sites, key=lambda site: site.launch)
    assert table.iloc[0, 1].startswith(f"{site.launch.day}\u00a0{site.launch:%b}")


def test_balance_tests_stand_with_their_population(goal_setting_report):
    tests = {"randomised": 0.11, "analysed": 0.22, "respondents": 0.33}
    report = with_rows(
        goal_setting_report, **{f"balance__omnibus__{name}": {"p_value": p} for name, p in tests.items()}
    )
    note = " ".join(TABLES["balance_differences"](report)._source_notes)
    for name, p in (("randomised", ".11"), ("absence known", ".22"), ("wellbeing known", ".33")):
        part = next(part for part in note.partition("draws of its teams ")[2].split(";") if name in part.lower())
        assert f"p = {p}" in part
    said = SENTENCES["balance_analysed"](report)
    assert "(p = .22 and p = .33)" in said


# ---------------------------------------------------------------- drawings
def test_bars_have_the_colour_and_the_heights_of_their_arm():
    table = pd.DataFrame(
        [
            {"arm": arm, "bin": label, "share": share}
            for arm, shares in {"control": (0.1, 0.2), "treatment": (0.3, 0.4)}.items()
            for label, share in zip(("0", "1"), shares, strict=True)
        ]
    )
    figure = figures.distribution(table, unit="days", arm_labels={"control": "Control", "treatment": "Goal-setting"})
    axes = figure.axes[0]
    found = {
        bars.get_label(): ([bar.get_height() for bar in bars], to_hex(bars[0].get_facecolor()))
        for bars in axes.containers
    }
    assert found == {"Control": ([10, 20], to_hex(CONTROL)), "Goal-setting": ([30, 40], to_hex(TREATMENT))}
    control, treated = ([bar.get_x() for bar in bars] for bars in axes.containers)
    assert all(one < other for one, other in zip(control, treated, strict=True))
    plt.close(figure)


def test_every_interval_lies_inside_the_frame_of_a_forest_plot():
    rows = pd.DataFrame(
        [
            {"result_id": f"a/b/c/{n}", "status": "estimated", "estimate": middle, "conf_low": low, "conf_high": high}
            for n, (middle, low, high) in enumerate([(1.0, 0.5, 4.0), (-2.0, -6.0, 0.2), (0.3, -np.inf, np.inf)])
        ]
    )
    figure = figures.forest(rows, labels=["one", "two", "three"], unit="days", planned="a/b/c/0")
    left, right = figure.axes[0].get_xlim()
    assert left < -6 and right > 4
    lines = [line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert any(np.allclose(line, (0.5, 4.0)) for line in lines) and any(
        np.allclose(line, (-6.0, 0.2)) for line in lines
    )
    plt.close(figure)


@pytest.mark.parametrize("width", [PHONE, WIDTH])
def test_each_column_of_the_flow_diagram_shows_its_arm(goal_setting_report, width):
    flow = goal_setting_report.output.tables["flow"].copy()
    counts = {"all": 999, "control": 333, "treatment": 444}
    for arm, people in counts.items():
        flow.loc[flow["arm"] == arm, "people"] = people
    figure = flow_diagram(flow, width=width)
    order = [arm for arm in dict.fromkeys(flow["arm"]) if arm != "all"]
    middle = figure.axes[0].get_xlim()[1] / 2
    for text in figure.axes[0].texts:
        words, (x, _) = text.get_text(), text.get_position()
        arm = "all" if x == middle else order[0] if x < middle else order[1]
        if any(str(count) in words for count in counts.values()):
            assert str(counts[arm]) in words, (arm, words)
    assert sum(str(counts[order[0]]) in text.get_text() for text in figure.axes[0].texts) > 4
    plt.close(figure)
    heads = {arm: flow.loc[(flow["arm"] == arm) & (flow["kind"] == "stage"), "label"].iloc[0] for arm in order}
    said = flow_in_words(flow)
    for arm, head in heads.items():
        assert f"{head}: " in said and str(counts[arm]) in said[said.index(f"{head}: ") :][: len(head) + 30]


@pytest.mark.parametrize(
    ("conclusion", "alt", "caption"),
    [("", "a", "a"), ("a", "", "words"), ("a", "  ", "words"), ("a", "words", ""), (" ", "words", "words")],
)
def test_a_figure_without_words_is_refused(tmp_path, conclusion, alt, caption):
    with pytest.raises(HhpError, match="conclusion, an alternative text and a caption"):
        embed(
            lambda width: plt.subplots(figsize=(width, 1))[0],
            root=tmp_path,
            document="report/one.qmd",
            label="one",
            conclusion=conclusion,
            alt=alt,
            caption=caption,
        )
