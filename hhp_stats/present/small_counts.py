"""The tables of the studies other than the goal-setting trial as they may be printed: small counts of people withheld.

Field trials and experiments are protected like the trial: every count has one name whatever table prints it, the sums
between counts are said, and `disclosure` decides for all together. Of a pilot with a dozen people nothing would be left;
its small counts are printed where the documents of the programme have printed the same figure before, and only there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table
from hhp_stats.errors import HhpError
from hhp_stats.plan.records import read_plan_file
from hhp_stats.plan.schema import DisclosureSettings
from hhp_stats.present.count_system import CountSystem, Key
from hhp_stats.present.disclosure import REGISTER, blanked, register_frame
from hhp_stats.present.goal_setting.disclosed import Disclosed
from hhp_stats.present.release import read_release
from hhp_stats.present.withholding import withheld_counts
from hhp_stats.studies.output import StudyOutput

SETTINGS = "data/plan/goal_setting.toml"  # one rule for the whole report
PUBLISHED = "data/published/published_results.csv"
IN_WORDS = "data/published/public_small_counts.csv"  # printed in words only, without a figure of their own
FIELD_TRIALS = ("letters", "coffee", "beneficiaries", "swing", "mod_ing")
PILOTS = ("dictation", "flexitime")
HIRING = "hiring"
DISTRIBUTIONS = {"score_distribution": ("cell", "score"), "chosen_per_person": ("evaluation", "chosen")}
LINKED = ("responses", "consented", "duplicates", "matched", "unmatched")


def disclosure_settings(root: Path) -> DisclosureSettings:
    """The threshold and the rule for zeros, which hold for all chapters."""
    return DisclosureSettings(**read_plan_file(root, SETTINGS)["disclosure"])


def disclosed_study(output: StudyOutput, root: Path) -> Disclosed:
    """Which counts of people of a field trial or experiment may be printed? The others are blanked in every table.

    Nothing is withheld in an internal render. Refuses (HhpError) tables that contradict each other.
    """
    internal = read_release(root).internal
    if internal:
        return Disclosed(output=output, register=register_frame({}), internal=True)
    if output.study == HIRING:
        return _pooled_output(output, disclosure_settings(root))
    found = _Counts(output.tables)
    if output.study in FIELD_TRIALS:
        found.flow()
        found.attrition()
        found.linkage()
        found.recall()
        found.clusters()
        found.levels()
    withheld = withheld_counts(found.system, disclosure_settings(root))
    tables = dict(output.tables)
    for name in sorted({place[0] for key in withheld for place in found.places[key]}):
        places = {(at, column) for key in withheld for table, at, column in found.places[key] if table == name}
        tables[name] = blanked(tables[name], sorted(places))
    lines = register_frame(withheld)
    named = [list(dict.fromkeys(table for table, _, _ in found.places[key])) for key in sorted(withheld)]
    lines["table"] = pd.Series(named, index=lines.index, dtype=object)
    register = lines.explode("table", ignore_index=True)
    return Disclosed(output=replace(output, tables=tables), register=register, internal=False)


def _pooled_output(output: StudyOutput, settings: DisclosureSettings) -> Disclosed:
    tables, registers = dict(output.tables), [register_frame({})]
    for name, (group, value) in DISTRIBUTIONS.items():
        if name in tables:
            tables[name] = pooled(tables[name], group=group, value=value, threshold=settings.threshold)
            registers.append(_pooled_register(tables[name], name, group=group, value=value))
    register = pd.concat(registers, ignore_index=True).astype("str")
    return Disclosed(output=replace(output, tables=tables), register=register, internal=False)


@dataclass(slots=True)
class _Counts:
    """The system of counts of one study, and where each stands."""

    tables: Mapping[str, pd.DataFrame]
    system: CountSystem = field(default_factory=CountSystem)
    places: dict[Key, list[tuple[str, int, str]]] = field(default_factory=dict)

    def rows(self, name: str) -> list[tuple[int, dict[Any, Any]]]:
        table = self.tables.get(name)
        return [] if table is None else list(enumerate(table.to_dict("records")))

    def show(self, key: Key, count: float, table: str, at: int, *columns: str) -> Key:
        self.system.add(key, count)
        self.places.setdefault(key, []).extend((table, at, column) for column in columns)
        return key

    def flow(self) -> None:
        """Each stage of an arm is the next one and what was lost between them."""
        keys: dict[tuple[str, str], list[tuple[str, Key]]] = {}
        for at, row in self.rows("flow"):
            words = {"randomised": "people", "allocated": "people"}.get(row["stage"], row["label"])
            if row["stage"] == "analysed" and row["kind"] == "stage":
                words = "responded"
            key = self.show(Key("arm", row["arm"], words), row["people"], "flow", at, "people")
            if row["stage"] == "analysed" and row["kind"] != "loss":
                self.system.fixed.add(key)  # n of an outcome
            keys.setdefault((row["arm"], row["stage"]), []).append((row["kind"], key))
        arms = list(dict.fromkeys(arm for arm, _ in keys if arm != "all"))
        if ("all", "randomised") in keys:
            self.system.total(keys["all", "randomised"][0][1], *(keys[arm, "allocated"][0][1] for arm in arms))
        for arm in arms:
            before = keys[arm, "allocated"][0][1]
            for stage in ("survey", "analysed"):
                here = keys[arm, stage]
                after = next(key for kind, key in here if kind == "stage")
                self.system.total(before, after, *(key for kind, key in here if kind == "loss"))
                before = after

    def attrition(self) -> None:
        """People, first survey, endline, and who left, by arm and block; arms and blocks hold the same people."""
        names = self._arm_of_label()
        groups: dict[tuple[str, str], list[Key]] = {}
        for at, row in self.rows("attrition"):
            group = names.get(row["label"], row["label"]) if row["kind"] == "arm" else row["label"]
            counted = {"people": ("people", row["people"]), "baseline": ("answered first", row["baseline"]),
                       "responded": ("responded", row["responded"])}  # fmt: skip
            if not pd.isna(row["left"]):
                counted["left"] = ("left", row["left"] * row["people"])
            keys = {}
            for column, (words, number) in counted.items():
                keys[column] = self.show(Key(row["kind"], group, words), number, "attrition", at, column)
                groups.setdefault((row["kind"], words), []).append(keys[column])
            for column in counted.keys() - {"people"}:
                self.system.rest(keys["people"], keys[column])
        for words in dict.fromkeys(words for _, words in groups):
            of_arms = groups.get(("arm", words), [])
            whole = Key("trial", "All", words)
            self.system.add(whole, sum(self.system.counts[key] for key in of_arms), printed=False)
            for kind in ("arm", "block"):
                if (kind, words) in groups:
                    self.system.total(whole, *groups[kind, words])

    def _arm_of_label(self) -> dict[str, str]:
        return {row["label"]: row["arm"] for _, row in self.rows("flow") if row["stage"] == "allocated"}

    def linkage(self) -> None:
        """Responses, consent, duplicates and matches of each survey; given up before the counts of the trial."""
        for at, row in self.rows("linkage"):
            keys = {
                name: self.show(Key("survey", row["wave"], name), row[name], "linkage", at, name) for name in LINKED
            }
            self.system.lesser |= set(keys.values())
            self.system.rest(keys["responses"], keys["consented"])
            parts = [keys[name] for name in ("duplicates", "matched", "unmatched")]
            if self.system.counts[keys["consented"]] == sum(self.system.counts[key] for key in parts):
                self.system.total(keys["consented"], *parts)
            began = [key for key in self.system.counts if key.table == "arm" and key.column.startswith("Began")]
            if row["wave"] == "endline" and began:
                known = sum(self.system.counts[key] for key in began)
                if known == row["matched"]:
                    self.system.total(keys["matched"], *began)

    def recall(self) -> None:
        """Answers to the question whether the messages are remembered."""
        parts = []
        for at, row in self.rows("recall"):
            parts.append(self.show(Key("recall", "Treated", row["answer"]), row["people"], "recall", at, "people"))
            of = self.show(Key("recall", "Treated", "answered"), row["of"], "recall", at, "of")
        if parts:
            self.system.total(of, *parts)

    def clusters(self) -> None:
        """Buildings: people and respondents, which add up to those of the arms."""
        parts: dict[tuple[str, str], list[Key]] = {}
        for at, row in self.rows("clusters"):
            people = self.show(Key("cluster", row["cluster"], "people"), row["people"], "clusters", at, "people")
            answered = self.show(
                Key("cluster", row["cluster"], "responded"), row["responded"], "clusters", at, "responded"
            )
            self.system.rest(people, answered)
            parts.setdefault((row["arm"], "people"), []).append(people)
            parts.setdefault((row["arm"], "responded"), []).append(answered)
        for (arm, words), keys in parts.items():
            whole = Key("arm", arm, words)
            if self.system.counts.get(whole) == sum(self.system.counts[key] for key in keys):
                self.system.total(whole, *keys)

    def levels(self) -> None:
        """Shares of authorities, cohorts or groups among the respondents of each arm."""
        rows = [(at, row) for at, row in self.rows("balance") if row["population"] == "responders"]
        heads = {row["covariate"]: at for at, row in rows if row["kind"] == "categorical"}
        parts: dict[tuple[str, str], list[Key]] = {}
        for at, row in rows:
            if row["kind"] != "level":
                continue
            for arm in ("control", "treatment"):
                key = Key("arm", arm, f"{row['covariate']}: {row['level']}")
                self.show(key, row[f"mean_{arm}"] * row[f"n_{arm}"], "balance", at, f"mean_{arm}", "std_difference")
                self.places[key].append(("balance", heads[row["covariate"]], "std_difference"))
                parts.setdefault((arm, row["covariate"]), []).append(key)
        for (arm, _), keys in parts.items():
            whole = Key("arm", arm, "responded")
            if self.system.counts.get(whole) == sum(self.system.counts[key] for key in keys):
                self.system.total(whole, *keys)


def pooled(table: pd.DataFrame, *, group: str, value: str, threshold: int) -> pd.DataFrame:
    """A distribution in classes of neighbouring values that hold at least `threshold` people each.

    Withholding single bars would not do: with the mean and the standard deviation of the group, both printed, the few
    missing bars can be solved for. Columns: the group, `value` (middle of the class), `low`, `high`, `people`, and
    `share`, the share of the group for each single value of the class. A group below the threshold has no class.
    """
    rows: list[dict[str, Any]] = []
    for name, part in table.groupby(group, sort=False):
        everyone = int(part["people"].sum())
        classes: list[list[int]] = []  # lowest value, highest value, people
        low, people = None, 0
        for each in part.sort_values(value, kind="stable").to_dict("records"):
            low, people = each[value] if low is None else low, people + int(each["people"])
            if people >= threshold:
                classes.append([int(low), int(each[value]), people])
                low, people = None, 0
        if low is not None and classes:  # the values above the last whole class
            classes[-1][1], classes[-1][2] = int(part[value].max()), classes[-1][2] + people
        rows += [
            {group: name, value: (first + last) / 2, "low": first, "high": last, "people": n,
             "share": n / everyone / (last - first + 1)}
            for first, last, n in classes
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=[group, value, "low", "high", "people", "share"])


def _pooled_register(table: pd.DataFrame, name: str, *, group: str, value: str) -> pd.DataFrame:
    wide = table.loc[table["high"] > table["low"]]
    return pd.DataFrame({
        "table": name, "row": wide[group].astype(str), "reason": "primary",
        "column": [f"{value} {low} to {high} together" for low, high in zip(wide["low"], wide["high"], strict=True)],
    }, columns=list(REGISTER))  # fmt: skip


def public_small_counts(output: StudyOutput, root: Path) -> pd.DataFrame:
    """The small counts of a pilot, each with the id of the printed figure that made it public: study, count, figure.

    Refuses (HhpError) a small count for which no document prints the same figure: it must not be shown.
    """
    settings = disclosure_settings(root)
    rows = output.results
    counts = rows.loc[rows["result_id"].str.endswith("/count") & rows["estimate"].between(1, settings.threshold - 1)]
    mapping = read_mapping(root, "small_studies")
    own = mapping.loc[mapping["result_id"].isin(counts["result_id"]) & (mapping["column"] == "estimate")]
    compared = reproduction_table(load_figures(root / PUBLISHED), rows, own)
    printed = compared.loc[compared["matches"]].set_index("result_id")["published_id"]
    in_words = pd.read_csv(root / IN_WORDS)
    for row in in_words.to_dict("records"):
        same = rows.loc[(rows["result_id"] == row["result_id"]) & (rows["estimate"] == row["value"])]
        if len(same):
            printed.loc[row["result_id"]] = row["published_id"]
    lines = [(output.study, key, str(printed.get(key, ""))) for key in counts["result_id"]]
    secret = [key for _, key, figure in lines if not figure]
    if secret:
        raise HhpError(
            f"{', '.join(secret)}: a count of very few people that no document of the programme prints. Do not analyse it, or "
            f"enter the printed figure in data/published/mapping_small_studies.csv, or in {IN_WORDS} where it is printed in words."
        )
    return pd.DataFrame(lines, columns=["study", "count", "figure"])
