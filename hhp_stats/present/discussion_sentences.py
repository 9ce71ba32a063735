"""Chapter 11, sentences: what the effects of all trials say together, following their intervals."""

from __future__ import annotations

import pandas as pd

from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present.discussion_tables import power_row
from hhp_stats.present.listing import listed_words
from hhp_stats.present.numbers import alpha_of, count, interval, lowered, number, plural, spelled
from hhp_stats.present.standardised_effects import StandardisedEffects, clear_effects
from hhp_stats.studies.across import pairwise_differences


def overview(side: StandardisedEffects) -> str:
    """How many effects point which way, and how many are clear."""
    rows, left_out = side.counted, side.uncounted()
    if rows.empty:
        return f"No trial has an effect that can be counted.{left_out}"
    clear = clear_effects(rows)
    better, worse = int((rows["estimate"] > 0).sum()), int((rows["estimate"] < 0).sum())
    good, bad = int((clear & (rows["estimate"] > 0)).sum()), int((clear & (rows["estimate"] < 0)).sum())
    expected = float((1 - rows["conf_level"]).sum())
    trials = rows["study"].nunique()
    where = f"{plural(len(rows), 'effect')} in {spelled(trials)} {'trial' if trials == 1 else 'trials'}"
    lean = f"{_some(better)} {_lean(better)} towards benefit and {_some(worse)} towards harm"
    if not good + bad:
        return f"None of the {where} is clearly different from no effect: {lean}.{left_out}"
    parts = [f"{spelled(n)} for the {side}" for n, side in ((good, "better"), (bad, "worse")) if n]
    return (
        f"Of {where}, {lean}. {spelled(good + bad).capitalize()} {'is' if good + bad == 1 else 'are'} clearly different"
        f" from no effect ({', '.join(parts)}); if no programme had any effect, {number(expected, 1)} would"
        f" be expected by chance.{left_out}"
    )


def _lean(n: int) -> str:
    return "leans" if n < 2 else "lean"


def _some(n: int) -> str:
    return spelled(n) if n else "none"


def largest(side: StandardisedEffects) -> str:
    """What sizes the intervals for what most trials measure leave open."""
    rows = side.counted_comparable()
    if rows.empty:
        return f"No effect on {side.shared} can be counted.{side.uncounted()}"
    measured, trials = rows["study"].nunique(), side.counted["study"].nunique()
    them = "the trials that count" if side.uncounted() else "them"
    whose = f"which all of {them} measured" if measured == trials else f"which {spelled(measured)} of {them} measured"
    low, high = float(rows["conf_low"].min()), float(rows["conf_high"].max())
    inner = min(rows.to_dict("records"), key=lambda row: row["conf_high"] - row["conf_low"])
    return (
        f"For {side.shared}, {whose}, effects between {number(low)} and {number(high)} standard"
        " deviations are compatible with at least one trial. The narrowest interval, that of"
        f" {inner['name']}, runs from {interval(inner['conf_low'], inner['conf_high'])}."
    )


def shared(side: StandardisedEffects) -> str:
    """On which outcome can the trials be compared?"""
    measured, trials = (set(rows["study"]) for rows in (side.comparable(), side.effects))
    if not measured:
        return "Where trials share an outcome,"
    if measured == trials:
        return f"On {side.construct}, the outcome that all trials share,"
    return f"On {side.construct}, the outcome that {spelled(len(measured))} of {spelled(len(trials))} trials share,"


def compared(side: StandardisedEffects) -> str:
    """Do the effects on what most trials measure differ between them? Adjusted over all pairs that the table shows."""
    rows, counting = side.comparable(), " that count" if side.uncounted() else ""
    if rows.empty:
        return f"No trial has a result on {side.shared}, and nothing can be compared."
    if len(set(rows["study"])) == 1:
        return f"There is only one trial with a result on {side.shared}, and nothing to compare it with."
    found = pairwise_differences(rows, conf_level=float(rows["conf_level"].max()))
    found = found[~(found["first_study"].isin(side.invented) | found["second_study"].isin(side.invented))]
    if found.empty:
        return f"No two trials have effects on {side.shared} that can be compared.{side.uncounted()}"
    alphas = found["conf_level"].map(alpha_of)
    clear, held = int((found["p_value"] < alphas).sum()), int((found["p_adjusted"] < alphas).sum())
    if not clear:
        one = len(found) == 1
        which = (
            f"The one pair of trials{counting} does not differ"
            if one
            else f"None of the {spelled(len(found))} pairs of trials{counting} differs"
        )
        return f"{which} by more than chance explains."
    return (
        f"Of {plural(len(found), 'pair')} of trials{counting} {spelled(clear)}"
        f" {'differs' if clear == 1 else 'differ'} at the level of the intervals, and "
        f"{spelled(held)} after adjustment for the number of pairs."
    )


def excluded(side: StandardisedEffects) -> str:
    """Can the trials with a published target rule out the benefit they were planned to find?"""
    phases: set[str] = set()
    sizes: list[str] = []
    out: list[str] = []
    for row in side.counted_comparable().to_dict("records"):
        plan = side.plan(row["study"])
        size = plan.power["planned"].printed if isinstance(plan, IndividualPlan) and "planned" in plan.power else None
        if size is None:
            continue
        phases.add(side.studies[row["study"]].phase)
        sizes.append(f"{number(size)} {'' if sizes else 'standard deviations '}in {side.names[row['study']]}")
        if row["conf_high"] < size:
            out.append(side.names[row["study"]])
    if not sizes:
        return "No trial with a published target has results yet."
    ruled = (
        f"the interval for {side.shared} excludes that effect in {listed_words(out)}"
        if out
        else f"no interval for {side.shared} excludes it"
    )
    labels = {entry.id: entry.label for entry in programme_plan(side.root).phases}
    together = len(phases) == 1 and "" not in phases
    own = f"of the {lowered(labels[min(phases)])}" if together else "with a published target"
    return f"The trials {own} were planned to detect effects of {listed_words(sizes)}; {ruled}."


def fewer(side: StandardisedEffects) -> str:
    """In how many trials were fewer people analysed than planned?"""
    frame = side.results.set_index("result_id")["n"]
    pairs_of_n, left_out = [], set()
    for study in dict.fromkeys(side.effects["study"]):
        ids = [power_row(side, study, name) for name in ("planned", "achieved")]
        # Of a trial whose numbers are withheld, or where nobody answered, it is not known.
        if all(key in frame.index and pd.notna(frame[key]) for key in ids):
            if study in side.invented:
                left_out.add(study)
                continue
            pairs_of_n.append((int(frame[ids[0]]), int(frame[ids[1]])))
    if not pairs_of_n:
        return "No trial here has a published target."
    short = sum(analysed < planned for planned, analysed in pairs_of_n)
    counting = "that count and have" if left_out else "with"
    said = f"In {_of_all(short or len(pairs_of_n), len(pairs_of_n))} {counting} a published target, "
    return said + (
        "fewer people are analysed than planned, and a smaller sample can only detect larger effects."
        if short
        else "at least as many people are analysed as planned."
    )


def _of_all(n: int, of: int) -> str:
    """`two of the three trials`, `all three trials`, `both trials`, `the one trial`."""
    if n == of:
        return "the one trial" if of == 1 else "both trials" if of == 2 else f"all {spelled(of)} trials"
    return f"{spelled(n)} of the {spelled(of)} trials"


def conclusion(side: StandardisedEffects) -> str:
    """What the effects say to an authority, following the intervals."""
    rows = side.counted
    clear = rows[clear_effects(rows)].to_dict("records")
    if not clear:
        return (
            "We found no evidence that any programme helped or harmed, but the trials cannot show that the programmes"
            " have no effect"
        )
    named = [
        f"{side.names[row['study']]} on {side.inside(row['study'], row['label'])} (for the"
        f" {'better' if row['estimate'] > 0 else 'worse'})"
        for row in clear
    ]
    return (
        f"The clear results are those of {listed_words(named)}, out of {count(len(rows))} comparisons; test them again"
        " before acting on them"
    )
