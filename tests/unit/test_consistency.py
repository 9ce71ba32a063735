"""Recomputation of printed figures: tokens, granularity, test statistics in text, readings, relations, wording,
audit.
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from hhp_stats.consistency.audit import audit, audit_checks
from hhp_stats.consistency.comparisons import READINGS, find_comparisons, readings_for, recompute
from hhp_stats.consistency.figures import COLUMNS, figures, ids_in
from hhp_stats.consistency.granularity import Scale, grim, grimmer, sd_limits
from hhp_stats.consistency.printed import beginning, printed_figure
from hhp_stats.consistency.relations import missing_relations, recompute_detectable_effects, recompute_relations
from hhp_stats.consistency.statcheck import find_tests, p_from_statistic
from hhp_stats.consistency.verdict import Check, in_figures
from hhp_stats.errors import InvalidInput, UnknownName


@pytest.mark.parametrize(
    ("value", "text", "low", "high"),
    [
        (0.07, ".07", 0.065, 0.075),
        (-0.05, "-.05", -0.055, -0.045),
        (1969, "1,969", 1968.5, 1969.5),
        (29, "29%", 28.5, 29.5),
        (1146, "£1,146", 1145.5, 1146.5),
        (0.01, "<0.01", -math.inf, 0.01),
        (2, "Fewer than 2%", -math.inf, 2),
        (2800, "over 2800", 2800, math.inf),
        (25, "at least 25", 25, math.inf),
        (5, "no more than 5 applicants", -math.inf, 5),
        (3.6, "3.6 p.p. over baseline", 3.55, 3.65),
        (66.7, "Two thirds", 66.7, 66.7),
        (50, "just over half", 50, math.inf),
    ],
)
def test_printed_tokens(value, text, low, high):
    got = printed_figure(value=value, text=text)
    assert (got.low, got.high) == pytest.approx((low, high))
    assert got.in_words == (not any(c.isdigit() for c in text))


def test_bounds_are_met_strictly_unless_they_say_otherwise():
    assert not printed_figure(value=0.01, text="<0.01").agrees(0.01, 0.02)
    assert printed_figure(value=0.01, text="<0.01").agrees(0.009, 0.02)
    assert printed_figure(value=25, text="at least 25").agrees(25, 25)
    assert not printed_figure(value=25, text="over 25").agrees(25, 25)
    assert printed_figure(value=0.05, text=".05").agrees(0.055, 0.06)
    with pytest.raises(InvalidInput):
        printed_figure(value=math.nan, text="x")


def spreads(n, top):
    """Every mean and standard deviation that n whole numbers from 0 to top can have."""
    for answers in itertools.combinations_with_replacement(range(top + 1), n):
        yield float(np.mean(answers)), float(np.std(answers, ddof=1))


@pytest.mark.parametrize(("n", "top", "decimals"), [(3, 6, 2), (5, 4, 1), (6, 3, 2), (4, 5, 1)])
def test_grim_against_every_possible_sample(n, top, decimals):
    margin = 0.5 * 10.0**-decimals
    possible = {round(m, 9) for m, _ in spreads(n, top)}
    for printed in np.arange(0, top + margin, 2 * margin):
        truth = any(abs(printed - m) <= margin + 1e-9 for m in possible)
        assert grim(mean=float(printed), n=n, margin=margin) == truth


@pytest.mark.parametrize(("n", "top"), [(4, 4), (5, 3), (6, 2)])
def test_grimmer_accepts_what_is_possible_and_refuses_most_of_the_rest(n, top):
    scale, real = Scale(low=0, high=top, step=1), set(spreads(n, top))
    accepted = wrong = 0
    for mean in np.round(np.arange(0, top + 0.001, 1 / n), 2):
        for sd in np.arange(0, top, 0.05):
            got = grimmer(mean=float(mean), mean_margin=0.005, sd=float(sd), sd_margin=0.005, n=n, scale=scale)
            truth = any(abs(mean - m) <= 0.005 + 1e-9 and abs(sd - s) <= 0.005 + 1e-9 for m, s in real)
            assert got or not truth, (mean, sd)  # never refuse a sample that exists
            accepted += got
            wrong += got and not truth
    assert accepted > 5 and wrong <= 0.1 * accepted  # necessary conditions, nearly sufficient


def test_known_granularity_cases():
    """5.19 is no mean of 28 whole numbers: 145/28 is 5.18 and 146/28 is 5.21."""
    assert not grim(mean=5.19, n=28, margin=0.005)
    assert grim(mean=5.18, n=28, margin=0.005) and grim(mean=5.21, n=28, margin=0.005)
    assert grim(mean=5.19, n=28, margin=0.005, step=1 / 3)  # three items a person
    assert grim(mean=5.19, n=101, margin=0.005)  # more people than hundredths


def test_spread_limits_against_every_possible_sample():
    scale = Scale(low=0, high=4, step=1)
    seen: dict[float, list[float]] = {}
    for mean, sd in spreads(5, 4):
        seen.setdefault(round(mean, 6), []).append(sd)
    for mean, sds in seen.items():
        least, most = sd_limits(mean=mean, n=5, scale=scale)
        assert least == pytest.approx(min(sds), abs=1e-5)  # keys rounded to six digits
        assert most >= max(sds) - 1e-5  # reached only where people fit on the two ends
    assert sd_limits(mean=2, n=5, scale=Scale(low=0, high=4))[0] == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: Scale(low=3, high=3),
        lambda: Scale(low=0, high=3, step=0),
        lambda: sd_limits(mean=9, n=5, scale=Scale(low=0, high=4)),
        lambda: sd_limits(mean=2, n=1, scale=Scale(low=0, high=4)),
        lambda: grim(mean=2, n=0, margin=0.01),
        lambda: grim(mean=2, n=5, margin=0),
        lambda: grimmer(mean=2, mean_margin=0.1, sd=1, sd_margin=0.1, n=5, scale=Scale(low=0, high=4)),
        lambda: grimmer(mean=2, mean_margin=0.1, sd=1, sd_margin=0.1, n=1, scale=Scale(low=0, high=4, step=1)),
        lambda: p_from_statistic(kind="u", statistic=1),
        lambda: p_from_statistic(kind="t", statistic=1),
        lambda: p_from_statistic(kind="F", statistic=-1, df1=1, df2=9),
        lambda: p_from_statistic(kind="r", statistic=1.2, df1=9),
        lambda: Check(id="a", kind="repeat", finding="reproduces", reason=""),
        lambda: Check(id="a", kind="repeat", finding="another_reading", reason="so"),
    ],
)
def test_refusals(call):
    with pytest.raises(InvalidInput):
        call()


@pytest.mark.parametrize(
    ("text", "p", "outcome"),
    [
        ("t(28) = 2.20, p = .03", 0.0362, "error"),
        ("F(2, 40) = 3.10, p = .02", 0.0560, "decision_error"),
        ("r(50) = .30, p = .03", 0.0307, "consistent"),
        ("F(2,40) = 3.10, p = .056", 0.0560, "consistent"),
        ("t(28) = 2.20, p < .05", 0.0362, "consistent"),
        ("t(28) = 2.20, p < .01", 0.0362, "error"),
        ("t(28) = 1.20, p < .05", 0.2402, "decision_error"),
        ("t(28) = 2.20, ns", 0.0362, "decision_error"),
        ("z = 1.20, p > .05", 0.2301, "consistent"),
        ("z = 2.20, p > .05", 0.0278, "decision_error"),
        ("chi2(1, N = 200) = 4.10, p = .043", 0.0429, "consistent"),
        ("t(1,234) = 1.96, p = .05", 0.0502, "consistent"),
        ("t(30.5) = -2.04, p = .05", 0.0501, "consistent"),
    ],
)
def test_statistics_in_text(text, p, outcome):
    found = find_tests(f"We saw that {text} in the end.")
    assert len(found) == 1 and found[0].outcome == outcome
    assert found[0].p_value == pytest.approx(p, abs=5e-5)  # four printed digits
    assert found[0].p_low <= found[0].p_value <= found[0].p_high


def test_a_one_sided_p_is_seen_and_several_tests_are_found():
    found = find_tests("first t(30) = 1.70, p = .05; then z = 1.00, p = .32 and nothing else, p = .01")
    assert [t.one_sided for t in found] == [True, False] and [t.outcome for t in found] == ["error", "consistent"]
    assert find_tests("no test here") == []


def sheet(*rows):
    """A small file of printed figures: (id, outcome, group, statistic, value, as_printed), one trial."""
    frame = pd.DataFrame(
        [
            {
                "id": i,
                "trial": "trial",
                "outcome": o,
                "research_question": "RQ1",
                "group": g,
                "statistic": s,
                "value": v,
                "as_printed": a,
                "unit": "score",
                "source_file": "doc",
                "source_line": 1,
                "note": "",
            }
            for i, o, g, s, v, a in rows
        ]
    )
    return frame[list(COLUMNS)]


def arms(prefix="A", outcome="mood", t=(5.4, 0.2, 50), c=(5.0, 0.2, 50), p=("0.16", 0.16), words=()):
    rows = []
    for arm, group, (m, se, n) in (("T", "treatment", t), ("C", "control", c)):
        rows += [
            (f"{prefix}-{arm}-N", outcome, group, "n", n, f"{n}"),
            (f"{prefix}-{arm}-M", outcome, group, "mean", m, f"{m:.2f}"),
            (f"{prefix}-{arm}-SE", outcome, group, "se", se, f"{se:.2f}"),
        ]
    if p:
        rows.append((f"{prefix}-P", outcome, "difference", "p", p[1], p[0]))
    return [*rows, *((f"{prefix}-{w}", outcome, "difference", s, v, "words") for w, s, v in words)]


WORDS = (("DIR", "stated_direction", 1), ("SIG", "stated_significant", 0))


def verdict(frame, figure, **options):
    return audit(frame, **options).set_index("id").loc[figure]


def test_a_consistent_file_reproduces():
    frame = sheet(*arms(words=WORDS), ("A-N", "mood", "all", "n", 100, "100"))
    got = audit(frame).set_index("id")
    assert got.loc[["A-P", "A-DIR", "A-SIG", "A-N"], "verdict"].eq("reproduces").all()
    assert got.loc["A-T-M", "verdict"] == "not_checkable" and "A-P" in got.loc["A-T-M", "reason"]
    assert len(got) == len(frame) and got["n_checks"].sum() == len(audit_checks(frame))


def test_other_readings_are_tried_only_where_the_plain_one_fails():
    plain = audit_checks(sheet(*arms()))
    assert [c.reading for c in plain if c.kind == "two_sample"] == ["as reported"]
    # Standard deviations of 2 printed as standard errors: the right p is that of SE .283.
    wrong = sheet(*arms(t=(5.4, 2.0, 50), c=(5.0, 2.0, 50), p=("0.32", 0.32)))
    got = verdict(wrong, "A-P")
    assert got["verdict"] == "another_reading" and got["reading"] == READINGS["se_is_sd"]
    assert got["recomputed"] == pytest.approx(0.32, abs=0.005)


def test_a_printed_token_is_repeated_without_the_signs_of_its_typesetting():
    assert beginning("$N = 267$") == "N = 267" and beginning("between $5 and $6") == "between $5 and $6"
    assert beginning("one two three four five six seven") == "one two three four five \u2026"


def test_numbers_in_reasons_have_no_exponents():
    values = {
        1664.6: "1,665",
        33_214.0: "33,214",
        0.14349: "0.143",
        3.5e-15: "under 0.0001",
        0.0: "0",
        0.0275: "0.0275",
    }
    assert {value: in_figures(value, 3) for value in values} == values
    assert in_figures(-2e-9, 3) == "above -0.0001"


def test_a_slipped_decimal_is_found():
    got = verdict(sheet(*arms(t=(5.4, 0.02, 50), c=(5.0, 0.02, 50), p=("0.16", 0.16))), "A-P")
    assert got["reading"] == READINGS["se_times_ten"]


def test_what_no_reading_gives_is_said_to_need_another_statistic():
    got = verdict(sheet(*arms(p=("0.001", 0.001))), "A-P")
    assert (
        got["verdict"] == "does_not_reproduce" and "needs |t| = 3.39" in got["reason"] and "covariates" in got["reason"]
    )


@pytest.mark.parametrize(
    ("words", "means", "p", "figure", "expected"),
    [
        (WORDS, (4.6, 5.0), ("0.16", 0.16), "A-DIR", "does_not_reproduce"),
        (WORDS, (5.0, 5.0), ("1.0", 1.0), "A-DIR", "not_checkable"),
        ((("SIG", "stated_significant", 1),), (5.4, 5.0), ("0.16", 0.16), "A-SIG", "does_not_reproduce"),
        ((("SIG", "stated_significant", 1),), (5.4, 5.0), (".05", 0.05), "A-SIG", "not_checkable"),
        ((("SIG", "stated_significant", 1),), (5.4, 5.0), ("<.05", 0.05), "A-SIG", "reproduces"),
        ((("SIG", "stated_significant", 0),), (5.4, 5.0), None, "A-SIG", "another_reading"),
    ],
)
def test_words_against_numbers(words, means, p, figure, expected):
    frame = sheet(*arms(t=(means[0], 0.2, 50), c=(means[1], 0.2, 50), p=p, words=words))
    assert verdict(frame, figure)["verdict"] == expected


def test_claims_about_all_outcomes_count_improvement():
    rows = arms("A", "mood") + arms("B", "burnout", t=(2.0, 0.2, 50), c=(2.4, 0.2, 50))
    frame = sheet(*rows, ("ALL", "all_outcomes", "difference", "stated_direction", 1, "better"))
    assert verdict(frame, "ALL")["verdict"] == "reproduces"
    assert verdict(frame, "ALL", lower_is_better=())["verdict"] == "does_not_reproduce"


def test_impossible_spreads_and_means():
    frame = sheet(*arms(t=(5.4, 0.9, 50), c=(5.01, 0.2, 40)))
    scales = {("trial", "mood"): Scale(low=1, high=7, step=1)}
    assert verdict(frame, "A-T-SE", scales=scales)["verdict"] == "another_reading"  # SD 6.4 on a range of six
    assert verdict(frame, "A-C-SE", scales=scales)["verdict"] == "reproduces"
    assert verdict(frame, "A-C-M", scales=scales)["verdict"] == "does_not_reproduce"  # fortieths: 5.00, 5.03
    assert verdict(frame, "A-T-M", scales={("trial", "mood"): Scale(low=1, high=5)})["verdict"] == "does_not_reproduce"


def test_ends_of_a_scale_are_read_from_the_file():
    ends = (("LO", "mood", "all", "min", 1, "one"), ("HI", "mood", "all", "max", 7, "seven"))
    assert verdict(sheet(*arms(t=(5.4, 0.9, 50)), *ends), "A-T-SE")["verdict"] == "another_reading"


def test_figures_printed_twice_and_totals():
    twice = ("A2-T-N", "mood", "treatment", "n", 51, "51")
    assert verdict(sheet(*arms(), twice), "A2-T-N")["verdict"] == "does_not_reproduce"
    assert verdict(sheet(*arms(), ("A-N", "mood", "all", "n", 99, "99")), "A-N")["verdict"] == "does_not_reproduce"


def test_several_arms_are_told_apart_by_the_words_of_the_contrast():
    rows = []
    for name, group, m in (("X", "sep_me", 3.0), ("Y", "sep_wb", 3.1), ("V", "joint_me", 4.0), ("W", "joint_wb", 2.0)):
        rows += [
            (f"{name}-N", "rate", group, "n", 40, "40"),
            (f"{name}-M", "rate", group, "mean", m, f"{m}"),
            (f"{name}-SE", "rate", group, "se", 0.3, "0.3"),
        ]
    for i, contrast in enumerate(("me_joint_vs_sep", "sep_wb_vs_me", "joint_me_vs_wb", "joint_vs_sep")):
        rows.append((f"P{i}", "rate", f"difference_{contrast}", "p", 0.5, ".50"))
    found = {c.p_id: (c.first, c.second) for c in find_comparisons(figures(sheet(*rows)))}
    assert found == {"P0": ("V", "X"), "P1": ("Y", "X"), "P2": ("V", "W")}  # the last does not say which arms


def test_decisions_reading_needs_a_scale_in_percent():
    printed = figures(sheet(*arms()))
    comparison = find_comparisons(printed)[0]
    assert "decisions" not in readings_for(comparison) and "se_is_sd_pooled" not in readings_for(comparison)
    assert "decisions" in readings_for(comparison, scale=Scale(low=0, high=100, step=20))
    with pytest.raises(InvalidInput):
        recompute(printed, comparison, reading="decisions")
    with pytest.raises(UnknownName):
        recompute(printed, comparison, reading="by_eye")


COUNTS = sheet(
    ("YES", "use", "all", "count", 17, "17"),
    ("ALL", "use", "all", "n", 22, "22"),
    ("PC", "use", "all", "percent", 77, "77%"),
    ("SHARE", "use", "all", "percent", 3.2, "3.2%"),
)


def relation(**cells):
    empty = dict.fromkeys(("relation_id", "quantity", "numerator", "denominator", "printed_id", "reading", "note"), "")
    return pd.DataFrame([empty | {"relation_id": "r", "quantity": "q", "times": "1"} | cells])


def test_relations_by_hand():
    printed = figures(COUNTS)
    got = recompute_relations(printed, relation(numerator="YES", denominator="ALL", times="100", printed_id="PC"))[0]
    assert (
        got.value == pytest.approx(1700 / 22) and got.reproduces and got.low == got.high == got.value
    )  # counts are exact
    rounded = recompute_relations(printed, relation(numerator="SHARE", times="1.3"))[0]
    assert (rounded.low, rounded.value, rounded.high) == pytest.approx((4.095, 4.16, 4.225))
    assert rounded.reproduces is None
    mixed = recompute_relations(printed, relation(numerator="2*ALL - YES + 3"))[0]
    assert mixed.value == 30
    assert recompute_relations(printed, relation(numerator="GONE")) == []
    assert missing_relations(printed, relation(numerator="GONE")) == ["r"]


@pytest.mark.parametrize(
    ("cells", "error"),
    [({"numerator": "YES", "denominator": "ALL - 22"}, InvalidInput), ({"numerator": "YES / ALL"}, InvalidInput)],
)
def test_relations_refuse(cells, error):
    with pytest.raises(error):
        recompute_relations(figures(COUNTS), relation(**cells))


def test_relation_tables_need_their_columns():
    with pytest.raises(UnknownName):
        recompute_relations(figures(COUNTS), pd.DataFrame({"relation_id": ["r"]}))
    with pytest.raises(UnknownName):
        recompute_detectable_effects(figures(COUNTS), relation())


def test_ids_hold_hyphens():
    assert ids_in("BEN-N-RAND - 0.5*BEN-N-TREAT + 3") == ["BEN-N-RAND", "BEN-N-TREAT"]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (COUNTS.drop(columns="unit"), UnknownName),
        (pd.concat([COUNTS, COUNTS]), InvalidInput),
        (COUNTS.assign(value="many"), InvalidInput),
    ],
)
def test_files_of_figures_are_refused(frame, error):
    with pytest.raises(error):
        audit(frame)


def test_an_empty_file_and_one_without_relations_are_audited():
    assert audit(COUNTS.iloc[:0]).empty
    assert audit(COUNTS)["verdict"].eq("not_checkable").all()


def test_unknown_figures_are_refused_by_name():
    with pytest.raises(UnknownName, match="GONE"):
        figures(COUNTS).row("GONE")
