"""Full disks, read-only folders, damaged caches, kills and two runs at once: the last good report stays, the next run
recovers.

test_render_errors.py has failing statements, interrupts, and a kill between the two renames.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from book_tools import WriteBook

from hhp_stats.disclosure.declared import Declared, Row, counted
from hhp_stats.errors import RenderError
from hhp_stats.plan.conduct import Conduct
from hhp_stats.processes.at_work import NotWritten, ProjectBusy, at_work
from hhp_stats.publish import render, render_book
from hhp_stats.results.frame import Estimate, read_results, result_frame
from hhp_stats.running import rerun, run
from hhp_stats.running.run import run_studies
from hhp_stats.running.study import Study
from hhp_stats.studies.output import FOLDER, StudyOutput, read_output

ROOT = Path(__file__).resolve().parents[2]
GOOD = "# One {#sec-one}\n\nGood words.\n"
CODE = "# One {#sec-one}\n\n```{python}\nx = 1 + 1\n```\n\nIt is `{python} x`.\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def render_html(root: Path, **more) -> render.RenderReport:
    return render_book(root=root, output=root / "_output", formats=["html"], **more)


def left_over(root: Path) -> list[str]:
    return [file.name for file in root.iterdir() if file.name.startswith("._output")]


# ------------------------------------------------------------------ rendering
def test_full_disk_while_writing_pages_keeps_the_last_report(
    write_book: WriteBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_book(GOOD)
    render_html(root)
    before = contents(root / "_output")
    write_book(GOOD.replace("Good", "Other"))
    real = Path.write_text

    def full(self: Path, *words, **named):
        if self.name == "one.html":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return real(self, *words, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(NotWritten, match=r"one\.html: the disk is full.*last report stay"):
            render_html(root)
    assert contents(root / "_output") == before and left_over(root) == []
    render_html(root)
    assert "Other words" in (root / "_output/one.html").read_text(encoding="utf-8")


def test_full_disk_while_copying_the_results_keeps_the_last_report(
    write_book: WriteBook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = write_book(GOOD)
    table = tmp_path / "results.csv"
    table.write_text("a\n", encoding="utf-8")
    render_html(root, attachments=[table])
    before = contents(root / "_output")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(render.shutil, "copyfile", full)
    with pytest.raises(NotWritten, match="the disk is full"):
        render_html(root, attachments=[table])
    assert contents(root / "_output") == before and left_over(root) == []


def test_read_only_place_is_named(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book(GOOD)
    render_html(root)
    before = contents(root / "_output")
    real = Path.mkdir

    def read_only(self: Path, *words, **named) -> None:  # an administrator may write in spite of permissions
        if self.name.startswith("._output.new"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))
        real(self, *words, **named)

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(NotWritten, match=r"_output\.new.*: the place is read only: choose another folder"):
        render_html(root)
    assert contents(root / "_output") == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_read_only_folder_for_an_ordinary_user(write_book: WriteBook, tmp_path: Path) -> None:
    root, closed = write_book(GOOD), tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    try:
        with pytest.raises(NotWritten, match="you may not write there"):
            render_book(root=root, output=closed / "report", formats=["html"])
    finally:
        closed.chmod(0o700)


def test_damaged_kept_outputs_are_made_again(write_book: WriteBook) -> None:
    root = write_book(CODE)
    assert render_html(root).executed == ("one.qmd",)
    page = (root / "_output/one.html").read_bytes()
    kept = next((root / ".report/cache").glob("one-*.json"))
    whole = kept.read_bytes()
    for damage in (b"", whole[: len(whole) // 2], b'{"read": {}, "outputs": []}'):
        kept.write_bytes(damage)
        assert render_html(root).executed == ("one.qmd",), damage[:20]
        assert (root / "_output/one.html").read_bytes() == page
    assert render_html(root).reused == ("one.qmd",)


def test_two_renders_at_once_the_second_is_told(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book(GOOD)
    entered, leave = threading.Event(), threading.Event()
    real = render.write_site

    def slow(*words, **named):
        entered.set()
        assert leave.wait(30)
        return real(*words, **named)

    monkeypatch.setattr(render, "write_site", slow)
    first = threading.Thread(target=render_html, args=[root])
    first.start()
    try:
        assert entered.wait(30)
        with pytest.raises(ProjectBusy, match=rf"another process \({os.getpid()}\) is at work here \(render\)"):
            render_html(root)
    finally:
        leave.set()
        first.join()
    assert "Good words" in (root / "_output/one.html").read_text(encoding="utf-8")
    render_html(root)
    assert left_over(root) == []


def test_a_lock_file_of_a_dead_process_is_no_lock(write_book: WriteBook) -> None:
    root = write_book(GOOD)
    (root / ".report").mkdir()
    (root / ".report/render.lock").write_text("4194305\n", encoding="ascii")
    assert render_html(root).pages
    assert (root / ".report/render.lock").read_text(encoding="ascii") == ""


def test_killed_in_the_middle_then_recovered(write_book: WriteBook) -> None:
    root = write_book(GOOD)
    render_html(root)
    before = contents(root / "_output")
    slow = (
        "# One {#sec-one}\n\n```{python}\nimport pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n```\n"
    )
    write_book(slow)
    code = (
        "import sys; from pathlib import Path; from hhp_stats.publish import render_book\n"
        "root = Path(sys.argv[1]); render_book(root=root, output=root / '_output', formats=['html'])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(root)], env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        until = time.monotonic() + 60
        while not (root / "started").exists():
            assert time.monotonic() < until and process.poll() is None, "the chapter never began to run"
            time.sleep(0.05)
        with pytest.raises(ProjectBusy, match=rf"\({process.pid}\)"):
            render_html(root)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert contents(root / "_output") == before
    assert left_over(root) == [f"._output.new-{process.pid}"]
    write_book(GOOD.replace("Good", "Mended"))
    render_html(root)
    assert "Mended words" in (root / "_output/one.html").read_text(encoding="utf-8")
    assert left_over(root) == []


def test_other_errors_are_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), at_work(tmp_path, "render"):
        (tmp_path / "nothing").read_text(encoding="utf-8")
    with pytest.raises(RenderError), at_work(tmp_path, "render"):
        raise RenderError("a.qmd", 1, "wrong")
    with at_work(tmp_path, "render"), at_work(tmp_path, "results"):
        pass  # two kinds of work do not stand in each other's way


# ------------------------------------------------------------------ results
def output(estimate: float) -> StudyOutput:
    made = Estimate(estimate=estimate, std_error=1.0, df=np.inf, n=10, n_clusters=2, method="m")
    row = made.row(
        result_id="toy/days/itt/ols",
        population="all",
        contrast="a minus b",
        analysis="exploratory",
        clause="P1",
        source="x.y",
    )
    return StudyOutput(
        study="toy",
        results=result_frame([row]),
        tables={"flow": pd.DataFrame({"stage": ["in"], "people": [10]})},
        conduct=(Conduct(study="toy", analysis="days/itt/ols", aspect="model", value="ols"),),
        declared=Declared(
            people=10,
            columns={"flow": {"people": counted([[True] * 10])}},
            rows={"toy/days/itt/ols": Row(n=np.ones(10, dtype=bool))},
        ),
    )


class Toy(Study):
    """A study whose next output is put into a list."""

    __slots__ = ()
    waiting: list[StudyOutput] = []
    ran = 0

    def run(self, root: Path, progress) -> StudyOutput:
        type(self).ran += 1
        return self.waiting[-1]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    toys = (Toy(key="toy", runs="hhp_stats.results.frame:run", patterns=("input.csv",)),)
    monkeypatch.setattr(run, "studies_of", lambda root: toys)
    monkeypatch.setattr(rerun, "load_commitments", lambda root: ())
    monkeypatch.setattr(rerun, "load_deviations", lambda root: ())
    monkeypatch.setattr(rerun, "differences", lambda commitments, conduct: [])
    monkeypatch.setattr(Toy, "waiting", [output(1.0)])
    monkeypatch.setattr(Toy, "ran", 0)
    (tmp_path / "input.csv").write_text("1\n", encoding="utf-8")
    (tmp_path / "data/plan").mkdir(parents=True)
    (tmp_path / "data/manifest.toml").write_text('status = "synthetic"\n', encoding="utf-8")
    rule = '[disclosure]\nrule = "withhold"\nthreshold = 5\nzeros = "published"\n'
    (tmp_path / "data/plan/toy.toml").write_text(rule, encoding="utf-8")
    return tmp_path


def results(root: Path) -> float:
    run_studies(root, progress=lambda study: lambda done, total: None)
    return float(read_results(root / FOLDER / "results.csv")["estimate"].iloc[0])


def test_full_disk_while_writing_results_keeps_the_last_ones(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert results(toy) == 1.0
    before = contents(toy / FOLDER)
    (toy / "input.csv").write_text("2\n", encoding="utf-8")
    Toy.waiting.append(output(2.0))
    for name in ("results.csv.partial", "flow.csv", "conduct.csv"):
        real = pd.DataFrame.to_csv

        def full(self: pd.DataFrame, path: Path, *words, name: str = name, real=real, **named) -> None:
            if Path(path).name == name:
                Path(path).write_text("half", encoding="utf-8")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            real(self, path, *words, **named)

        with monkeypatch.context() as patched:
            patched.setattr(pd.DataFrame, "to_csv", full)
            with pytest.raises(NotWritten, match="the disk is full"):
                results(toy)
        assert {key: value for key, value in contents(toy / FOLDER).items() if ".partial/" not in key} == before
    assert results(toy) == 2.0
    assert not list((toy / FOLDER).glob("*.partial")) and not list((toy / FOLDER).glob("*.old"))


def test_damaged_results_are_made_again(toy: Path) -> None:
    results(toy)
    assert (results(toy), Toy.ran) == (1.0, 1)
    folder = toy / FOLDER / "toy"
    for number, (name, damage) in enumerate(
        [
            ("results.csv", b""),
            ("results.csv", b"result_id,study\nx"),
            ("results.csv", b"\xff\xfe"),
            ("conduct.csv", b""),
            ("flow.csv", b""),
            ("key.txt", b"\xff\xfe"),
            ("key.txt", b""),
        ],
        start=2,
    ):
        (folder / name).write_bytes(damage)
        assert (results(toy), Toy.ran) == (1.0, number), name
    (folder / "results.csv").unlink()
    assert results(toy) == 1.0


def test_results_killed_between_the_renames_are_made_again(toy: Path) -> None:
    results(toy)
    folder = toy / FOLDER / "toy"
    folder.rename(folder.with_name("toy.old"))  # as after a kill between the two renames
    folder.with_name("toy.partial").mkdir()
    (folder.with_name("toy.partial") / "flow.csv").write_text("half", encoding="utf-8")
    assert results(toy) == 1.0
    (toy / "input.csv").write_text("3\n", encoding="utf-8")
    Toy.waiting.append(output(3.0))
    assert results(toy) == 3.0
    assert float(read_output(toy, "toy").results["estimate"].iloc[0]) == 3.0
    assert sorted(path.name for path in (toy / FOLDER).iterdir()) == ["results.csv", "toy", "whole.json"]


def test_two_result_runs_at_once_the_second_is_told(toy: Path) -> None:
    with at_work(toy, "results"), pytest.raises(ProjectBusy, match="wait until it is done"):
        results(toy)
    assert results(toy) == 1.0
