"""All figures follow the same rules: one meaning a colour, one window for means, words in place of what is withheld."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hhp_stats.errors import NoConclusion
from hhp_stats.present.axes_window import REACH, window
from hhp_stats.present.bars import Part, bars_in_words, labelled_bars, stacked_bars
from hhp_stats.present.embed import embed
from hhp_stats.present.field_trials.flow_figure import _adding_up
from hhp_stats.present.row_axes import LINE, row_axes
from hhp_stats.present.style import MEANINGS, PHONE, WIDTH, apply_style, broken, fitted
from hhp_stats.results.withheld import WITHHELD

PRESENT = Path(__file__).parents[2] / "hhp_stats" / "present"


def test_no_colour_has_two_meanings_and_none_is_taken_past_the_table() -> None:
    assert len(set(MEANINGS.values())) == len(MEANINGS) > 5
    sources = {path: path.read_text(encoding="utf-8") for path in PRESENT.rglob("*.py") if path.name != "style.py"}
    assert [path.name for path, text in sources.items() if "PALETTE" in text] == []
    assert [path.name for path, text in sources.items() if re.search(r"[\"']#[0-9a-fA-F]{6}[\"']", text)] == []


@pytest.mark.parametrize(("shown", "half"), [((9.0, 11.0), REACH * 4), ((10.0, 15.0), 1.05 * 5)])
def test_the_window_is_the_same_for_all_means_and_cuts_off_none(shown: tuple[float, float], half: float) -> None:
    apply_style()
    figure, axes = plt.subplots()
    low, high = window(axes, mean=10.0, sd=4.0, shown=shown)
    assert (low, high) == pytest.approx((10 - half, 10 + half)) == axes.get_xlim()
    assert low <= min(shown) and max(shown) <= high
    assert len(axes.lines) == 4  # two strokes at either end say that the axis is cut
    plt.close(figure)


@pytest.mark.parametrize("width", [PHONE, WIDTH])
def test_what_is_withheld_has_no_bar_but_its_mark(width: float) -> None:
    figure = labelled_bars(["a", "b"], [3, WITHHELD], words=["3 (60%)", WITHHELD], unit="People", width=width)
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [3, 0]
    assert sorted(text.get_text() for text in axes.texts) == sorted(["a", "b", "3 (60%)", WITHHELD])
    assert bars_in_words(["a", "b"], ["3 (60%)", WITHHELD]) == f"a: 3 (60%); b: {WITHHELD}"
    plt.close(figure)


def test_an_axis_of_shares_is_numbered_up_to_a_hundred_with_room_for_words() -> None:
    figure = labelled_bars(["a", "b"], [98, 22], words=["98%", "22%"], unit="%", most=100)
    (axes,) = figure.axes
    assert max(axes.get_xticks()) == 100 < axes.get_xlim()[1]
    plt.close(figure)


def test_parts_of_a_bar_follow_each_other() -> None:
    parts = [Part("match", [3, 1], "black"), Part("do not", [1, 0], "white", "//")]
    figure = stacked_bars(["a", "b"], parts, words=["3 of 4", "1 of 1"], unit="Figures")
    (axes,) = figure.axes
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 3), (0, 1), (3, 1), (1, 0)]
    assert {text.get_text(): text.xy[0] for text in axes.texts if "of" in text.get_text()} == {"3 of 4": 4, "1 of 1": 1}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["match", "do not"]
    plt.close(figure)


def empty(width: float) -> Figure:
    return plt.subplots(figsize=(width, 1))[0]


def test_a_figure_wider_than_a_telephone_is_drawn_for_one_as_well(tmp_path: Path) -> None:
    asked = {"root": tmp_path, "document": "index.qmd", "label": "a", "conclusion": "A.", "alt": "A", "caption": "B"}
    made = embed(empty, **asked)
    widths = [
        float(re.search(r'<svg [^>]*width="([\d.]+)pt"', (tmp_path / path).read_text())[1]) / 72
        for path in (made.path, made.phone)
    ]
    assert widths == pytest.approx([WIDTH, PHONE])
    assert f'![]({made.path}){{fig-alt="A. A" phone="{made.phone}"}}' in made._repr_markdown_()
    narrow = embed(lambda _: empty(PHONE), **asked)
    assert narrow.phone == "" and narrow.path == made.phone and "phone" not in narrow._repr_markdown_()


LABELS = ["Short", "A long name of a row that does not fit beside a frame on a telephone, or on one line"]


def test_names_stand_beside_their_rows_on_paper_and_above_them_on_a_telephone() -> None:
    for width in (WIDTH, PHONE):
        rows = row_axes(LABELS, width=width, row=0.3, around=0.8, words=["1 (0 to 2)", "3"], bold=[True, False])
        places = {
            text.get_text() if width == PHONE else text.get_text().replace("\n", " "): text for text in rows.axes.texts
        }
        assert rows.above == (width == PHONE)
        assert list(rows.places) == sorted(rows.places, reverse=True)
        assert places["Short"].get_weight() == "bold" and places["3"].get_weight() == "normal"
        if rows.above:
            assert LABELS[1] not in places and LABELS[1] in " ".join(places)  # on more than one line
            first = [places[words].xy[1] for words in ("Short", "1 (0 to 2)")]
            assert first[0] == first[1] > rows.places[0] > places["3"].xy[1] > rows.places[1]
        else:
            assert [places[label].xy for label in LABELS] == [(-0.02, 1), (-0.02, 0)] and list(rows.places) == [1, 0]
            assert places[LABELS[1]].get_text().count("\n") == 1  # half of the width is left for the frame
        plt.close(rows.figure)


@pytest.mark.parametrize("width", [WIDTH, PHONE])
def test_a_figure_without_a_row_is_not_drawn(width: float) -> None:
    """Where nothing could be estimated an empty frame says nothing; the page has the reason in its place."""
    with pytest.raises(NoConclusion, match="has no row"):
        row_axes([], width=width, row=0.3, around=0.8)


def test_broken_lines_are_about_as_long_as_each_other() -> None:
    assert broken("one two three four", 14) == ["one two", "three four"]  # not "one two three" and "four" alone
    assert broken("one", 14) == ["one"] and broken("", 5) == [""]
    assert fitted("Feeling valued and recognised (scale points, 1 to 7)", WIDTH).count("\n") == 0
    assert fitted("Feeling valued and recognised (scale points, 1 to 7)", PHONE).count("\n") == 1


def test_a_line_of_reference_crosses_no_name() -> None:
    rows = row_axes(LABELS, width=PHONE, row=0.3, around=0.8)
    rows.upright(0)
    ends = [segment[:, 1] for segment in rows.axes.collections[0].get_segments()]
    for (low, high), place in zip(ends, rows.places, strict=True):
        assert low < place < high
        assert all(not low < text.xy[1] - LINE / 2 < high for text in rows.axes.texts)
    plt.close(rows.figure)


def test_alternative_texts_begin_with_the_conclusion(tmp_path: Path) -> None:
    made = embed(
        empty, root=tmp_path, document="report/a.qmd", label="a", conclusion="It fell.", alt="A line.", caption="B"
    )
    assert made.alt == "It fell. A line."


def flow(*rows: tuple[str, str, str, object, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["stage", "arm", "label", "people", "kind"])


HEAD = ("randomised", "all", "Randomised", 100, "stage")


def arm(name: str, *, began: object, refused: object, silent: object, left: object = 10) -> list[tuple]:
    return [
        ("allocated", name, name, 50, "stage"),
        ("survey", name, "Left before the endline survey", left, "loss"),
        ("survey", name, "Did not answer", silent, "loss"),
        ("survey", name, "Began the endline survey", began, "stage"),
        ("analysed", name, "Primary outcome not answered", refused, "loss"),
        ("analysed", name, "Analysed: primary outcome", 20, "stage"),
        ("analysed", name, "Analysed: burnout", 19, "note"),
    ]


def test_a_flow_with_withheld_steps_is_joined_until_it_adds_up() -> None:
    hidden = arm("control", began=WITHHELD, refused=WITHHELD, silent=WITHHELD)
    joined = _adding_up(flow(HEAD, *hidden, *arm("treatment", began=26, refused=6, silent=14)))
    assert WITHHELD not in set(joined["people"]) and "survey" not in set(joined["stage"])
    for name in ("control", "treatment"):
        own = joined[joined["arm"] == name].set_index("label")["people"]
        losses = own["Left before the endline survey"] + own["Did not answer, or not the primary outcome"]
        assert losses == 30 and own[name] - losses == own["Analysed: primary outcome"]
        assert own["Analysed: burnout"] == 19
    plain = flow(HEAD, *arm("control", began=26, refused=6, silent=14))
    assert _adding_up(plain) is plain
    # What others would be needed for stays withheld.
    kept = flow(HEAD, *arm("control", began=WITHHELD, refused=WITHHELD, silent=WITHHELD, left=WITHHELD))
    assert _adding_up(kept) is kept
