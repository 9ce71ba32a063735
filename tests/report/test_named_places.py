"""What a chapter is handed of the book's numbers: all that it names, nothing else."""

from __future__ import annotations

import json

import pytest

from hhp_stats.publish.named_places import names_in_trees, numbers_for

PLACES = {
    "sec-design": "02-trial",
    "fig-flow": "02-trial",
    "tbl-näher": "03-other",
    "code-p54": "B-list",
    "code-rule-c09": "C-data",
    "result-trial/absence/itt/cr1": "F-list",
    "ref-smith2020": "references",
    "02-trial-results": "02-trial",
}
NUMBERS = {
    "number": "2",
    "alone": {"fig": 0, "tbl": 0, "eq": 0},
    "renamed": {"results": "02-trial-results"},
    "chapters": {"report/02-trial.qmd": "sec-trial"},
    "volumes": {"02-trial": 1},
    "defined": {name: {"kind": "section", "number": "1"} for name in PLACES},
    "pages": {**PLACES, "sec-trial": "02-trial"},
    "codes": {
        "P54": "code-p54",
        "C09": "code-rule-c09",
        "trial/absence/itt/cr1": "result-trial/absence/itt/cr1",
    },
}


def _tree(*inlines: object) -> str:
    return json.dumps({"meta": {}, "blocks": [{"t": "Para", "c": list(inlines)}]}, ensure_ascii=False)


def _link(target: str) -> dict[str, object]:
    return {"t": "Link", "c": [["", [], []], [], [target, ""]]}


@pytest.mark.parametrize(
    ("inline", "kind", "name"),
    [
        (_link("#sec-design"), "pages", "sec-design"),
        (_link("../report/02-trial.qmd#fig-flow"), "defined", "fig-flow"),
        (_link("#tbl-näher"), "pages", "tbl-näher"),
        ({"t": "Cite", "c": [[{"citationId": "fig-flow"}], []]}, "defined", "fig-flow"),
        ({"t": "Span", "c": [["", [], [["title", 'See "@sec-design".\nThen']]], []]}, "defined", "sec-design"),
        ({"t": "Str", "c": "(P54)."}, "codes", "P54"),
        ({"t": "Str", "c": "P54–C09"}, "codes", "C09"),
        ({"t": "Code", "c": [["", [], []], "trial/absence/itt/cr1"]}, "codes", "trial/absence/itt/cr1"),
        (_link("#ref-smith2020"), "pages", "ref-smith2020"),
    ],
)
def test_what_a_chapter_names_is_kept(inline: object, kind: str, name: str) -> None:
    kept = numbers_for(NUMBERS, names_in_trees([_tree(inline)]))
    assert kept[kind][name] == NUMBERS[kind][name]
    if kind == "codes":  # a link to the entry needs its page
        assert kept["pages"][NUMBERS["codes"][name]] == NUMBERS["pages"][NUMBERS["codes"][name]]


def test_what_a_chapter_does_not_name_is_left_out() -> None:
    kept = numbers_for(NUMBERS, names_in_trees([_tree({"t": "Str", "c": "Nothing"})]))
    assert kept["codes"] == {}
    # Its own headings that share their words with another chapter's, and the chapters themselves, are always there.
    assert set(kept["pages"]) == {"02-trial-results", "sec-trial"}
    assert set(kept["defined"]) == {"02-trial-results"}
    assert {name: kept[name] for name in ("number", "alone", "renamed", "chapters", "volumes")} == {
        name: NUMBERS[name] for name in ("number", "alone", "renamed", "chapters", "volumes")
    }
