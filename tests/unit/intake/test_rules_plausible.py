"""Course log against arms, codes against staff records, returns against each other: each limit of the plan is kept."""

from __future__ import annotations

from datetime import date

import pytest
from intake_builder import STUDY, TrialFiles

from hhp_stats.errors import PlanError
from hhp_stats.intake.gather import gather
from hhp_stats.plan.thresholds import load_thresholds

LIMITS = {
    "G05": (0.5, 3),
    "G06": (0.15, 5),
    "G07": (8, 1),
    "G08": (0.1, 2),
    "K04": (0.5, 3),
    "X24": (0.2, 5),
    "X25": (0.5, 5),
    "X26": (50, 2),
}


@pytest.fixture
def limited(trial_files) -> TrialFiles:
    """The small trial; its survey answers on contracts agree with the returns, three of ten offered it start the
    course.
    """
    agency = {
        person["staff_id"]: person["agency"]
        for (_, wave), sheet in trial_files.returns.items()
        if wave == "baseline"
        for person in sheet.people
    }
    by_code = {row["survey_code"]: agency[row["staff_id"]] for row in trial_files.linkage}
    for rows in trial_files.surveys.values():
        for row in rows:
            row["contract"] = "agency" if by_code[row["ExternalReference"]] == "yes" else "permanent"
    return trial_files


def found(files: TrialFiles) -> dict[str, list[str]]:
    """What gather finds under each code with a limit, errors only."""
    root = files.write()
    path = root / f"data/plan/{STUDY}.toml"
    text = "".join(
        f'[[thresholds]]\ncode = "{code}"\nabout = "a limit"\nlimit = {limit}\nleast = {least}\n'
        + ("expected = 0.3\n" if code == "G06" else "")
        for code, (limit, least) in LIMITS.items()
    )
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    values: dict[str, list[str]] = {}
    for problem in gather(root, STUDY).all_problems():
        if problem.code in LIMITS and problem.severity == "error":
            values.setdefault(problem.code, []).append(problem.value)
    return values


def test_a_plausible_trial_passes(limited):
    assert found(limited) == {}


def test_a_course_log_of_the_other_arm_is_named_by_authority(limited):
    for row in limited.allocation:
        if row["local_authority"] == "Kent":
            row["treatment"] = 1 - row["treatment"]
    values = found(limited)
    assert values["G05"] == ["3 of 3 who started the course are in control teams (Kent)"]
    assert any("no one of the 10 offered it in Kent" in value for value in values["G06"])


def test_half_a_course_log_is_too_short(limited):
    limited.course_log = limited.course_log[:3]
    values = found(limited)
    assert set(values) == {"G06"} and len(values["G06"]) == 1 and "in Bromley" in values["G06"][0]
    limited.course_log = limited.course_log[:2]
    assert any("2 of 20" in value for value in found(limited)["G06"])


@pytest.mark.parametrize("name", ["enrolled_on", "last_activity_on"])
def test_a_date_after_the_trial_is_refused(limited, name):
    limited.course_log[-1] |= {"last_activity_on": date(2099, 1, 2), name: date(2099, 1, 2)}
    assert "1 entries of Bromley, up to 2099-01-02" in found(limited)["G07"][0]


def test_ids_that_nobody_has_are_refused(limited):
    for row in limited.course_log[:2]:
        row["staff_id"] = "X" + row["staff_id"]
    values = found(limited)
    assert values["G08"] == [
        "2 of 6 enrolled are on no return (all authorities)",
        "2 of 3 enrolled are on no return (Kent)",
    ]


def test_one_unknown_id_stays_a_warning(limited):
    limited.course_log[0]["staff_id"] = "X-1"
    assert "G08" not in found(limited)


def test_codes_that_slipped_by_a_line_are_refused(limited):
    codes = [row["survey_code"] for row in limited.linkage]
    for row, code in zip(limited.linkage, [*codes[1:], codes[0]], strict=True):
        row["survey_code"] = code
    values = found(limited)
    assert set(values) == {"K04"} and "are so by both" in values["K04"][0]


@pytest.mark.parametrize("name", ["part_time", "agency"])
def test_yes_and_no_exchanged_in_one_wave_are_refused(limited, name):
    for person in limited.returns["kent", "endline"].people:
        person[name] = {"yes": "no", "no": "yes"}[person[name]]
    values = found(limited)
    assert f"{name} differs from the baseline return for 19 of 19 people; units: Kent, endline" in values["X24"]


def test_yes_and_no_exchanged_in_all_waves_are_refused(limited):
    for wave in ("baseline", "interim", "endline"):
        for person in limited.returns["kent", wave].people:
            person["part_time"] = {"yes": "no", "no": "yes"}[person["part_time"]]
    assert len(found(limited)["X25"]) == 6, "each is unlike the other: with two authorities nobody knows which is right"


@pytest.mark.parametrize("cost", [4, 400_000])
def test_a_cost_in_another_unit_is_refused_with_its_cell(limited, cost):
    sheet = limited.returns["kent", "endline"]
    sheet.find("KEN-0003")["replacement_cost"] = cost
    (value,) = found(limited)["X26"]
    assert value == f"\u00a3 {cost:g}; elsewhere about 4000; units: Kent, endline"


def test_a_plan_that_says_how_teams_were_drawn_needs_every_limit(limited, root):
    home = limited.write()
    path = home / f"data/plan/{STUDY}.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + "[design.randomisation]\nmax_redraws = 100\nbalance_alpha = 0.05\n",
        encoding="utf-8",
    )
    with pytest.raises(PlanError, match="has no limit of rule G05"):
        gather(home, STUDY)
    assert set(load_thresholds(root, STUDY)) >= set(LIMITS)


def test_every_limit_is_of_a_rule(root):
    from hhp_stats.intake.raw_files import studies
    from hhp_stats.intake.rule_list import all_rules

    codes = {rule.code for rule in all_rules()}
    for study in studies(root):
        assert set(load_thresholds(root, study)) <= codes
