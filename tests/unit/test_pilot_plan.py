"""Plans of pilots: what is refused with which words, and that numbers and tables are those of the people."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.present import pilots
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.running.run import run_study
from hhp_stats.scaffold.new_study import NewStudyRefused, enter, new_study

KEY = "diary"


@pytest.fixture
def home(root, tmp_path):
    """The project without its code."""
    home = tmp_path / "project"
    skipped = shutil.ignore_patterns("figures", "releases", "returns", "surveys", "course_log")
    for name in ("data", "report"):
        shutil.copytree(root / name, home / name, ignore=skipped)
    shutil.copytree(root / "data/surveys/dictation", home / "data/surveys/dictation")
    shutil.copy(root / "_quarto.yml", home)
    return home


def spoilt(home, study, old, new):
    path = home / f"data/plan/{study}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_pilot_plan(home, study)


REFUSED = [
    ('where = "sessions > 0"', 'where = "session > 0"', "Did you mean 'sessions'"),
    ('where = "sessions > 0"', 'where = "sessions >"', "a value should stand"),
    ('where = "sessions > 0"', "where = \"sessions > 'many'\"", "Compare numbers with numbers"),
    ('where = "sessions > {often}"', 'where = "sessions > {oftn}"', "Did you mean 'often'"),
    ("where = \"frequency == 'most days'\"", "where = \"frequency == 'most day'\"", "Did you mean 'most days'"),
    ("where = \"frequency == 'most days'\"", "where = \"frequency > 'most days'\"", "of texts ask == or != only"),
    ('population = "brent"', 'population = "brnt"', "Did you mean 'brent'"),
    ('statistics = ["count", "share"]', 'statistics = ["count", "shares"]', "Did you mean 'share'"),
    ('statistics = ["count", "share"]', "statistics = []", "has no statistic. Name one: count"),
    ('kind = "pilot"', 'kind = "Pilot"', "design.kind: is 'Pilot'. Allowed"),
    ('statistics = ["count", "share"]', 'statistics = ["count", "sum"]', "two statistics of one name"),
    ('statistics = ["sum"]\ncolumn = "minutes"', 'statistics = ["sum"]', "needs a column for its sum"),
    ('id = "usage/access_brent"', 'id = "usage/access_brent"\ncolumn = "minutes"', "for a number of people"),
    ('id = "usage/access_brent"', 'id = "access_brent"', "the form outcome/estimand"),
    ('statistics = ["sum"]\ncolumn = "minutes"', 'statistics = ["sum"]\ncolumn = "role"', "the columns of numbers"),
    ('sums = ["sessions", "minutes"]', 'sums = ["session"]', "Did you mean 'sessions'"),
    ('id = "roles"', 'id = "themes"', "no name for a table"),
    ('column = "role"\nshare', 'column = "roles"\nshare', "Did you mean 'role'"),
    ('column = "role"\nshare', 'column = "minutes"\nshare', "whose values no list allows"),
    ('column = "role"\nshare', "share", "has both a column and classes, or neither"),
    ('of = "brent"', 'of = "leeds"', "the plan's populations"),
    ('lines_as = "answered"', 'lines_as = "sessions"', "has the column 'sessions', as sessions has"),
    ('file = "data/usage/dictation.csv"', 'file = "data/usage/other.csv"', "where raw files of this study lie"),
    ("once = false", "once = true", "has sums, though everybody has one line"),
    ('{ column = "day", kind = "integer"', '{ column = "day", kind = "identifier"', "has 2 identifiers"),
    ('{ column = "day", kind = "integer"', '{ column = "day", kind = "whole"', "unknown kind 'whole'"),
    ('kind = "pilot"', 'kind = "pilot"\nrandomised = 52', "unknown key 'randomised'"),
    ('id = "survey"\nfile', 'id = "participants"\nfile', "stands twice"),
    ('title = "Coventry: as reported"', 'titel = "As reported"', "Did you mean 'title'"),
]


@pytest.mark.parametrize(("old", "new", "words"), REFUSED)
def test_a_wrong_plan_is_refused_with_the_place_and_what_is_meant(home, old, new, words):
    with pytest.raises(PlanError, match=r"data/plan/dictation\.toml") as refused:
        spoilt(home, "dictation", old, new)
    assert words in str(refused.value), str(refused.value)


def test_a_pilot_says_where_its_people_are(home):
    with pytest.raises(PlanError, match=r"both \[\[lists\]\] and \[data\], or neither"):
        spoilt(home, "flexitime", "[[populations]]", '[data]\nfile = "data/tables/flexitime.csv"\n\n[[populations]]')


def test_a_list_that_names_people_otherwise_is_refused(home):
    path = home / "data/plan/dictation.toml"
    text = path.read_text(encoding="utf-8")
    place = text.index('id = "survey"')
    path.write_text(text[:place] + text[place:].replace('column = "participant"', 'column = "who"', 1), "utf-8")
    with pytest.raises(PlanError, match="Call the column 'participant'"):
        load_pilot_plan(home, "dictation")


def test_classes_that_overlap_are_refused_when_somebody_is_in_two(home):
    spoilt(home, "dictation", 'where = "minutes >= 10"', 'where = "minutes >= 9 "')
    record_files(home)
    plan = load_pilot_plan(home, "dictation")
    people = load_pilot(home, plan).people
    between = people["minutes"].between(9, 9).any()
    if between:
        with pytest.raises(PlanError, match="do not overlap"):
            run_study(home, "dictation")
    spoilt(home, "dictation", 'where = "minutes >= 9 "', 'where = "minutes >= 1"')
    with pytest.raises(PlanError, match="do not overlap"):
        run_study(home, "dictation")


def test_a_trial_reader_reads_a_pilot_as_one(root):
    assert load_individual_plan(root, "flexitime") == load_pilot_plan(root, "flexitime")


# ---------------------------------------------------------------- a pilot on a plain table, without any Python
def diary() -> pd.DataFrame:
    """60 people of three sites, with gaps; every number of it is known here."""
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "Participant": [f"p{number:02d}" for number in range(60)],
            "Site": np.repeat(["North", "South", "West"], [30, 18, 12]),
            "Age": rng.integers(18, 70, 60),
            "Used it": rng.permutation(np.repeat(["1", "0", ""], [33, 15, 12])),
            "Would recommend": rng.permutation(np.repeat(["yes", "no", "maybe"], [30, 20, 10])),
            "Score": rng.permutation([*rng.normal(20, 5, 50).round(1).astype(str), *[""] * 10]),
            "Release": "synthetic",
        }
    )


@pytest.fixture
def entered(home, tmp_path):
    """The project with the diary entered and its guesses confirmed."""
    diary().to_csv(tmp_path / "diary.csv", index=False)
    enter(home, new_study(home, KEY, kind="pilot", data=tmp_path / "diary.csv", title="Sleep diary: a pilot"))
    for name in (f"{KEY}.toml", f"{KEY}.dictionary.csv"):
        path = home / "data/plan" / name
        path.write_text(path.read_text(encoding="utf-8").replace(" [to be confirmed]", ""), encoding="utf-8")
    return home


def test_a_pilot_enters_without_python_and_its_numbers_are_those_of_its_table(entered):
    run_study(entered, KEY).write(entered)
    frame = diary()
    chapter = pilots.chapter(KEY, root=entered)
    rows = chapter.report.output.results.set_index("result_id")
    used = pd.to_numeric(frame["Used it"]).dropna()
    assert rows.loc["diary/used_it/yes/count", "estimate"] == used.sum() == 33
    share = rows.loc["diary/used_it/yes/exact"]
    reach = stats.binomtest(33, 48).proportion_ci(method="exact")
    assert share["n"] == 48 and share["estimate"] == 33 / 48
    assert (share["conf_low"], share["conf_high"]) == pytest.approx((reach.low, reach.high), rel=1e-12)
    score = pd.to_numeric(frame["Score"]).dropna()
    mean = rows.loc["diary/score/mean/mean"]
    low, high = stats.t.interval(0.95, len(score) - 1, loc=score.mean(), scale=stats.sem(score))
    assert mean["n"] == len(score) == 50
    assert [mean["estimate"], mean["conf_low"], mean["conf_high"]] == pytest.approx(
        [score.mean(), low, high], rel=1e-12
    )
    assert rows["p_value"].isna().all() and set(rows["status"]) == {"descriptive"}
    table = chapter.report.table("used_it").set_index("class")["people"]
    assert table.to_dict() == {"yes": 33, "no": 15, "not known": 12}
    for name in ("numbers", "classes/site", "classes/site/used_it"):
        assert "<table" in chapter.table(name).as_raw_html()
    figure = chapter.figure("classes/would_recommend")
    assert (entered / "report" / figure.path).is_file() and "yes: 30" in figure.alt
    assert chapter.say("share/used_it/yes") and "60 people took part" in chapter.say("people")


def test_whose_number_is_small_is_withheld_in_sentence_table_and_figure(entered):
    path = entered / "data/tables/diary.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    few = frame.index[frame["Would recommend"] == "maybe"][3:]
    frame.loc[few, "Would recommend"] = "no"
    frame.to_csv(path, index=False)
    record_files(entered)
    run_study(entered, KEY).write(entered)
    chapter = pilots.chapter(KEY, root=entered)
    shown = chapter.report.table("would_recommend").set_index("class")["people"]
    assert shown["maybe"] == WITHHELD and (shown == WITHHELD).sum() >= 2
    assert WITHHELD in chapter.table("classes/would_recommend").as_raw_html()
    assert f"maybe: {WITHHELD}" in chapter.figure("classes/would_recommend").alt


@pytest.mark.parametrize("score", ["nobody", "one person", "all alike"])
def test_what_cannot_be_averaged_has_a_reason_and_a_page(entered, score):
    path = entered / "data/tables/diary.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    values = {"nobody": [""] * 60, "one person": ["20", *[""] * 59], "all alike": ["20"] * 60}[score]
    frame.assign(Score=values).to_csv(path, index=False)
    record_files(entered)
    run_study(entered, KEY).write(entered)
    chapter = pilots.chapter(KEY, root=entered)
    row = chapter.report.output.results.set_index("result_id").loc["diary/score/mean/mean"]
    if score == "all alike":
        assert row["estimate"] == 20 and pd.isna(row["conf_low"]) and "the same" in row["note"]
        assert chapter.say("amount/score/mean") == "20.0"
    else:
        assert row["status"] == "not_estimated" and "NoObservations" in row["note"]
        assert "do not allow" in chapter.say("amount/score/mean")
    assert "<table" in chapter.table("numbers").as_raw_html()


def test_a_table_with_more_people_than_planned_or_a_person_twice_is_refused(entered):
    path = entered / "data/tables/diary.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.concat([frame, frame.head(1)]).to_csv(path, index=False)
    record_files(entered)
    with pytest.raises(DataError) as refused:
        run_study(entered, KEY)
    assert {problem.code for problem in refused.value.problems} == {"T14", "T20"}


def test_a_pilot_on_a_table_has_no_arms(entered, tmp_path):
    diary().to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(NewStudyRefused, match="compares no arms"):
        new_study(entered, "other", kind="pilot", data=tmp_path / "other.csv", arm="Site")
    path = entered / "data/plan/diary.dictionary.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("Site,category,,,,North|South|West", "Site,arm,,,,"), "utf-8"
    )
    with pytest.raises(PlanError, match="A pilot compares none"):
        load_pilot_plan(entered, KEY)


def test_how_many_people_a_table_holds_must_be_planned(entered):
    with pytest.raises(PlanError, match="lacks 'people'"):
        spoilt(entered, KEY, "people = 60", "")


def test_the_example_of_the_readme_is_a_plan(home, root):
    text = (root / "data/README.md").read_text(encoding="utf-8")
    example = (
        text.partition("## A pilot\n")[2].partition("```toml\n")[2].partition("```")[0].replace("people = 60 ", "")
    )
    head = (
        'study = "diary"\ntitle = "Diary"\nchapter = "report/12-diary.qmd"\nname = "Diary"\nshort = "dia"\n'
        'phase = "second"\norder = 40\n[disclosure]\nrule = "withhold"\nthreshold = 5\nzeros = "published"\n'
    )
    (home / "data/plan/diary.toml").write_text(head + example, encoding="utf-8")
    plan = load_pilot_plan(home, "diary")
    assert plan.descriptives["usage/frequent"].where == "sessions > 5"
    assert plan.descriptives["usage/frequent"].label == "More than 5 sessions"
    assert [table.id for table in plan.tables.values()] == ["minutes"]
