"""`hhp audit` on the project's own figures and on files of others: verdicts, JSON, exit status, refusals."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from hhp_stats.consistency.command import run_audit
from hhp_stats.consistency.figures_file import read_figures
from hhp_stats.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
HEADING = "id,trial,outcome,research_question,group,statistic,value,as_printed,unit,source_file,source_line,note"


def manuscript(folder: Path, *, p: str = "0.57", mean: str = "5.53", extra: str = "") -> Path:
    """Two arms and their difference, in the numbers of the perceived social worth scale."""
    rows = [
        HEADING,
        f"X-T-M,mine,worth,RQ1,treatment,mean,{mean},{mean},points,ms.txt,1,",
        "X-T-SE,mine,worth,RQ1,treatment,se,0.10,.10,points,ms.txt,1,",
        "X-T-N,mine,worth,RQ1,treatment,n,200,200,persons,ms.txt,1,",
        "X-C-M,mine,worth,RQ1,control,mean,5.61,5.61,points,ms.txt,1,",
        "X-C-SE,mine,worth,RQ1,control,se,0.10,.10,points,ms.txt,1,",
        "X-C-N,mine,worth,RQ1,control,n,219,219,persons,ms.txt,1,",
        f"X-P,mine,worth,RQ1,difference,p,{p},{p},probability,ms.txt,2,",
        "X-DIR,mine,worth,RQ1,difference,stated_direction,-1,slightly lower,sign,ms.txt,2,",
    ]
    file = folder / "manuscript.csv"
    file.write_text("\n".join(rows) + ("\n" + extra if extra else "") + "\n", encoding="utf-8")
    return file


def verdicts(file: Path) -> dict[str, str]:
    return run_audit(ROOT, file).verdicts.set_index("id")["verdict"].to_dict()


def test_own_figures_hold_known_contradictions() -> None:
    report = run_audit(ROOT)
    found = report.verdicts.set_index("id")["verdict"]
    for figure in ("BEN-PSW-P", "BEN-PSW-DIR", "MOD-CONN-DIR", "DIVJ-JME-SE"):
        assert found[figure] == "does_not_reproduce"
    assert found["DIVB-B-SE"] == "another_reading"
    assert sum(report.counts.values()) == len(report.verdicts)
    assert report.exit_status == 1


def test_sound_manuscript_passes(tmp_path: Path) -> None:
    report = run_audit(ROOT, manuscript(tmp_path))
    assert report.exit_status == 0
    assert report.counts["reproduces"] == 2 and not report.remarks


@pytest.mark.parametrize(("change", "figure"), [({"p": "0.05"}, "X-P"), ({"mean": "5.89"}, "X-DIR")])
def test_planted_slip_is_found(tmp_path: Path, change: dict[str, str], figure: str) -> None:
    report = run_audit(ROOT, manuscript(tmp_path, **change))
    assert report.exit_status == 1
    assert verdicts(manuscript(tmp_path, **change))[figure] == "does_not_reproduce"


def test_arms_with_standard_deviations_are_compared_too(tmp_path: Path) -> None:
    """1.414 over the root of 200 and 1.480 over that of 219 are standard errors of .10: the same p, no other reading."""

    def deviations(p: str) -> Path:
        text = manuscript(tmp_path, p=p).read_text(encoding="utf-8")
        text = text.replace(
            "X-T-SE,mine,worth,RQ1,treatment,se,0.10,.10", "X-T-SD,mine,worth,RQ1,treatment,sd,1.41,1.41"
        )
        text = text.replace("X-C-SE,mine,worth,RQ1,control,se,0.10,.10", "X-C-SD,mine,worth,RQ1,control,sd,1.48,1.48")
        file = tmp_path / "deviations.csv"
        file.write_text(text, encoding="utf-8")
        return file

    assert not run_audit(ROOT, deviations("0.57")).remarks
    assert verdicts(deviations("0.57"))["X-P"] == "reproduces"
    assert verdicts(deviations("0.05"))["X-P"] == "does_not_reproduce"


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    report = run_audit(ROOT, manuscript(tmp_path, p="0.05"))
    stream = io.StringIO()
    report.show(Console(file=stream, width=120))
    text, record = stream.getvalue(), json.loads(json.dumps(report.record()))
    assert "X-P" in text and "X-DIR" not in text  # only what fails, unless everything is asked for
    assert record["counts"] == report.counts and len(record["figures"]) == 8
    assert next(row for row in record["figures"] if row["id"] == "X-T-SE")["recomputed"] is None
    report.show(Console(file=stream, width=120), everything=True)
    assert "X-DIR" in stream.getvalue()


@pytest.mark.parametrize(
    ("row", "code", "place"),
    [
        ('X-2,mine,worth,RQ1,all,n,"1,969","1,969",persons,ms.txt,1,', "B08", "row 10, column value"),
        ("X-2,mine,worth,RQ1,all,p,1.2,1.2,probability,ms.txt,1,", "B09", "row 10, column value"),
        ("X-2,mine,worth,RQ1,all,n,12.5,12.5,persons,ms.txt,1,", "B09", "row 10, column value"),
        ("X-2,mine,worth,RQ1,all,se,0,0,points,ms.txt,1,", "B09", "row 10, column value"),
        ("X-2,mine,worth,RQ1,difference,stated_direction,2,higher,sign,ms.txt,1,", "B09", "row 10, column value"),
        ("X-P,mine,worth,RQ1,all,n,12,12,persons,ms.txt,1,", "B10", "row 10, column id"),
        (",mine,worth,RQ1,all,n,12,12,persons,ms.txt,1,", "B07", "row 10, column id"),
        ("X-2,mine,worth,RQ1,all,n,12,12,persons,ms.txt", "B06", "row 10"),
        ("X-2,mine,worth,RQ1,all,n,inf,many,persons,ms.txt,1,", "B08", "row 10, column value"),
    ],
)
def test_wrong_rows_are_refused_with_their_place(tmp_path: Path, row: str, code: str, place: str) -> None:
    with pytest.raises(DataError) as error:
        run_audit(ROOT, manuscript(tmp_path, extra=row))
    assert [(problem.code, problem.cell) for problem in error.value.problems] == [(code, place)]
    assert error.value.problems[0].remedy and "manuscript.csv" in str(error.value)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    extra = "X-2,mine,worth,RQ1,all,n,x,x,persons,ms.txt,1,\nX-3,mine,worth,RQ1,all,p,7,7,probability,ms.txt,1,"
    with pytest.raises(DataError) as error:
        read_figures(manuscript(tmp_path, extra=extra))
    assert [problem.code for problem in error.value.problems] == ["B08", "B09"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "B03"), (HEADING.encode() + b"\n", "B03"), (b"id,trial\nX,y\n", "B04"), (b"\xff\xfe\x00", "B02")],
)
def test_wrong_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(content)
    with pytest.raises(DataError) as error:
        run_audit(ROOT, file)
    assert error.value.problems[0].code == code
    with pytest.raises(DataError, match="B01"):
        run_audit(ROOT, tmp_path / "absent.csv")


def test_heading_with_capitals_is_named(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(HEADING.replace("as_printed", "As printed") + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="Rename 'As printed'"):
        run_audit(ROOT, file)


def test_unchecked_rows_are_remarked(tmp_path: Path) -> None:
    extra = (
        "Y-P,mine,other,RQ1,difference,p,0.3,.30,probability,ms.txt,1,\n"
        "Y-1,mine,other,RQ1,all,maen,3,3,points,ms.txt,1,\nY-2,mine,other,RQ1,all,n,419,428,persons,ms.txt,1,"
    )
    report = run_audit(ROOT, manuscript(tmp_path, extra=extra))
    assert sorted(remark.code for remark in report.remarks) == ["B11", "B12", "B13"]
    assert report.exit_status == 0


def test_order_of_rows_changes_no_verdict(tmp_path: Path) -> None:
    frame = pd.read_csv(ROOT / "data/published/published_results.csv", dtype="str", keep_default_na=False)
    turned = frame.iloc[::-1]
    # The check of repeated figures holds the later against the earlier, so it follows the order by design.
    file = tmp_path / "turned.csv"
    turned.to_csv(file, index=False)
    one = run_audit(ROOT, ROOT / "data/published/published_results.csv").verdicts.set_index("id")
    two = run_audit(ROOT, file).verdicts.set_index("id").loc[one.index]
    kept = (one["kind"] != "repeat") & (two["kind"] != "repeat")
    assert kept.sum() > 300
    assert (one["verdict"] == two["verdict"])[kept].all()
