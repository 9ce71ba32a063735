"""Every printed figure against the pipeline: which come back, which do not and why, and which have no counterpart.

The lists are data: `data/published/mapping_*.csv` (figure to result), `mapping_words.csv` (sentence to result),
`other_readings.csv` (what comes back only if it is read in another way than printed), `unmatched_*.csv` (what does not
come back, with the conflict that explains it) and `not_compared.csv` (what nothing in the release could give).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table
from hhp_stats.errors import InvalidInput, UnknownName

FOLDER = "data/published"
WORDS = "mapping_words.csv"
READINGS = "other_readings.csv"
NOT_COMPARED = "not_compared.csv"
COLUMNS = (
    "id",
    "trial",
    "outcome",
    "statistic",
    "as_printed",
    "value",
    "result_id",
    "ours",
    "said",
    "standing",
    "conflict",
    "reason",
)
Standing = Literal["reproduced", "other_reading", "not_reproduced", "not_compared"]
STANDINGS: tuple[Standing, ...] = ("reproduced", "other_reading", "not_reproduced", "not_compared")
REASONS: Mapping[str, str] = {
    "other_source": "other surveys and statistics, of which the release holds no data",
    "costs": "costs of the Schwartz rounds, whose accounts are not in the release",
    "interview": "interviews and guesses of interviewees, of which there are no raw files",
    "assumption": "assumptions made before a trial",
    "instrument": "ends of a scale",
}
DATA_DIFFER = "The data differ"  # why a figure does not come back that no conflict explains
WITHHELD_HERE = "Withheld here to protect a count of very few people"
_DIRECTION, _SIGNIFICANCE = "stated_direction", "stated_significant"
SMALLEST_TEST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists that say what each printed figure is held against."""

    mapping: pd.DataFrame  # published_id, result_id, column, decimals, factor
    words: Mapping[str, tuple[str, ...]]  # sentence: result ids, a leading hyphen turns the sign
    readings: Mapping[str, tuple[str, str]]  # figure: conflict, the reading under which it comes back
    unmatched: Mapping[str, str]  # figure: conflict
    not_compared: Mapping[str, str]  # figure: key of REASONS


def read_lists(root: Path) -> Lists:
    """Read the lists below `data/published`.

    Refuses (InvalidInput) a figure that stands in two lists of counterparts, or twice in one list of reasons, and a
    reason that is not a key of REASONS (UnknownName).
    """
    folder = root / FOLDER
    groups = sorted(path.stem.removeprefix("mapping_") for path in folder.glob("mapping_*.csv") if path.name != WORDS)
    mapping = pd.concat([read_mapping(root, group) for group in groups], ignore_index=True)
    words = {str(row["published_id"]): tuple(str(row["result_ids"]).split()) for row in _rows(folder / WORDS)}
    readings = {
        str(row["published_id"]): (str(row["conflict"]), str(row["reading"])) for row in _rows(folder / READINGS)
    }
    unmatched = {
        str(row["published_id"]): str(row["conflict"])
        for path in sorted(folder.glob("unmatched_*.csv"))
        for row in _rows(path)
    }
    not_compared = {str(row["published_id"]): str(row["reason"]) for row in _rows(folder / NOT_COMPARED)}
    _refuse_twice(
        [*mapping["published_id"], *words, *not_compared], "has two counterparts, or one and a reason for none"
    )
    _refuse_twice([*readings, *unmatched], "is listed both as coming back under another reading and as not coming back")
    for figure, reason in not_compared.items():
        if reason not in REASONS:
            raise UnknownName(f"{NOT_COMPARED}: {figure} has the reason {reason!r}; known: {', '.join(REASONS)}")
    return Lists(mapping=mapping, words=words, readings=readings, unmatched=unmatched, not_compared=not_compared)


def ledger(published: Figures, results: pd.DataFrame, lists: Lists) -> pd.DataFrame:
    """For every printed figure: does the pipeline give it back, under which reading, and if not, why?

    `published`: the printed figures; `results`: the result frames of all studies with `further_rows`; `lists` as
    `read_lists` has them. One row a figure in the order of `published`, columns `COLUMNS`. `standing`:

    - "reproduced": our number lies within half a unit of the last printed digit, or our estimate has the direction, or
      our p-value the side of five per cent, that the sentence claims;
    - "other_reading": the same, if the figure is read as `reason` says and not as printed;
    - "not_reproduced": it does not, by the conflict named; no conflict is named where the data alone differ, as those
      of a corrected or real release may (`unexplained`), and `reason` says so where our number is withheld;
    - "not_compared": nothing in the release could give it.

    Refuses (InvalidInput) a figure in no list, and a name in a list that no figure has: no share of figures that
    match is worth anything otherwise.
    """
    names = set(published.frame["id"])
    numbers = {
        str(row["published_id"]): row
        for row in reproduction_table(published, results, lists.mapping).to_dict("records")
    }
    by_id = {
        str(row["result_id"]): {str(key): value for key, value in row.items()} for row in results.to_dict("records")
    }
    listed = {*numbers, *lists.words, *lists.not_compared, *lists.readings, *lists.unmatched}
    if listed - names:
        raise InvalidInput(
            f"no printed figure is called {', '.join(sorted(listed - names))}; correct the lists in {FOLDER}"
        )
    rows = []
    for printed in published.frame.to_dict("records"):
        figure = {str(key): value for key, value in printed.items()}
        name = str(figure["id"])
        row = {key: figure[key] for key in ("id", "trial", "outcome", "statistic", "as_printed", "value")}
        row |= {"result_id": "", "ours": math.nan, "said": "", "conflict": "", "reason": ""}
        if name in lists.not_compared:
            rows.append(row | {"standing": "not_compared", "reason": REASONS[lists.not_compared[name]]})
            continue
        if name in numbers:
            found = numbers[name]
            row |= {"result_id": str(found["result_id"]), "ours": float(found["ours"])}
            matches = bool(found["matches"])
        elif name in lists.words:
            ids = lists.words[name]
            matches, said = _claim(figure, [(_result(by_id, name, key), key.startswith("-")) for key in ids])
            row |= {"result_id": " ".join(key.removeprefix("-") for key in ids), "said": said}
        else:
            raise InvalidInput(
                f"{name} is held against nothing: name its result in {FOLDER}/mapping_*.csv, or why there is none in"
                f" {NOT_COMPARED}"
            )
        standing = _standing(name, matches=matches, lists=lists)
        if not matches and by_id.get(str(row["result_id"]), {}).get("status") == "withheld":
            standing["reason"] = WITHHELD_HERE
        rows.append(row | standing)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _standing(name: str, *, matches: bool, lists: Lists) -> dict[str, str]:
    if not matches:
        return {"standing": "not_reproduced", "conflict": lists.unmatched.get(name, "")}
    if name in lists.readings:
        conflict, reading = lists.readings[name]
        return {"standing": "other_reading", "conflict": conflict, "reason": reading}
    return {"standing": "reproduced"}


def unexplained(table: pd.DataFrame) -> list[str]:
    """The figures that do not come back and whose miss no conflict explains: none for a release that was calibrated."""
    missed = table["standing"].eq("not_reproduced") & table["conflict"].eq("") & table["reason"].eq("")
    return table.loc[missed, "id"].tolist()


def explained_in_vain(table: pd.DataFrame, lists: Lists) -> list[str]:
    """The figures that are listed as not coming back and do: their explanation is out of date."""
    return table.loc[table["standing"].ne("not_reproduced") & table["id"].isin(list(lists.unmatched)), "id"].tolist()


def _result(by_id: Mapping[str, dict[str, object]], figure: str, key: str) -> dict[str, object]:
    wanted = key.removeprefix("-")
    if wanted not in by_id:
        raise UnknownName(f"{figure} is held against the result {wanted!r}, which does not exist")
    return by_id[wanted]


def _claim(figure: Mapping[str, object], results: Iterable[tuple[dict[str, object], bool]]) -> tuple[bool, str]:
    """Does a sentence agree with all its results? And what they say: signs, or the p-values' side."""
    claimed = float(str(figure["value"]))
    agree, said = [], []
    for row, turned in results:
        estimate, p = float(str(row["estimate"])), float(str(row["p_value"]))
        if figure["statistic"] in (_DIRECTION, _SIGNIFICANCE) and math.isnan(
            estimate if figure["statistic"] == _DIRECTION else p
        ):
            agree.append(False)  # withheld or refused: a missing number has no sign and lies on no side
            said.append("no estimate")
        elif figure["statistic"] == _DIRECTION:
            sign = math.copysign(1.0, -estimate if turned else estimate)
            agree.append(sign == claimed)
            said.append("up" if sign > 0 else "down")
        elif figure["statistic"] == _SIGNIFICANCE:
            clear = p < SMALLEST_TEST
            agree.append(clear == bool(claimed))
            said.append("below 5%" if clear else "above 5%")
        else:
            raise InvalidInput(f"{WORDS}: {figure['id']} is a number ({figure['statistic']}), not a sentence")
    together = f"all {said[0]}" if len(said) > 1 and len(set(said)) == 1 else ", ".join(said)
    return all(agree), together


def further_rows(
    results: pd.DataFrame, *, tables: Mapping[str, Mapping[str, pd.DataFrame]], phases: Mapping[str, str]
) -> pd.DataFrame:
    """Counts and shares that some figures are held against and that are no rows of the result frame.

    Sums over the studies of each phase that randomised people one by one or asked participants of experiments
    (`programme/<phase>_phase/...`), take-up and flow of trials that tell them, and the smallest cluster of trials of
    clusters.
    `tables`: descriptive tables by study and name; `phases`: the phase of each study, "" for none. Columns
    result_id, estimate.
    """
    value = results.set_index("result_id")["estimate"]
    rows: list[tuple[str, float]] = []
    for phase in dict.fromkeys(filter(None, phases.values())):
        studies = [study for study, own in phases.items() if own == phase]
        randomised = [key for study in studies if (key := f"{study}/sample/randomised/count") in value.index]
        asked = [first for study in studies if (first := _first(value.index, study, "/participants/count"))]
        if randomised or asked:
            rows.append(
                (f"programme/{phase}_phase/randomised/sum", float(sum(value[key] for key in (*randomised, *asked))))
            )
        for arm in ("control", "treatment"):
            pairs = [
                (f"{key.rsplit('/', 2)[0]}/responded_{arm}/count", f"{key.rsplit('/', 2)[0]}/randomised_{arm}/count")
                for key in randomised
            ]
            told = [pair for pair in pairs if set(pair) <= set(value.index)]
            if told:
                share = sum(value[answered] for answered, _ in told) / sum(value[drawn] for _, drawn in told)
                rows.append((f"programme/{phase}_phase/response_rate_{arm}/sum", float(share)))
    # A number that is withheld is missing here, and compared with nothing.
    for study, own in tables.items():
        if "uptake" in own:
            uptake = own["uptake"].set_index("key")
            shares = pd.to_numeric(uptake["share"], errors="coerce")
            rows += [(f"{study}/uptake/{key}/table", float(shares[key])) for key in uptake.index]
        if "flow" in own and {"stage", "arm", "kind"} <= set(own["flow"].columns):
            flow = own["flow"]
            drawn = flow.loc[
                flow["stage"].eq("randomised") & flow["arm"].eq("all") & flow["kind"].eq("stage"), "people"
            ]
            rows.append(
                (f"{study}/flow/randomised/table", float(pd.to_numeric(drawn, errors="coerce").sum(min_count=1)))
            )
        if "clusters" in own and "people" in own["clusters"]:
            smallest = pd.to_numeric(own["clusters"]["people"], errors="coerce").min()
            rows.append((f"{study}/clusters/smallest/table", float(smallest)))
    return pd.DataFrame(rows, columns=["result_id", "estimate"])


def _first(ids: Iterable[str], study: str, ending: str) -> str:
    """The first result of a study whose id ends so; the experiments of one study ask the same people."""
    return next((key for key in ids if key.startswith(f"{study}/") and key.endswith(ending)), "")


def counted(table: pd.DataFrame) -> dict[Standing, int]:
    """How many figures have each standing; all four."""
    found = Counter(table["standing"])
    return {standing: found[standing] for standing in STANDINGS}


def _rows(path: Path) -> list[dict[str, object]]:
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    doubled = frame.loc[frame["published_id"].duplicated(), "published_id"].tolist()
    if doubled:
        raise InvalidInput(f"{path.name} names a printed figure twice: {', '.join(doubled)}")
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _refuse_twice(names: Iterable[str], words: str) -> None:
    doubled = sorted(name for name, times in Counter(names).items() if times > 1)
    if doubled:
        raise InvalidInput(f"{', '.join(doubled)} {words}")
