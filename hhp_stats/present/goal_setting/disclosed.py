"""The goal-setting trial's tables of people as they may be printed: small counts withheld, in all tables together.

The same people stand in several tables: those who left, in the flow, among the records by arm, and on the map of
missing values. Here each number of people gets one name (a `Key`), whatever table prints it, and the sums between
them are said; `disclosure` then decides for all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.plan.schema import Plan
from hhp_stats.present.count_system import CountSystem, Key
from hhp_stats.present.disclosure import blanked, register_frame
from hhp_stats.present.numbers import WITHHELD
from hhp_stats.present.release import read_release
from hhp_stats.present.withholding import Reason, withheld_counts
from hhp_stats.studies.output import StudyOutput

SURVEYS = {"baseline": "responded_t1", "endline": "responded_t2"}
BINARY = ("gender_male", "part_time", "agency", "coffee")
# Columns of the attrition table -> variable of the map of missing values.
KNOWN = {"baseline_absence": "baseline_absence", "outcome": "absence_days", "baseline_survey": "responded_t1",
         "endline_survey": "responded_t2"}  # fmt: skip
NOTES = {"Started the course": "started the course", "Left the authority, counted at their own rate": "left",
         "No endline record": "no endline record", "No absence record": "no absence record",
         "Analysed: wellbeing, complete cases": "wellbeing known at endline", "Analysed: turnover": "left known",
         "In teams that were not randomised": "not randomised",
         "Joined after the launch: not part of the trial": "joined later"}  # fmt: skip
STAGES = {"listed": "listed", "randomised": "people", "allocated": "people", "followed": "followed",
          "analysed": "absence_days known", "survey": "responded_t2 known"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A study's output as it may be printed, and the register of what was withheld."""

    output: StudyOutput
    register: pd.DataFrame  # table, row, column, reason; empty where the release is internal
    internal: bool


def disclosed(output: StudyOutput, plan: Plan, root: Path) -> Disclosed:
    """Which counts of people may be printed? Their cells, and all shares and differences made of them, are blanked.

    Nothing is withheld where the manifest says that this is an internal render. Refuses (HhpError) tables that
    contradict each other.
    """
    internal = read_release(root).internal
    if internal:
        return Disclosed(output=output, register=register_frame({}), internal=True)
    counts = _Counts(output.tables, plan)
    withheld = withheld_counts(counts.system, plan.disclosure)
    tables = dict(output.tables)
    for name in sorted({place[0] for key in withheld for place in counts.places[key]}):
        places = {(at, column) for key in withheld for table, at, column in counts.places[key] if table == name}
        tables[name] = blanked(tables[name], sorted(places))
    # Means and shares of those analysed are in the output but on no page: their counts are not protected here.
    differences = register_frame({})
    if "balance_differences" in tables:
        listed = tables["balance"].loc[tables["balance"]["population"] == "randomised", "std_difference"]
        gone = (listed == WITHHELD).to_numpy()
        tables["balance_differences"] = _differences_shown(tables["balance_differences"], plan, gone=gone)
        differences = _differences_register(tables["balance_differences"])
    if "balance" in tables:
        tables["balance"] = tables["balance"].loc[tables["balance"]["population"] == "randomised"]
    return Disclosed(
        output=replace(output, tables=tables),
        register=pd.concat([_register(withheld, counts), differences], ignore_index=True),
        internal=False,
    )


def _differences_shown(table: pd.DataFrame, plan: Plan, *, gone: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The standardised differences without those that rest on a count of very few people, and without the counts.

    A difference with two decimals is not a sum of others, so no second one has to go with it; the distance over all levels of a
    characteristic goes with any of its levels. Lines `gone` from the table of characteristics, among them those that protect
    others, go here too: most of those analysed are the same people.
    """
    counts = [str(name) for name in table if str(name).startswith("least_")]
    shown = table.astype({name.removeprefix("least_"): object for name in counts})
    for least in counts:
        small = table[least].between(1 if plan.disclosure.zeros == "published" else 0, plan.disclosure.threshold - 1)
        whole = (table["kind"] == "categorical") & table["covariate"].isin(table.loc[small, "covariate"])
        shown.loc[small | whole | gone, least.removeprefix("least_")] = WITHHELD
    return shown.drop(columns=counts)


def _differences_register(shown: pd.DataFrame) -> pd.DataFrame:
    """One line for each standardised difference that was withheld."""
    lines = [
        ("balance_differences", str(row["covariate"]), f"{row['level'] if isinstance(row['level'], str) else 'all'}, {group}", "primary")
        for row in shown.to_dict("records") for group in shown.columns[3:] if row[group] == WITHHELD
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=register_frame({}).columns).astype("str")


def _register(withheld: Mapping[Key, Reason], counts: _Counts) -> pd.DataFrame:
    """One line for each place where a count was withheld: a count may stand in several tables."""
    lines = register_frame(withheld)
    tables = [list(dict.fromkeys(table for table, _, _ in counts.places[key])) for key in sorted(withheld)]
    lines["table"] = pd.Series(tables, index=lines.index, dtype=object)
    return lines.explode("table", ignore_index=True)


@dataclass(slots=True)
class _Counts:
    """The system of counts of one output, and where each count (and what is made of it) stands."""

    tables: Mapping[str, pd.DataFrame]
    plan: Plan
    system: CountSystem = field(default_factory=CountSystem)
    places: dict[Key, list[tuple[str, int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in (self._flow, self._missingness, self._attrition, self._distribution, self._wellbeing, self._balance,
                     self._uptake, self._strata, self._linkage, self._items):  # fmt: skip
            part()

    # ------------------------------------------------------------ words
    @property
    def arms(self) -> Mapping[str, str]:
        """Arm -> label."""
        return self.plan.design.arm_labels

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Every arm and every authority."""
        return [("arm", label) for label in self.arms.values()] + [
            ("authority", site.local_authority) for site in self.plan.sites
        ]

    def show(self, key: Key, count: float, table: str, at: int, *columns: str) -> Key:
        """A count that `table` prints in the row at position `at`; all `columns` go if it does."""
        self.system.add(key, count)
        self.places.setdefault(key, []).extend((table, at, column) for column in columns)
        return key

    def whole(self, quantity: str) -> Key:
        """The same quantity over the whole trial: the sum over the arms, and over the authorities."""
        total = Key("trial", "All", quantity)
        for kind in ("arm", "authority"):
            parts = [key for group, name in self.groups if group == kind
                     for key in [Key(group, name, quantity)] if key in self.system.counts]  # fmt: skip
            if parts:
                self.system.add(total, sum(self.system.counts[part] for part in parts), printed=False)
                self.system.total(total, *parts)
        return total

    # ------------------------------------------------------------ tables
    def _flow(self) -> None:
        names = {arm: ("arm", label) for arm, label in self.arms.items()} | {"all": ("trial", "All")}
        for at, row in enumerate(self.tables["flow"].to_dict("records")):
            kind, name = names[row["arm"]]
            quantity = STAGES[row["stage"]] if row["kind"] == "stage" else NOTES[row["label"]]
            self.show(Key(kind, name, quantity), row["people"], "flow", at, "people")
        s = self.system
        s.total(*(Key("trial", "All", name) for name in ("listed", "people", "not randomised")))
        for label in self.arms.values():
            people, followed, analysed, answered = (
                Key("arm", label, name) for name in ("people", "followed", "absence_days known", "responded_t2 known")
            )
            s.total(people, followed, Key("arm", label, "no endline record"))
            s.total(followed, analysed, Key("arm", label, "no absence record"))
            s.rest(people, Key("arm", label, "started the course"))
            s.rest(answered, Key("arm", label, "wellbeing known at endline"))
        for quantity in ("people", "followed", "started the course", "wellbeing known at endline"):
            self.whole(quantity)

    def _missingness(self) -> None:
        table = self.tables["missingness"]
        for at, row in enumerate(table.to_dict("records")):
            people = Key(row["kind"], row["group"], "people")
            # Who takes part in an authority stands among the records by authority.
            self.system.add(people, row["people"])
            missing = Key(row["kind"], row["group"], f"{row['variable']} missing")
            self.show(missing, row["missing"], "missingness", at, "missing")
            known = self.system.add(Key(row["kind"], row["group"], f"{row['variable']} known"), row["people"] - row["missing"],
                                    printed=False)  # fmt: skip
            self.system.total(people, known, missing)
        for variable in dict.fromkeys(table["variable"]):
            self.whole(f"{variable} missing")
        self.whole("people")

    def _attrition(self) -> None:
        for at, row in enumerate(self.tables["attrition"].to_dict("records")):
            kind, name = row["kind"], row["label"]
            people = self.show(Key(kind, name, "people"), row["people"], "attrition", at, "people")
            if not row["people"]:
                continue
            for column, variable in KNOWN.items():
                self.show(Key(kind, name, f"{variable} known"), row[column] * row["people"], "attrition", at, column)
            unknown = Key(kind, name, "left missing")
            known = row["people"] - self.system.counts[unknown]
            if known:
                left = self.show(Key(kind, name, "left"), row["left"] * known, "attrition", at, "left")
                stayed = self.system.add(Key(kind, name, "stayed"), known - self.system.counts[left], printed=False)
                self.system.total(people, left, stayed, unknown)
                analysed = Key(kind, name, "left known")
                if analysed in self.system.counts:
                    self.system.total(people, analysed, unknown)
        for quantity in ("left", *(f"{variable} known" for variable in KNOWN.values())):
            self.whole(quantity)

    def _distribution(self) -> None:
        parts: dict[str, list[Key]] = {label: [] for label in self.arms.values()}
        for at, row in enumerate(self.tables["absence_distribution"].to_dict("records")):
            label = self.arms[row["arm"]]
            key = Key("arm", label, f"absent {row['bin']} days")
            parts[label].append(self.show(key, row["people"], "absence_distribution", at, "people", "share"))
        for label, keys in parts.items():
            self.system.total(Key("arm", label, "absence_days known"), *keys)

    def _wellbeing(self) -> None:
        asked: dict[str, list[Key]] = {label: [] for label in self.arms.values()}
        answered: dict[str, list[Key]] = {label: [] for label in self.arms.values()}
        for at, row in enumerate(self.tables["attrition_wellbeing"].to_dict("records")):
            label = self.arms[row["arm"]]
            name = "wellbeing_t1 missing" if row["level"] == "Not known" else f"baseline wellbeing: {row['level']}"
            people = self.show(Key("arm", label, name), row["people"], "attrition_wellbeing", at, "people")
            asked[label].append(people)
            if row["people"]:
                key = Key("arm", label, f"{name}, answered at endline")
                self.show(key, row["answered"] * row["people"], "attrition_wellbeing", at, "answered")
                self.system.rest(people, key)
                answered[label].append(key)
        for label in self.arms.values():
            self.system.total(Key("arm", label, "people"), *asked[label])
            self.system.total(Key("arm", label, "responded_t2 known"), *answered[label])
        self.whole("wellbeing_t1 missing")

    def _balance(self) -> None:
        table = self.tables["balance"]
        levels: dict[str, list[Key]] = {arm: [] for arm in self.arms}
        heads = {
            row["covariate"]: at for at, row in enumerate(table.to_dict("records")) if row["kind"] == "categorical"
        }
        for at, row in enumerate(table.to_dict("records")):
            if row["population"] != "randomised":
                continue
            for arm, label in self.arms.items():
                share = row["kind"] == "level" or row["covariate"] in BINARY
                known = int(row[f"n_{arm}"])
                if not share or not known:
                    continue
                name = row["level"] if row["kind"] == "level" else row["covariate"]
                key = Key("arm", label, f"characteristic: {name}")
                self.show(key, row[f"mean_{arm}"] * known, "balance", at, f"mean_{arm}", f"sd_{arm}", "std_difference",
                          "variance_ratio")  # fmt: skip
                if row["kind"] == "level":
                    levels[arm].append(key)
                    # The difference over all levels is made of the same shares.
                    self.places[key].append(("balance", heads[row["covariate"]], "std_difference"))
                else:
                    whole = self.system.add(Key("arm", label, f"characteristic known: {name}"), known, printed=False)
                    self.system.rest(whole, key)
                    if known == self.system.counts[Key("arm", label, "people")]:
                        self.system.total(Key("arm", label, "people"), whole)
            self._balance_missing(at, row)
        for arm, label in self.arms.items():
            total = self.system.add(Key("arm", label, "characteristic known: role"),
                                    sum(self.system.counts[key] for key in levels[arm]), printed=False)  # fmt: skip
            self.system.total(total, *levels[arm])
            self.system.total(Key("arm", label, "people"), total, Key("arm", label, "role missing"))

    def _balance_missing(self, at: int, row: Mapping[Any, Any]) -> None:
        """The number missing in both arms together, which the table prints."""
        if row["kind"] == "level":
            return
        parts = {arm: int(row[f"missing_{arm}"]) for arm in self.arms}
        name = str(row["covariate"])
        variable = {"gender_male": "gender", "service_years": "service_months"}.get(name, name)
        for arm, label in self.arms.items():
            key = Key("arm", label, f"{variable} missing")
            if key not in self.system.counts:
                self.system.add(key, parts[arm], printed=False)
        total = self.whole(f"{variable} missing")
        self.show(total, sum(parts.values()), "balance", at, "missing_treatment", "missing_control")

    def _uptake(self) -> None:
        table = self.tables["uptake"]
        rows = {row["key"]: (at, row) for at, row in enumerate(table.to_dict("records"))}
        treated, control = self.arms["treatment"], self.arms["control"]
        named = {
            "started": (Key("arm", treated, "started the course"), Key("arm", treated, "people")),
            "completed": (Key("course", "Started", "6 modules"), Key("arm", treated, "people")),
            "crossed": (Key("arm", control, "started the course"), Key("arm", control, "people")),
            "no_recall": (Key("arm", treated, "no recall"), Key("arm", treated, "recall known")),
            "protected": (Key("arm", treated, "time protected"), Key("arm", treated, "diary known")),
        }
        for name, (part, base) in named.items():
            at, row = rows[name]
            self.show(base, row["of"], "uptake", at, "of")
            self.show(part, row["people"], "uptake", at, "people", "share")
        for name in ("no_recall", "protected"):
            part, base = named[name]
            self.system.rest(base, part)
            self.system.rest(Key("arm", treated, "responded_t2 known"), base)
        parts = [
            self.show(
                Key("course", "Started", f"{row['modules']} modules"), row["people"], "modules", at, "people", "share"
            )
            for at, row in enumerate(self.tables["modules"].to_dict("records"))
        ]
        self.system.total(named["started"][0], *parts)

    def _strata(self) -> None:
        by_site: dict[tuple[str, str], list[Key]] = {}
        for at, row in enumerate(self.tables["strata"].to_dict("records")):
            for arm in self.arms:
                key = Key("stratum", row["stratum"], self.arms[arm])
                self.show(key, row[f"people_{arm}"], "strata", at, f"people_{arm}")
                by_site.setdefault((row["local_authority"], arm), []).append(key)
        halves: dict[str, list[Key]] = {arm: [] for arm in self.arms}
        for (site, arm), keys in by_site.items():
            half = self.system.add(Key("authority", site, f"people, {self.arms[arm]}"),
                                   sum(self.system.counts[key] for key in keys), printed=False)  # fmt: skip
            self.system.total(half, *keys)
            halves[arm].append(half)
        for name in dict.fromkeys(site for site, _ in by_site):
            keys = [Key("authority", name, f"people, {label}") for label in self.arms.values()]
            self.system.total(Key("authority", name, "people"), *(key for key in keys if key in self.system.counts))
        for arm, label in self.arms.items():
            self.system.total(Key("arm", label, "people"), *halves[arm])

    def _linkage(self) -> None:
        """Responses by wave, and those matched by arm: what the data appendix prints of the linkage."""
        table = self.tables["linkage"]
        columns = ("responses", "consented", "duplicates", "used", "matched", "unmatched")
        for wave, part in table.groupby("wave", sort=False):
            at = int((table["wave"] == wave).to_numpy().argmax())
            names = {name: Key("survey", str(wave), name) for name in columns}
            for name, key in names.items():
                self.system.add(key, float(part[name].sum()))
                self.places.setdefault(key, []).append(("linkage", at, name))
            self.system.lesser |= set(names.values())
            self.system.rest(names["responses"], names["consented"])
            self.system.total(names["consented"], names["duplicates"], names["used"])
            self.system.total(names["used"], names["matched"], names["unmatched"])
            answered = self.whole(f"{SURVEYS[str(wave)]} known")
            if self.system.counts[names["matched"]] >= self.system.counts[answered]:
                rest = self.system.add(Key("survey", str(wave), "matched, not counted"),
                                       self.system.counts[names["matched"]] - self.system.counts[answered], printed=False)  # fmt: skip
                self.system.total(names["matched"], answered, rest)

    def _items(self) -> None:
        """Who answered a survey at all. Scale by scale only shares are printed, rounded so that no count follows."""
        for at, row in enumerate(self.tables["item_nonresponse"].to_dict("records")):
            answered = self.whole(f"{SURVEYS[row['wave']]} known")
            self.show(answered, row["respondents"], "item_nonresponse", at, "respondents")
