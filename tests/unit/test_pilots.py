"""The pilots: files, counts, themes, and that nothing is tested."""

import shutil

import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.intake.themes import COLUMNS, load_themes
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.studies.pilot import run_pilot
from hhp_stats.synthetic.pilots import pilot_files

STUDIES = ("dictation", "flexitime")


def people_of(root, study):
    return load_pilot(root, load_pilot_plan(root, study)).people


@pytest.fixture
def copy(root, tmp_path):
    for name in (
        "manifest.toml",
        "dictionary.csv",
        "allocation/dictation.csv",
        "allocation/flexitime.csv",
        "usage/dictation.csv",
        "surveys/dictation/endline.csv",
        "qualitative/dictation.csv",
    ):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "data" / name, tmp_path / "data" / name)
    for part in ("plan", "published"):
        shutil.copytree(root / "data" / part, tmp_path / "data" / part)
    return tmp_path


@pytest.mark.parametrize("study", STUDIES)
def test_the_files_on_disk_are_those_of_the_seed(root, study):
    for path, content in pilot_files(root, study).items():
        assert (root / path).read_bytes() == content, path
    assert pilot_files(root, study, seed=3) != pilot_files(root, study)


@pytest.mark.parametrize("study", STUDIES)
def test_nothing_is_tested(root, study):
    rows = run_pilot(root, study).results
    assert rows["p_value"].isna().all() and (rows["status"] == "descriptive").all()


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_use_in_brent_is_as_printed_whatever_the_seed(root, tmp_path, seed):
    shutil.copytree(root / "data", tmp_path / "data", ignore=shutil.ignore_patterns("returns", "surveys", "course_log"))
    for path, content in pilot_files(root, "dictation", seed=seed).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    record_files(tmp_path)
    used = people_of(tmp_path, "dictation").query("local_authority == 'Brent'")
    assert len(used) == 20 and (used["sessions"] > 0).sum() == 15 and (used["sessions"] > 5).sum() == 3
    assert used.loc[used["sessions"] <= 5, "minutes"].max() < 10


def test_shares_are_exact_intervals(root):
    from scipy import stats

    row = run_pilot(root, "dictation").results.set_index("result_id").loc["dictation/survey/continue/exact"]
    # The definition by the beta distribution, an independent route to the same numbers.
    assert row["conf_low"] == pytest.approx(stats.beta.ppf(0.025, 17, 6), rel=1e-6)
    assert row["conf_high"] == pytest.approx(stats.beta.ppf(0.975, 18, 5), rel=1e-6)


def test_tables_hold_no_persons(root):
    for study in STUDIES:
        for name, table in run_pilot(root, study).tables.items():
            assert not {"participant", "interviewee"} & set(table.columns), name


def test_small_counts_are_those_that_the_report_prints(root):
    """Frequent users, most days, not sure and no stand in the published report; every other class holds five or
    more.
    """
    tables = run_pilot(root, "dictation").tables
    small = [
        (name, str(row.iloc[0]))
        for name in ("usage", "minutes", "frequency", "would_continue", "roles")
        for _, row in tables[name].iterrows()
        if row["people"] < 5
    ]
    assert set(small) == {
        ("usage", "more than 5 sessions"),
        ("minutes", "10 or more"),
        ("frequency", "most days"),
        ("would_continue", "not sure"),
        ("would_continue", "no"),
    }


def test_classes_of_use_add_up(root):
    tables = run_pilot(root, "dictation").tables
    assert tables["usage"]["people"].sum() == tables["minutes"]["people"].sum() == 20
    assert tables["usage"]["share_of_minutes"].sum() == pytest.approx(1)  # shares of one total
    assert tables["frequency"]["people"].sum() == tables["would_continue"]["people"].sum() == 22


@pytest.mark.parametrize("study", ["coffee", "dictation", "flexitime"])
def test_themes_have_a_voice_and_a_place(root, study):
    frame = load_themes(root, study).frame
    assert len(frame) >= 3 and frame["theme"].is_unique and (frame["sources"].str.len() > 0).all()
    assert set(frame["release"]) == {"documents"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("theme", "D01"),
        ("leaning", "good"),
        ("people", "many"),
        ("sources", "001:99999"),
        ("sources", ""),
        ("voices", ""),
        ("release", "x"),
    ],
)
def test_broken_themes_are_refused(copy, column, value):
    path = copy / "data/qualitative/dictation.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[1, column] = value
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="row 3"):
        load_themes(copy, "dictation")


def test_themes_with_other_columns_or_none_are_refused(copy):
    path = copy / "data/qualitative/dictation.csv"
    path.write_text(",".join(COLUMNS[:-1]) + "\n")
    with pytest.raises(DataError, match="columns"):
        load_themes(copy, "dictation")
    path.unlink()
    with pytest.raises(DataError, match="must be there"):
        load_themes(copy, "dictation")


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("usage/dictation.csv", lambda f: f.assign(participant=["D999", *f["participant"][1:]]), "K31"),
        ("usage/dictation.csv", lambda f: f.assign(day=["40", *f["day"][1:]]), "K10"),
        ("surveys/dictation/endline.csv", lambda f: pd.concat([f, f.tail(1)]), "K32"),
        ("surveys/dictation/endline.csv", lambda f: f.assign(frequency=["hourly", *f["frequency"][1:]]), "K10"),
        ("surveys/dictation/endline.csv", lambda f: f.head(11), "K33"),
        ("usage/dictation.csv", lambda f: f[f["participant"] != f["participant"][0]], "K33"),
        ("allocation/dictation.csv", lambda f: f.drop(columns="release"), "F20"),
    ],
)
def test_broken_lists_are_refused(copy, name, change, code):
    path = copy / "data" / name
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
    with pytest.raises(DataError) as refused:
        people_of(copy, "dictation")
    assert code in {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize(("change", "code"), [(lambda f: pd.concat([f, f.tail(1)]), "K32"), (lambda f: f[1:], "K33")])
def test_a_list_of_interviewees_with_one_twice_or_missing_is_refused(copy, change, code):
    path = copy / "data/allocation/flexitime.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
    with pytest.raises(DataError) as refused:
        people_of(copy, "flexitime")
    assert code in {problem.code for problem in refused.value.problems}
