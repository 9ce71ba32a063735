"""Two arms in a sentence, each with n, mean and spread: does the p printed after them follow, and the direction?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hhp_stats.consistency.printed import PrintedFigure, p_fits
from hhp_stats.consistency.typography import NUMBER
from hhp_stats.estimate.two_sample import ArmSummary, pooled_p_range, welch_p_range
from hhp_stats.manuscript.claim import P_PRINTED, SPREAD, Claim, Judged, claim, figure, is_deviation, shown, shown_p

_BRACKET = re.compile(r"[(\[]([^()\[\]]{8,120})[)\]]")
_MEAN_SPREAD = re.compile(
    rf"\b(?:M|mean)\s*=\s*(?P<mean>{NUMBER})%?\s*[(\[,;]\s*"
    rf"(?P<kind>S\.?D\.?|S\.?E\.?M?\.?)\s*=?\s*(?P<spread>{NUMBER})%?[)\]]?"
    r"(?:\s*[,;]\s*n\s*=\s*(?P<n>\d[\d,]*))?",
    re.I,
)
_MEAN = re.compile(rf"\b(?:M|mean)\s*=?\s*({NUMBER})", re.I)
_N = re.compile(r"\bn\s*=?\s*(\d[\d,]*)", re.I)
_UP = re.compile(
    r"\b(?:increase[sd]?|higher|rose|rise|greater|more likely|better off|larger|grew|growth|improve\w*|longer)\b", re.I
)
_DOWN = re.compile(
    r"\b(?:decrease[sd]?|lower|fell|fall|reduc\w+|less likely|smaller|declin\w+|fewer|shorter|dropp?e?d?)\b", re.I
)
_DENIED = re.compile(
    r"(?:\b(?:no|not|nor|neither|without|rather"
    r" than|hypothesi[sz]\w+|expect\w*)\b|n't)(?:(?!\bbut\b|\bthough\b|,)[^.]){0,60}$",
    re.I,
)
# "A small but non-significant increase" is an increase.
_NON = re.compile(r"\b(?:non-?|not )(?:statistically )?significant\w*", re.I)
_AFTER_P = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arm:
    start: int
    end: int
    mean: PrintedFigure
    spread: PrintedFigure
    is_sd: bool
    n: int  # 0 where none is printed

    def summary(self, *, spread_is_sd: bool) -> ArmSummary:
        root = math.sqrt(self.n) if spread_is_sd else 1.0
        return ArmSummary(
            mean=self.mean.value,
            std_error=self.spread.value / root,
            n=self.n,
            mean_margin=self.mean.margin,
            std_error_margin=self.spread.margin / root,
        )


def arm_claims(sentence: str) -> Iterator[Claim]:
    """For each p after two arms, Welch's test of them; for a word of direction, the sign of the first less the second.

    A p after one further arm compares it with the first arm of the sentence. Where Welch's test does not give the p,
    the spreads are read the other way (standard errors as deviations, or deviations as errors), with one variance an
    arm or one for all: another reading. The model behind a p may be adjusted, which the reason says.
    """
    arms = list(_arms(sentence))
    used = 0
    for at, arm in enumerate(arms):
        until = arms[at + 1].start if at + 1 < len(arms) else len(sentence)
        found = P_PRINTED.search(sentence, arm.end, min(until, arm.end + _AFTER_P))
        if found is None or not at:
            continue
        other = at - 1 if at > used else 0
        used = at + 1
        if arms[other].n > 1 and arm.n > 1:
            judged = _p_judged(arms, (other, at), found["bound"] or found["sign"], found["p"])
            yield claim(judged, text=sentence[found.start() : found.end()], start=found.start(), end=found.end())
    if len(arms) == 2:
        yield from _direction(sentence, arms)


def _arms(sentence: str) -> Iterator[_Arm]:
    found: list[_Arm] = []
    for bracket in _BRACKET.finditer(sentence):
        if len(_MEAN.findall(bracket[1])) > 1:
            continue  # two arms in one bracket: each by itself, below
        mean, spread, n = (pattern.search(bracket[1]) for pattern in (_MEAN, SPREAD, _N))
        if mean and spread:
            found.append(
                _Arm(
                    start=bracket.start(),
                    end=bracket.end(),
                    mean=figure(mean[1]),
                    spread=figure(spread["spread"]),
                    is_sd=is_deviation(spread["kind"]),
                    n=int(n[1].replace(",", "")) if n else 0,
                )
            )
    for bare in _MEAN_SPREAD.finditer(sentence):
        if not any(arm.start <= bare.start() < arm.end for arm in found):
            found.append(
                _Arm(
                    start=bare.start(),
                    end=bare.end(),
                    mean=figure(bare["mean"]),
                    spread=figure(bare["spread"]),
                    is_sd=is_deviation(bare["kind"]),
                    n=int(bare["n"].replace(",", "")) if bare["n"] else 0,
                )
            )
    return iter(sorted(found, key=lambda arm: arm.start))


def _p_judged(arms: Sequence[_Arm], of: tuple[int, int], sign: str, p: str) -> Judged:
    first, second = (arms[at] for at in of)
    printed, other = ("deviations", "errors") if first.is_sd else ("errors", "deviations")
    reach = welch_p_range(*(arm.summary(spread_is_sd=first.is_sd) for arm in (first, second)))
    reason = f"Welch's test of the two arms gives p {shown_p(reach.low, reach.high)}, printed p {sign} {p}."
    if p_fits(sign, p, reach.low, reach.high):
        return Judged("arms", "reproduces", reason)
    turned = [arm.summary(spread_is_sd=not first.is_sd) for arm in arms if arm.n > 1]
    pair = (arms[of[0]].summary(spread_is_sd=not first.is_sd), arms[of[1]].summary(spread_is_sd=not first.is_sd))
    ranges = {"": welch_p_range(*pair)}
    if len(turned) == len(arms) > 2:
        ranges[" and one variance for all arms"] = pooled_p_range(tuple(turned), of=of)
    for variance, found in ranges.items():
        if p_fits(sign, p, found.low, found.high):
            reading = f"the standard {printed} read as standard {other}{variance}"
            return Judged("arms", "another_reading", f"{reason} It comes back with {reading}.")
    return Judged(
        "arms", "does_not_reproduce", f"{reason} An adjusted model may give another p; then it must be named."
    )


def _direction(sentence: str, arms: Sequence[_Arm]) -> Iterator[Claim]:
    """The word refers to the arm named first, unless it stands after both and repeats the name of the second."""
    found = [
        (word, sign)
        for pattern, sign in ((_UP, 1), (_DOWN, -1))
        for word in pattern.finditer(sentence)
        if not _DENIED.search(_NON.sub(lambda gone: " " * len(gone[0]), sentence)[: word.start()])
    ]
    if len({sign for _, sign in found}) != 1:
        return
    word, sign = found[0]
    gap = arms[0].mean.value - arms[1].mean.value
    if word.start() > arms[1].end:
        rest = sentence[word.end() :].lower()
        names = [_name(sentence[max(0, arm.start - 40) : arm.start]) for arm in arms]
        if names[1] and names[1] in rest and names[0] not in rest:
            gap = -gap
    if abs(gap) <= arms[0].mean.margin + arms[1].mean.margin:
        judged = Judged("direction", "not_checkable", "The two means are the same within their rounding.")
    else:
        judged = Judged(
            "direction",
            "reproduces" if gap * sign > 0 else "does_not_reproduce",
            f"\u201c{word[0]}\u201d, and the means {arms[0].mean.text} and {arms[1].mean.text} differ by {shown(gap)}.",
        )
    yield claim(judged, text=word[0], start=word.start(), end=word.end())


def _name(before: str) -> str:
    """The last word of a group's name that is no general one."""
    known = [word for word in re.findall(r"[a-z]+", before.lower()) if word not in ("group", "arm", "condition", "the")]
    return known[-1] if known else ""
