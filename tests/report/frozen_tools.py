"""A small project whose results are ready and whose rendered report is a stand-in: for releases, changes, bundles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from whole_tools import ask_chance_less

from hhp_stats.processes.progress import silent
from hhp_stats.running import run
from hhp_stats.running.run import studies_of
from hhp_stats.studies.kept import note_key

ROOT = Path(__file__).resolve().parents[2]

ONLY = tuple(study for study in studies_of(ROOT) if study.key == "goal_setting")

INDEX = """\
# Summary {#sec-summary}

```{python}
from hhp_stats.present import goal_setting

gs = goal_setting.chapter(document="index.qmd")
```

`{python} gs.say("primary")` `{python} gs.say("sample")`

```{python}
#| label: tbl-gs-primary
#| tbl-cap: "Planned analysis"
gs.table("primary")
```

```{python}
gs.figure("absence_versions")
```
"""

CONFIG = """\
project:
  type: book
  execute-dir: project
book:
  title: "Small"
  date: 2024-01-02
  chapters: [index.qmd, report/H-changes.qmd]
  author: "Evaluation team"
lang: en-GB
number-sections: true
execute:
  echo: false
format:
  html: default
  typst:
    citeproc: true
"""


def small_book(home: Path) -> Path:
    """Data of the project, a book of two chapters, few draws; no results yet."""
    home.mkdir(parents=True)
    skipped = shutil.ignore_patterns("releases", "*.partial", "imprint.toml")  # of another title and date
    shutil.copytree(ROOT / "data", home / "data", ignore=skipped)
    (home / "report").mkdir()
    shutil.copy(ROOT / "report/H-changes.qmd", home / "report/H-changes.qmd")
    shutil.copy(ROOT / "report/_synthetic.qmd", home / "report/_synthetic.qmd")
    (home / "index.qmd").write_text(INDEX, encoding="utf-8")
    (home / "_quarto.yml").write_text(CONFIG, encoding="utf-8")
    ask_chance_less(home)
    return home


def with_results(home: Path) -> Path:
    """Run the goal-setting trial unless its results stand, and put a stand-in for the rendered report beside them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run, "studies_of", lambda root: ONLY)
        run.run_studies(home, progress=lambda study: silent)
    vouch(home)
    output = home / "_output"
    (output / "assets").mkdir(parents=True, exist_ok=True)
    (output / "index.html").write_text("<!doctype html><body>Report</body>", encoding="utf-8")
    (output / "assets/page.css").write_text("p {}", encoding="utf-8")
    (output / "report.pdf").write_bytes(b"%PDF-1.7 stand-in")
    shutil.copy(home / ".report/results/results.csv", output / "results.csv")
    return home


def vouch(home: Path) -> None:
    """Say that the results belong to the inputs and the code of this moment."""
    for study in ONLY:
        note_key(home, study.key, study.key_now(home))


def as_real(home: Path) -> None:
    """Say that the data are real, and that the results belong to them."""
    manifest = home / "data/manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"synthetic"', '"real"', 1), encoding="utf-8")
    vouch(home)
