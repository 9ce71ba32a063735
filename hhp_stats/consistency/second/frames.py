"""The analysis frames of a study: columns that its recipes share, one row a person, and the completed data sets."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.consistency.second.recipe import Recipe
from hhp_stats.errors import HhpError

FOLDER = "analysis"
RECIPES, COLUMNS = "recipes.json", "columns.csv"
PERSON, IMPUTATION = "person", "imputation"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisFrames:
    """The frames by name, what their columns mean, and the recipes that use them.

    `people` frames hold one row a person (or a decision) with a running number `person`. `imputed` frames hold the rows
    `imputation`, `person` of those with a gap, and in each column the value that completes it, empty where it is
    recorded.
    """

    people: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    imputed: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by frame and column
    recipes: tuple[Recipe, ...] = ()

    def write(self, folder: Path, *, dictionary: Path) -> None:
        """Write the frames with their columns' meanings and the recipes into `folder`, which only its owner may open.

        Personal data where a study is real: the folder lies with the study's results, never with what is published.
        What no study explained is looked up in the `dictionary` of the fields.
        """
        if not self.recipes:
            return
        folder.mkdir(mode=0o700, parents=True)
        for name, frame in self.people.items():
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        for name, frame in self.imputed.items():
            _write_imputed(frame, folder / f"{name}.csv.gz")
        known = _dictionary(dictionary)
        lines = [
            {
                "frame": f"{name}.csv{end}",
                "column": column,
                "meaning": self.meanings.get(name, {}).get(str(column))
                or known.get(str(column))
                or str(column).replace("_", " "),
            }
            for frames, end in ((self.people, ""), (self.imputed, ".gz"))
            for name, frame in frames.items()
            for column in frame.columns
        ]
        pd.DataFrame(lines).to_csv(folder / COLUMNS, index=False, lineterminator="\n")
        text = json.dumps([recipe.record() for recipe in self.recipes], indent=1)
        (folder / RECIPES).write_text(text, encoding="utf-8")


def recipes_of(folder: Path) -> Path:
    """Where the recipes of a study lie, below the folder of its results."""
    return folder / FOLDER / RECIPES


def read_recipes(folder: Path) -> dict[str, Recipe]:
    """The recipes of a study by result id; none where it has written none. Refuses a damaged file (HhpError)."""
    path = recipes_of(folder)
    if not path.is_file():
        return {}
    try:
        found = [Recipe.of(record) for record in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError) as problem:
        raise HhpError(f"{path}: the recipes cannot be read ({problem}); run `hhp results --fresh`") from problem
    return {recipe.result_id: recipe for recipe in found}


def read_frames(folder: Path) -> AnalysisFrames:
    """The frames that a study wrote, for programmes that do not want to read files themselves."""
    home = folder / FOLDER
    recipes = tuple(read_recipes(folder).values())
    texts: dict[str, dict[str, str]] = {}
    for recipe in recipes:
        texts.setdefault(recipe.frame, {}).update(dict.fromkeys(recipe.categories, "str"))
    people = {
        path.stem: pd.read_csv(path, dtype=texts.get(path.stem), keep_default_na=False, na_values=[""])
        for path in sorted(home.glob("*.csv"))
        if path.name != COLUMNS
    }
    imputed = {path.name.split(".")[0]: pd.read_csv(path) for path in sorted(home.glob("*.csv.gz"))}
    return AnalysisFrames(people=people, imputed=imputed, recipes=recipes)


def _dictionary(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["field"]: row["meaning"] or row["column_label"] for row in csv.DictReader(stream)}


def _write_imputed(frame: pd.DataFrame, path: Path) -> None:
    """As `to_csv`, several times faster: imputed values repeat, so each is turned into text once."""
    columns = [_texts(frame[name].to_numpy()) for name in frame.columns]
    text = "\n".join([",".join(map(str, frame.columns)), *map(",".join, zip(*columns, strict=True)), ""])
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as packed:
        packed.write(text.encode())


def _texts(values: npt.NDArray[np.generic]) -> list[str]:
    codes, levels = pd.factorize(values, use_na_sentinel=False)
    texts = np.array(["" if value != value else repr(value.item()) for value in levels], dtype=object)
    return list(texts[codes])


class Shelf:
    """Gathers the columns of one frame while recipes are made, so that analyses share what is the same.

    `people` gives the rows; what is put must be known by its index and may cover some of them. A name holds one column:
    to put other values under it is refused (HhpError).
    """

    def __init__(self, people: pd.DataFrame) -> None:
        self.index = people.index
        self.columns: dict[str, pd.Series] = {}
        self.meanings: dict[str, str] = {PERSON: "running number of the row: no identifier of the source"}

    def put(self, name: str, values: pd.Series, meaning: str = "") -> str:
        """Keep `values` as column `name`; returns the name."""
        if values.dtype == bool:
            values = values.astype("int64")
        kept = self.columns.get(name)
        if kept is None:
            self.columns[name] = values.reindex(self.index)
        elif not kept.equals(new := values.reindex(self.index)):
            both = kept.notna() & new.notna()
            if not (kept[both].to_numpy() == new[both].to_numpy()).all():
                raise HhpError(f"analysis frame: two different columns are called {name}")
            if new[kept.isna()].notna().any():
                self.columns[name] = kept.where(kept.notna(), new)
        if meaning:
            self.meanings.setdefault(name, meaning)
        return name

    def put_number(self, name: str, labels: pd.Series, meaning: str) -> str:
        """Keep groups by a number in order of their appearance: their names stay out."""
        codes, _ = pd.factorize(labels)
        return self.put(name, pd.Series(codes + 1, index=labels.index), meaning)

    def frame(self) -> pd.DataFrame:
        """The columns gathered, with the running number first."""
        return pd.DataFrame(
            {PERSON: np.arange(1, len(self.index) + 1), **{n: c.to_numpy() for n, c in self.columns.items()}}
        )


def stacked(
    completed: Mapping[str, npt.NDArray[np.float64]], known: Mapping[str, npt.NDArray[np.bool_]]
) -> pd.DataFrame:
    """The completing values of m data sets below each other: `completed` (m, n) and `known` (n,) by column.

    Rows: every person with a gap in one of the columns, in every data set. Where a value is recorded the column is
    empty.
    """
    gaps = np.logical_or.reduce([~mask for mask in known.values()])
    people = np.flatnonzero(gaps)
    m = len(next(iter(completed.values())))
    columns: dict[str, npt.NDArray[np.generic]] = {
        IMPUTATION: np.repeat(np.arange(1, m + 1), len(people)),
        PERSON: np.tile(people + 1, m),
    }
    for name, values in completed.items():
        columns[name] = np.where(known[name][people], np.nan, values[:, people]).ravel()
    return pd.DataFrame(columns)


def varies(column: pd.Series) -> bool:
    """Whether a column holds more than one value: a constant covariate is no term."""
    return len(column.unique()) > 1


class Factor(Protocol):
    """What a term of a plan says about its levels."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def base(self) -> str | None: ...  # noqa: D102
    @property
    def levels(self) -> Sequence[str]: ...  # noqa: D102


def base_of(column: pd.Series, term: Factor) -> str:
    """The base level of a categorical term among those analysed, "" of another kind: the plan's, or the first one
    present.
    """
    if term.kind != "categorical":
        return ""
    present = set(column.unique())
    if term.base in present:
        return str(term.base)
    return str(next(level for level in (term.levels or sorted(present)) if level in present))
