"""A slip in any file of the plans is said by `hhp check`, not by the page that would print it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError, RenderError
from hhp_stats.plan.catalogue import PLANS
from hhp_stats.plan.every_file import check_plan_files, readings
from hhp_stats.plan.glossary import GLOSSARY

ROOT = Path(__file__).resolve().parents[2]
SLIP = "unheard_of"
_HEAD = re.compile(r"^\[+[^\]\n]+\]+[ \t]*(?:#.*)?$", re.MULTILINE)
_WITHIN = re.compile(r"^(?P<before>[\w\"./-]+ = (?:\[\s*)?\{ ?)(?=\S)", re.MULTILINE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plans, what they cite, and the sources whose sections they name."""
    home = tmp_path_factory.mktemp("plans")
    for part in ("data/plan", "data/published", "report"):
        shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd", "data/dictionary.csv", "data/imprint.toml", "data/manifest.toml"):
        shutil.copy(ROOT / name, home / name)
    return home


def slips(text: str) -> Iterator[tuple[str, str]]:
    """An unknown key at the head, in the last table of each name and within a table on one line; an unknown
    table and an unknown list at the end.
    """
    yield "head", f"{SLIP} = 1\n{text}"
    yield "table", f"{text}\n[{SLIP}]\nname = 1\n"
    yield "list", f"{text}\n[[{SLIP}]]\nname = 1\n"
    heads: dict[str, list[int]] = {}
    for found in _HEAD.finditer(text):
        heads.setdefault(found[0].split("#")[0].strip(), []).append(found.end())
    for name, ends in heads.items():
        yield name, f"{text[: ends[-1]]}\n{SLIP} = 1{text[ends[-1] :]}"
    if within := _WITHIN.search(text):
        yield within[0], f"{text[: within.end()]}{SLIP} = 1, {text[within.end() :]}"


FILES = tuple(readings(ROOT))
# Keys of these tables are names that somebody chose.
CHOSEN = ("[published]", "[consort]", "[data.columns]", "[arm_labels]", "[facts]", "arms = { ")


@pytest.mark.parametrize("file", FILES)
def test_no_file_takes_a_key_that_nobody_reads(home: Path, file: str) -> None:
    path = home / file
    whole = path.read_text(encoding="utf-8")
    silent, said = [], 0
    try:
        for place, text in slips(whole):
            path.write_text(text, encoding="utf-8")
            try:
                readings(home)[file](home)
            except (PlanError, RenderError) as refused:
                said += 1
                assert file in str(refused) and (SLIP in str(refused) or place in CHOSEN), (place, str(refused))
            else:
                silent.append(place)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert [place for place in silent if place not in CHOSEN] == [] and said >= 3


def test_every_file_has_its_reader_and_a_misnamed_one_is_refused(home: Path) -> None:
    below = {f"{PLANS}/{path.name}" for path in (home / PLANS).glob("*.toml")}
    drawn = {file for file in below if "/synthetic_" in file}
    assert below - set(FILES) == drawn and GLOSSARY in FILES
    check_plan_files(home)
    for name, like in (("intervention.toml", "interventions.toml"), ("synthetic_swng.toml", "synthetic_swing.toml")):
        stray = home / PLANS / name
        stray.write_text("[[intervention]]\nstudy = 'swing'\n", encoding="utf-8")
        try:
            with pytest.raises(PlanError, match=rf"{name}, the file: is read by nothing\..*Did you mean .*{like}"):
                check_plan_files(home)
        finally:
            stray.unlink()


@pytest.mark.parametrize("asked", [(), ("swing",)])
def test_the_command_says_it(tmp_path: Path, asked: tuple[str, ...]) -> None:
    for part in ("data", "report"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("figures", "releases", ".removed"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, tmp_path / name)
    facts = tmp_path / "data/plan/study_facts.toml"
    facts.write_text(facts.read_text(encoding="utf-8").replace("\nethics = ", "\nethic = ", 1), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "hhp_stats", "check", *asked],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "300", "PATH": ""},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "data/plan/study_facts.toml" in said and "has an unknown key 'ethic'" in said
    assert "Did you mean 'ethics'" in said and "study goal_setting" in said
