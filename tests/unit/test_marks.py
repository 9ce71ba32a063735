"""A marked number is the number of its row by construction: nothing looks at digits to find out whose they are."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hhp_stats.present import embed, prose
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.listing import capital
from hhp_stats.present.marked_text import Piece, anchored, marked, pieces, plain
from hhp_stats.present.marks import ReportTable, Sentence, presented, shown
from hhp_stats.present.numbers import (
    apart,
    count,
    count_of,
    interval,
    level,
    lowered,
    number,
    p_clause,
    p_value,
    percent,
    plural,
    spelled,
)
from hhp_stats.present.tables import aligned, effects_table, plain_table, text_table
from hhp_stats.publish.checks.mark_check import mark_problems
from hhp_stats.results.traced import Origin, ResultNumber, TracedRow, origin_of, recording, traced_records

VALUES: dict[str, Any] = {
    "estimate": -0.8123,
    "std_error": 0.31,
    "df": 57.0,
    "statistic": -2.62,
    "p_value": 0.0312,
    "p_adjusted": 0.0624,
    "conf_low": -1.33,
    "conf_high": -0.29,
    "mc_error": 0.002,
    "mc_error_p": 0.001,
    "n": 1286,
    "n_clusters": 60,
    "conf_level": 0.95,
}


def row(result_id: str = "trial/days/itt/cr1", **values: Any) -> TracedRow:
    return TracedRow({"result_id": result_id, "status": "estimated", "note": "", "method": "OLS", **VALUES, **values})


def said(function: Callable[..., str], *arguments: Any) -> list[tuple[str, str, str]]:
    """The marked numbers of what a presenter says: text, id and field."""
    sentence = shown(function, *arguments)
    assert isinstance(sentence, Sentence) and sentence == "".join(part.text for part in sentence.parts)
    assert not re.search("[\ue000-\uf8ff]", sentence)
    return [(part.text, *part.origin[:2]) for part in sentence.parts if part.origin]


# ---------------------------------------------------------------- numbers that know where they were read
def test_what_leaves_a_number_the_same_keeps_its_origin() -> None:
    origin = Origin("trial/days/itt/cr1", "estimate")
    with recording():
        value = row()["estimate"]
        for same in (value, abs(value), 100 * value, 1.0 * value, round(value, 1), abs(-value), -1 * -value):
            assert origin_of(same) == origin
        for turned in (-value, value * -100.0, -1.0 * value, round(-value, 1), -abs(value)):
            assert origin_of(turned) == origin._replace(turned=True)
        assert (abs(value), 100 * value, round(value, 1)) == (0.8123, 100 * -0.8123, -0.8)
        assert origin_of(round(value)) == origin and isinstance(round(value), int)
        assert origin_of(max(value, row()["conf_low"])) == origin


def test_what_is_made_of_several_numbers_is_none_of_them() -> None:
    with recording():
        one, other = row(), row("trial/days/itt/other")
        value, n = one["estimate"], one["n"]
        made = [
            value + other["estimate"],
            value - one["conf_low"],
            value * other["estimate"],
            value / one["std_error"],
            value / 2,
            value * 7,
            value**2,
            1 - one["p_value"],
            sum([value, value]),
            n / 2000,
            n + 1,
            n * 100,
        ]
        # A factor of one that is itself a number of a row is still another number.
        made.append(value * row("trial/days/ratio/x", estimate=1.0)["estimate"])
        assert [origin_of(each) for each in made] == [None] * len(made)


def test_nothing_is_traced_outside_a_recording_and_words_never() -> None:
    assert origin_of(row()["estimate"]) is None and type(row()["n"]) is int
    with recording() as seen:
        other = row("trial/days/itt/other", n="[c]", df=math.nan, mc_error=None)
        assert [type(other[name]) for name in ("n", "df", "mc_error", "status")] == [str, float, type(None), str]
        assert type(other["conf_level"]) is float  # a setting, and no result
    assert list(seen.results) == ["trial/days/itt/other"]


def test_a_traced_number_survives_copies_and_pickles() -> None:
    with recording():
        for name in ("estimate", "n"):
            again = pickle.loads(pickle.dumps(row()[name]))
            assert (again, origin_of(again)) == (VALUES[name], Origin("trial/days/itt/cr1", name))


# ---------------------------------------------------------------- text
def test_equal_numbers_of_two_rows_are_told_apart_whatever_the_order_of_reading() -> None:
    first, second = row("s/o/mean_control/raw", estimate=3.57), row("s/o/mean_treatment/raw", estimate=3.57)

    def words() -> str:
        control, treated = first["estimate"], second["estimate"]
        return f"{number(treated)} against {number(control)}, and {number(treated, 1)} again; 3.57 of nobody"

    assert said(words) == [
        ("3.57", "s/o/mean_treatment/raw", "estimate"),
        ("3.57", "s/o/mean_control/raw", "estimate"),
        ("3.6", "s/o/mean_treatment/raw", "estimate"),
    ]


def test_equal_numbers_of_one_row_are_told_apart_by_their_columns() -> None:
    one = row(estimate=0.5, std_error=0.5, n=60, n_clusters=60)
    found = said(lambda: f"{number(one['std_error'])} {number(one['estimate'])} {count(one['n_clusters'])}")
    assert [field for _, _, field in found] == ["std_error", "estimate", "n_clusters"]


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (lambda r: f"lower by {number(abs(r['estimate']))} days", ["0.81"]),
        (lambda r: number(-r["estimate"]), ["0.81"]),
        (lambda r: number(100 * r["estimate"], 0), ["\u221281"]),
        (lambda r: percent(r["std_error"]), ["31.0"]),
        (lambda r: percent(abs(r["estimate"]), 0), ["81"]),
        (lambda r: number(round(r["estimate"], 1), 1), ["\u22120.8"]),
        (lambda r: p_value(r["p_value"]), [".03"]),
        (lambda r: p_clause(r["mc_error_p"] * 0.1), []),
        (lambda r: p_clause(r["p_value"]), [".03"]),
        (lambda r: interval(r["conf_low"], r["conf_high"]), ["\u22121.33", "\u22120.29"]),
        (lambda r: interval(100 * r["conf_low"], 100 * r["conf_high"], 0), ["\u2212133", "\u221229"]),
        (lambda r: plural(r["n"], "person", "people"), ["1,286"]),
        (lambda r: count_of(r["n_clusters"], 120), ["60"]),  # the share is no number of the row
        (lambda r: spelled(r["n_clusters"]), ["60"]),
        (lambda r: " ".join(apart(r["estimate"], r["conf_low"])), ["\u22120.81", "\u22121.33"]),
        (lambda r: level(r["conf_level"]), []),
        (lambda r: lowered(capital(number(r["estimate"]))), ["\u22120.81"]),
        (lambda r: number(r["estimate"] - r["conf_low"]), []),
        (lambda r: number(0.8123), []),
        (lambda r: prose.uncertainty(r), ["\u22121.33", "\u22120.29", ".03"]),
    ],
)
def test_each_way_of_printing_marks_the_number_and_no_more(
    words: Callable[[TracedRow], str], printed: Sequence[str]
) -> None:
    assert [text for text, _, _ in said(words, row())] == list(printed)


def test_small_and_infinite_numbers_are_marked_as_a_whole() -> None:
    assert [text for text, *_ in said(lambda r: p_clause(r["p_value"]), row(p_value=0.00002))] == ["< .001"]
    assert shown(lambda r: p_clause(r["p_value"]), row(p_value=0.00002)) == "p < .001"
    ends = row(conf_low=-math.inf, conf_high=2.0)
    assert [text for text, *_ in said(lambda r: interval(r["conf_low"], r["conf_high"]), ends)] == [
        "\u2212\u221e",
        "2.00",
    ]


def test_an_end_that_is_zero_but_for_rounding_stays_a_number_of_its_row() -> None:
    found = said(prose.uncertainty, row(conf_high=-1e-12))
    assert found[1] == ("0.00", "trial/days/itt/cr1", "conf_high")


def test_text_can_be_cut_joined_and_measured_through_its_marks() -> None:
    with recording():
        text = f"A: {number(row()['estimate'])} ({count(row()['n'])})"
    assert plain(text) == "A: \u22120.81 (1,286)" and plain(plain(text)) == plain(text)
    assert plain(text.split(" (")[0]) == "A: \u22120.81" and plain(text.upper()) == plain(text).upper()
    assert [piece.text for piece in pieces(text)] == ["A: ", "\u22120.81", " (", "1,286", ")"]
    assert pieces("") == [] and pieces("12 words") == [Piece("12 words")]


def test_a_part_of_another_presenter_hands_its_marks_on() -> None:
    inner = presented(lambda r: number(r["estimate"]))
    sentence = shown(lambda: f"It is {inner(row('s/o/e/inner'))}.")
    assert [part.origin.result_id for part in sentence.parts if part.origin] == ["s/o/e/inner"]


def test_markdown_of_a_sentence_keeps_text_and_citations() -> None:
    sentence = shown(lambda r: f"A_b* is {number(r['std_error'])} [@holm1979]; [x]", row("s/o/e/m", std_error=0.5))
    assert sentence._repr_markdown_() == 'A\\_b\\* is [0\\.50]{.result data-result="s/o/e/m"} [@holm1979]; \\[x\\]'


def test_a_number_whose_sign_was_turned_says_so_and_is_held_against_its_negative() -> None:
    sentence = shown(lambda r: number(-r["std_error"]), row("s/o/e/m"))
    assert sentence._repr_markdown_() == '[\u22120\\.31]{.result data-result="s/o/e/m" data-turned="true"}'
    page = "<main><span data-result='s/o/e/m'{}>{}</span></main>"
    values = {"s/o/e/m": {**VALUES, "std_error": 0.31}}
    assert list(mark_problems(page.format(" data-turned='true'", "\u22120.31"), values)) == [""]
    assert all(mark_problems(page.format("", "\u22120.31"), values))
    assert all(mark_problems(page.format(" data-turned='true'", "\u22120.81"), values))


# ---------------------------------------------------------------- tables
def html_marks(table: Any) -> list[tuple[str, str]]:
    html = table.as_raw_html()
    assert isinstance(table, ReportTable) and not re.search("[\ue000-\uf8ff]", html)
    return [(text, key) for key, text in re.findall(r'<span class="result" data-result="([^"]+)">([^<]+)</span>', html)]


def test_every_cell_of_a_table_of_effects_is_marked_with_its_row() -> None:
    frame = pd.DataFrame([dict(row("s/o/itt/a")), dict(row("s/o/itt/b"))])  # the same numbers in both
    table = presented(effects_table)(frame, labels=["One", "Two"], stub="Version", contrast="treated minus control")
    found = html_marks(table)
    each = ["\u22120.81", "\u22121.33", "\u22120.29", ".03", "57", "1,286", "60"]
    assert found == [(text, key) for key in ("s/o/itt/a", "s/o/itt/b") for text in each]


def test_cells_of_arms_notes_and_degrees_beyond_the_table_are_marked() -> None:
    frame = pd.DataFrame([dict(row("s/o/itt/a", df=2000.0))])
    mean = row("s/o/mean_control/raw", estimate=0.31)

    def table() -> Any:
        return effects_table(
            frame,
            labels=["One"],
            stub="Version",
            contrast="treated minus control",
            arms={"Control": [percent(mean["estimate"])]},
            notes=[f"All {count(mean['n'])} of them; {number(12)} by the plan."],
        )

    found = html_marks(shown(table))
    assert found[0] == ("31.0", "s/o/mean_control/raw") and ("&gt; 1,000", "s/o/itt/a") in found
    assert found[-1] == ("1,286", "s/o/mean_control/raw") and "12" not in [text for text, _ in found]


def test_columns_line_up_as_without_marks() -> None:
    values = [0.5, 12.25, 100.0]
    bare = aligned([number(value, digits) for value, digits in zip(values, (1, 2, 0), strict=True)])
    with recording():
        rows = traced_records(pd.DataFrame([dict(row(estimate=value)) for value in values]))
        texts = aligned([number(r["estimate"], digits) for r, digits in zip(rows, (1, 2, 0), strict=True)])
    assert [plain(text) for text in texts] == bare and texts != bare


def test_names_in_an_index_are_anchors_and_numbers_of_the_data_stay_bare() -> None:
    def index() -> Any:
        cells = {"Result": [anchored("o/itt/cr1", "s/o/itt/cr1")], "n": [count(12)]}
        return text_table(pd.DataFrame(cells), stub="Result")

    html = shown(index).as_raw_html()
    assert '<span class="result" data-result="s/o/itt/cr1" data-anchor="result-s/o/itt/cr1">o/itt/cr1</span>' in html
    assert html.count("data-result=") == 1
    assert anchored("a", "b") == "a"


def test_a_table_outside_a_recording_has_no_marks() -> None:
    table = plain_table(pd.DataFrame({"A": ["x"], "B": [number(row()["estimate"])]}), stub="A")
    assert isinstance(table, EscapedTable) and "data-result" not in table.as_raw_html()


def test_apostrophes_of_a_table_are_those_of_the_text() -> None:
    cells = pd.DataFrame({"A": ["Rubin's rules"], "B": ["authorities' 'own' 5'"]})
    table = plain_table(cells, stub="A", notes=["The trial's rule."])
    html = table.as_raw_html()
    assert "Rubin\u2019s rules" in html and "authorities\u2019 " in html and "The trial\u2019s rule." in html
    assert "\u2019own" not in html and "5\u2019" not in html


# ---------------------------------------------------------------- figures
def test_words_of_a_drawing_and_alternative_texts_are_plain_and_captions_are_marked(
    tmp_path: Path,
) -> None:
    def figure() -> embed.EmbeddedFigure:
        value = row()["estimate"]
        words = f"It is {number(value)}"
        return embed.embed(
            partial(draw, value),
            root=tmp_path,
            document="report/a.qmd",
            label="a",
            conclusion=words,
            alt="A line.",
            caption=words,
        )

    def draw(value: Any, width: float) -> Figure:
        drawing, axes = plt.subplots(figsize=(width, 3))
        axes.plot([0, value], [0, 1], label=f"line {number(value)}")
        axes.set_title(number(value))
        axes.set_yticks([0, 1], ["none", number(value, 3)])
        axes.legend()
        return drawing

    made = shown(figure)
    assert (
        made.alt == f"{made.caption}. A line."
        and made.caption == "It is \u22120.81"
        and made.results == ("trial/days/itt/cr1",)
    )
    wide, phone = ((tmp_path / "report" / path).read_text(encoding="utf-8") for path in (made.path, made.phone))
    for svg in (wide, phone):  # matplotlib notes the words of each outline
        assert {"\u22120.81", "\u22120.812", "line \u22120.81"} <= set(re.findall("<!-- (.*?) -->", svg))
    markdown = made._repr_markdown_()
    assert not re.search("[\ue000-\uf8ff]", wide + phone + markdown)
    assert 'It is [\u22120.81]{.result data-result="trial/days/itt/cr1"}' in markdown and 'fig-alt="It is' in markdown


def test_only_an_open_recording_writes_marks() -> None:
    loose = ResultNumber(0.5, Origin("s/o/e/m", "estimate"))
    assert marked("0.50", loose) == number(loose) == "0.50"
