"""The printed figures of the programme recomputed, against values worked out independently of this package.

`expected_comparisons.csv`, `expected_relations.csv` and `expected_detectable_effects.csv` were made beforehand by a
separate script of plain SciPy calls and typed in here with the digits it printed.
"""

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.consistency.audit import audit_published, load_scales
from hhp_stats.consistency.comparisons import find_comparisons, recompute
from hhp_stats.consistency.figures import design_figures, figures
from hhp_stats.consistency.relations import missing_relations, recompute_detectable_effects, recompute_relations
from hhp_stats.consistency.verdict import VERDICT_COLUMNS

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data" / "published"


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


RESULTS = read(DATA / "published_results.csv")
FIGURES = figures(pd.concat([RESULTS, design_figures(read(DATA / "trial_design.csv"))], ignore_index=True))
COMPARISONS = {(c.first, c.second): c for c in find_comparisons(FIGURES)}
TESTS = read(HERE / "expected_comparisons.csv")
RELATIONS = {r.relation_id: r for r in recompute_relations(FIGURES, read(DATA / "relations.csv"))}
EFFECTS = {r.relation_id: r for r in recompute_detectable_effects(FIGURES, read(DATA / "detectable_effects.csv"))}


def same_digits(got, text):
    """Equal to the digits as typed: half a unit of the last one, or of the fourth figure in scientific notation."""
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return abs(got - float(text)) <= (0.5 + 1e-6) * 10.0 ** (int(exponent or 0) - decimals)


@pytest.mark.parametrize("row", TESTS.to_dict("records"), ids=lambda r: f"{r['first']}-{r['second']}-{r['reading']}")
def test_comparisons(row):
    got = recompute(FIGURES, COMPARISONS[row["first"], row["second"]], reading=row["reading"])
    found = {
        "difference": got.test.estimate,
        "std_error": got.test.std_error,
        "statistic": got.test.statistic,
        "df": got.test.df,
        "p_value": got.test.p_value,
        "p_low": got.p_range.low,
        "p_high": got.p_range.high,
        "gap": got.gap,
        "t_needed": got.t_needed,
        "t_ratio": got.t_ratio,
        "standardised_difference": got.standardised_difference,
    }
    assert [got.arms[0].n, got.arms[1].n] == [int(row["n1"]), int(row["n2"])]
    for name, value in found.items():
        if row[name]:
            assert same_digits(value, row[name]), (name, value, row[name])
    assert got.reproduces == {"yes": True, "no": False, "": None}[row["reproduces"]]


def test_every_printed_p_has_its_comparison():
    printed = FIGURES.frame.loc[FIGURES.frame["statistic"] == "p", "id"]
    assert set(printed) == {c.p_id for c in COMPARISONS.values() if c.p_id}
    assert len(COMPARISONS) == 18 and len(TESTS) == 28


@pytest.mark.parametrize(
    "row", read(HERE / "expected_relations.csv").to_dict("records"), ids=lambda r: r["relation_id"]
)
def test_rates_and_sums(row):
    got = RELATIONS[row["relation_id"]]
    assert same_digits(got.value, row["recomputed"])
    assert got.low <= got.value <= got.high
    if row["reproduces"]:
        assert got.reproduces == (row["reproduces"] == "yes")


def test_schwartz_attendance_implied_by_the_printed_cost_a_person():
    people = [RELATIONS[f"schwartz_people_la{la}"].value for la in (1, 3, 4, 5, 6)]
    assert [round(min(people)), round(max(people)), round(sum(people) / 5)] == [57, 103, 84]


@pytest.mark.parametrize(
    "row", read(HERE / "expected_detectable_effects.csv").to_dict("records"), ids=lambda r: r["relation_id"]
)
def test_detectable_effects(row):
    got = EFFECTS[row["relation_id"]]
    assert same_digits(got.value, row["recomputed"])
    if row["reproduces"]:
        assert got.reproduces == (row["reproduces"] == "yes")
    if row["people_for_printed"]:
        assert round(got.people_for_printed) == int(row["people_for_printed"])


def test_all_relations_find_their_figures():
    for name in ("relations.csv", "detectable_effects.csv"):
        table = read(DATA / name)
        assert missing_relations(FIGURES, table) == []
        assert table["relation_id"].is_unique
    assert len(load_scales(DATA / "scales.csv")) == 4


AUDIT = audit_published(DATA).set_index("id")


def test_the_audit_has_one_verdict_for_every_printed_figure():
    assert AUDIT.reset_index().columns.tolist() == list(VERDICT_COLUMNS)
    assert AUDIT.index.tolist() == FIGURES.frame["id"].tolist()
    assert AUDIT.index.tolist()[: len(RESULTS)] == RESULTS["id"].tolist() and len(RESULTS) == 346
    assert set(AUDIT["verdict"]) == {"reproduces", "another_reading", "does_not_reproduce", "not_checkable"}
    assert (AUDIT["reason"].str.len() > 10).all()


# The findings that change how a result may be quoted; ids as in data/published/published_results.csv.
@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        ("BEN-SWB-P", "reproduces"),
        ("BEN-PSW-P", "does_not_reproduce"),
        ("BEN-PSW-DIR", "does_not_reproduce"),
        ("BEN-PSW-SIG", "not_checkable"),  # .05 may be .045 or .055
        ("BEN-DIR-EXEC", "does_not_reproduce"),
        ("BEN-RR", "does_not_reproduce"),
        ("SWI-RR", "reproduces"),
        ("SWI-N-C1-TAB", "does_not_reproduce"),
        ("SWI-MDES-PLAN", "does_not_reproduce"),
        ("MOD-CONN-DIR", "does_not_reproduce"),
        ("MOD-RR", "another_reading"),
        ("MOD-N-DISC-RAND", "does_not_reproduce"),
        ("DIVJ-JME-SE", "does_not_reproduce"),
        ("DIVJ-RQ3-P", "another_reading"),
        ("DIVJ-RQ3-SME-N", "does_not_reproduce"),
        ("DIVJ-ROWS", "reproduces"),
        ("DIVB-B-SE", "another_reading"),
        ("DIVB-B-WB-P", "another_reading"),
        ("DIVJ-EXEC-JOINT", "another_reading"),
        ("GS-MDES-ABS", "another_reading"),
        ("GS-MDES-ABS-PP", "another_reading"),
        ("GS-MDES-TURN", "reproduces"),
        ("SCH-TOTAL-LA4", "reproduces"),
        ("HHP2-N-FW", "reproduces"),
        ("LET-N", "not_checkable"),
        ("TD-goal_setting-N_effective_total", "another_reading"),  # 0.9 x 1850; its two arms add to 1664
        ("TD-goal_setting-baseline_absence_days", "reproduces"),
        ("TD-goal_setting-dose_cba_days", "does_not_reproduce"),
        ("TD-diversity_joint-max_to_progress", "does_not_reproduce"),
        ("TD-hhp2_programme-n_LAs", "reproduces"),
    ],
)
def test_findings(figure, verdict):
    assert AUDIT.loc[figure, "verdict"] == verdict, AUDIT.loc[figure, "reason"]


def test_directions_agree_but_for_two_comparisons():
    wrong = AUDIT[(AUDIT["kind"] == "direction") & (AUDIT["verdict"] == "does_not_reproduce")]
    assert {tuple(k.split("-")[:2]) for k in wrong.index if k != "BEN-DIR-EXEC" and "SUM" not in k} == {
        ("BEN", "PSW"),
        ("MOD", "CONN"),
    }


def test_hiring_standard_errors_need_at_least_the_least_possible():
    """Five decisions of each ethnicity a person: the smallest standard errors are .94, 1.14, 1.12 and 1.16 points."""
    least = ["DIVJ-JME-SE", "DIVJ-SME-SE", "DIVJ-JWB-SE", "DIVJ-SWB-SE"]
    found = [float(AUDIT.loc[k, "reason"].split("at least ")[1].split()[0]) for k in least]
    assert found == [0.94, 1.14, 1.12, 1.16]


def test_published_tokens_are_facts_not_sentences():
    """What stands in data/published of the documents is figures and short tokens: lists of names are the longest."""
    for name in ("published_results", "trial_design", "protocol_clauses", "instruments", "admin_fields"):
        tokens = read(DATA / f"{name}.csv")["as_printed"]
        plain = tokens[~tokens.str.contains(",")]
        assert plain.str.split().str.len().max() <= 8, name
