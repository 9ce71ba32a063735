"""The corrections ledger: applied where it fits, refused with both values where it does not."""

import numpy as np
import pytest
from intake_builder import STUDY, append_correction, write_csv

from hhp_stats.errors import DataError
from hhp_stats.intake.corrections import apply_ledger
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.ledger import LEDGER_COLUMNS, read_ledger
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pseudonym import DEVELOPMENT_KEY, Pseudonyms
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.spellings import load_spellings

KENT_9 = Pseudonyms(DEVELOPMENT_KEY).of("Kent", "KEN-0009")


def line(**changes):
    return {
        "id": "C001",
        "received_on": "2020-05-31",
        "study": "goal_setting",
        "wave": "baseline",
        "authority": "Kent",
        "staff_id": "KEN-0009",
        "field": "role",
        "old_value": "social worker",
        "new_value": "other",
        "reason": "typing error",
        "requested_by": "the authority",
    } | changes


def value(trial, column):
    return trial.people.set_index("person").loc[KENT_9, column]


def refusal(trial_files, written_trial):
    """What the ledger is refused for, with the baseline return of Kent alone."""
    root = trial_files.root
    (root / "data").mkdir(parents=True)
    write_csv(root / "data/corrections.csv", trial_files.ledger)
    path = trial_files.root / "baseline.xlsx"
    trial_files.returns["kent", "baseline"].book().save(path)
    fields = load_dictionary(written_trial.root)
    study, spellings = load_study(written_trial.root, STUDY), load_spellings(written_trial.root, fields)
    ret = read_return(path, file=path.name, wave="baseline", study=study, fields=fields, spellings=spellings)
    ledger = read_ledger(root, study=study)
    apply_ledger(ledger, {"Kent": {"baseline": ret}}, study=study, spellings=spellings)
    return [(problem.code, problem.cell, problem.value) for problem in ledger.problems if problem.severity == "error"]


def test_a_correction_is_applied_and_returned(trial_files):
    old = trial_files.returns["kent", "baseline"].find("KEN-0009")["overall_absence_days"]
    trial_files.ledger = [line(), line(id="C002", field="overall_absence_days", old_value=str(old), new_value="44")]
    trial = load_trial(trial_files.write())
    assert value(trial, "role") == "other"
    assert value(trial, "baseline_overall_days") == 44
    assert trial.corrections["person"].tolist() == [KENT_9, KENT_9]
    assert trial.corrections["cell"].tolist() == ["C16", "F16"]
    assert trial.corrections["ledger_line"].tolist() == [2, 3]


@pytest.mark.parametrize("old", ["Social Worker", "SW", " social  worker "])
def test_the_old_value_may_be_spelt_like_a_return(trial_files, old):
    trial_files.ledger = [line(old_value=old)]
    assert value(load_trial(trial_files.write()), "role") == "other"


def test_two_corrections_of_one_cell_follow_each_other(trial_files):
    trial_files.ledger = [line(), line(id="C002", old_value="other", new_value="team manager")]
    assert value(load_trial(trial_files.write()), "role") == "team manager"


def test_the_second_of_a_chain_must_know_the_first(trial_files, written_trial):
    trial_files.ledger = [line(), line(id="C002", new_value="team manager")]
    ((code, cell, found),) = refusal(trial_files, written_trial)
    assert (code, cell) == ("E09", "row 3")
    assert "social worker" in found
    assert "other" in found
    assert "C16" in found


def test_a_correction_can_mend_what_would_be_refused(trial_files):
    person = trial_files.returns["kent", "baseline"].find("KEN-0009")
    person |= {"illness_days": "a few", "role": None, "illness_spells": None}
    trial_files.ledger = [
        line(field="illness_days", old_value="a few", new_value="2"),
        line(id="C002", old_value="", new_value="other"),
        line(id="C003", field="illness_spells", old_value="", new_value="1"),
    ]
    trial = load_trial(trial_files.write())
    assert value(trial, "baseline_illness_days") == 2
    assert trial.problems.empty


def test_a_correction_to_no_value(trial_files):
    old = trial_files.returns["kent", "baseline"].find("KEN-0009")["overall_absence_days"]
    trial_files.ledger = [line(field="overall_absence_days", old_value=str(float(old)), new_value="")]
    assert np.isnan(value(load_trial(trial_files.write()), "baseline_overall_days"))


def test_an_id_can_be_corrected(trial_files):
    trial_files.returns["kent", "baseline"].find("KEN-0009")["staff_id"] = "KEN-0900"
    trial_files.ledger = [line(staff_id="KEN-0900", field="staff_id", old_value="KEN-0900", new_value="KEN-0009")]
    trial = load_trial(trial_files.write())
    assert value(trial, "in_baseline")
    assert trial.corrections["new_value"].tolist() == ["a staff ID"]
    assert trial.corrections["person"].tolist() == [KENT_9]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E03", {"received_on": "31/05/2020"}),
        ("E03", {"received_on": ""}),
        ("E04", {"wave": "midline"}),
        ("E04", {"authority": "Atlantis"}),
        ("E04", {"study": "goals"}),
        ("E05", {"field": "left"}),
        ("E05", {"field": "local_authority"}),
        ("E06", {"reason": ""}),
        ("E06", {"requested_by": " "}),
        ("E16", {"reason": "bell \x07"}),
        ("E16", {"reason": "turned \u202e around"}),
        ("E16", {"requested_by": "HR \u2066x"}),
        ("E08", {"staff_id": "KEN-7777"}),
        ("E08", {"staff_id": ""}),
        ("E09", {"old_value": "team manager"}),
        ("E09", {"old_value": ""}),
        ("E10", {"new_value": "plumber"}),
        ("E11", {"new_value": "social worker"}),
        ("E11", {"new_value": "SW"}),
    ],
)
def test_a_line_that_does_not_fit_is_refused(trial_files, written_trial, code, changes):
    trial_files.ledger = [line(**changes)]
    ((found, cell, _),) = refusal(trial_files, written_trial)
    assert (found, cell) == (code, "row 2")


def test_ids_are_unique_and_days_do_not_go_back(trial_files):
    trial_files.ledger = [line(), line(wave="interim", received_on="2020-05-01")]
    with pytest.raises(DataError) as caught:
        load_trial(trial_files.write())
    assert [problem.code for problem in caught.value.problems] == ["E02"]
    trial_files.ledger[1]["id"] = "C002"
    trial_files.ledger[1]["old_value"] = trial_files.returns["kent", "interim"].find("KEN-0009")["role"]
    assert load_trial(trial_files.write()).problems["code"].tolist() == ["E12"]


def test_a_correction_is_checked_by_the_rules_like_any_value(trial_files):
    old = trial_files.returns["kent", "baseline"].find("KEN-0009")["overall_absence_days"]
    trial_files.ledger = [line(field="overall_absence_days", old_value=str(old), new_value="-4")]
    with pytest.raises(DataError, match="R06"):
        load_trial(trial_files.write())


@pytest.mark.parametrize("damage", [lambda t: t.replace("reason", "why"), lambda t: t + "C9,2020-06-01,goal\n"])
def test_a_damaged_ledger_is_refused(trial_files, damage):
    trial_files.ledger = [line()]
    root = trial_files.write()
    path = root / "data/corrections.csv"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_trial(root)
    assert [problem.code for problem in caught.value.problems] == ["E01"]


def test_appending_checks_first(trial_files):
    root = trial_files.write()
    write_csv(root / "data/corrections.csv", [], LEDGER_COLUMNS)
    wanted = {name: text for name, text in line().items() if name not in ("id", "study")}
    assert append_correction(root, **wanted).id == "C001"
    assert value(load_trial(root), "role") == "other"
    before = (root / "data/corrections.csv").read_bytes()
    with pytest.raises(DataError, match="E09"):
        append_correction(root, **wanted)  # the old value has been corrected already
    with pytest.raises(DataError, match="R06"):
        append_correction(
            root,
            **wanted
            | {
                "field": "service_months",
                "new_value": "-1",
                "old_value": str(trial_files.returns["kent", "baseline"].find("KEN-0009")["service_months"]),
            },
        )
    with pytest.raises(DataError, match="E04"):
        append_correction(root, **wanted | {"authority": "Atlantis"})
    with pytest.raises(DataError, match="E02"):
        append_correction(root, **wanted | {"old_value": "other", "new_value": "team manager", "id": "C001"})
    assert (root / "data/corrections.csv").read_bytes() == before
    assert append_correction(root, **wanted | {"old_value": "other", "new_value": "team manager"}).id == "C002"
    assert value(load_trial(root), "role") == "team manager"
    assert not list(root.rglob("*.partial"))


def test_a_return_that_is_not_the_recorded_one_is_not_corrected(trial_files):
    root = trial_files.write()
    write_csv(root / "data/corrections.csv", [], LEDGER_COLUMNS)
    changed = next((root / f"data/returns/{STUDY}/kent").glob("baseline.*"))
    changed.write_bytes(changed.read_bytes() + b" ")
    before = (root / "data/corrections.csv").read_bytes()
    with pytest.raises(DataError, match="M03"):
        append_correction(root, **{name: text for name, text in line().items() if name not in ("id", "study")})
    assert (root / "data/corrections.csv").read_bytes() == before
