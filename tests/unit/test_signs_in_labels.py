"""Labels of a plan may hold any signs: what means something to Markdown, HTML, YAML or a drawing program is printed as
it stands, and digits of a name are no typed number.
"""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import pytest
from table_trials import KEY, PLAN, walks, with_a_key, without_other_trials, write_walks

from hhp_stats.errors import SelfCheckFailed
from hhp_stats.present import field_trials
from hhp_stats.present.embed import EmbeddedFigure
from hhp_stats.present.field_trials.figures import _effects as drawn_effects
from hhp_stats.present.markdown import escaped, pipe_table
from hhp_stats.present.style import PHONE, WIDTH, apply_style
from hhp_stats.publish.checks.page_check import check_pages, table_estimates
from hhp_stats.publish.checks.page_text import read_page
from hhp_stats.studies.field_trial import run_field_trial

SIGNS = "L'école & <plus> | 5 $ to $x *a* _b_ `c` [1] {x} @sec ~s~ ^u^ #1"
BARE = re.compile(r"(?<!\\)[<>|$*`\[\]{}@~^#]")


@pytest.fixture(scope="module")
def chapter(root, tmp_path_factory):
    """The made-up trial with such labels, run."""
    home = without_other_trials(root, tmp_path_factory.mktemp("signs") / "project")
    plan = PLAN.replace("NHS coach", SIGNS).replace("Pain (NRS)", f"Pain {SIGNS}")
    with with_a_key(tmp_path_factory.mktemp("key")):
        run_field_trial(write_walks(home, walks(), plan=plan), KEY).write(home)
        yield field_trials.chapter(KEY, root=home)


@pytest.mark.parametrize("name", ["brief", "each_outcome", "each_bound"])
def test_what_a_chapter_prints_as_markdown_has_no_bare_sign_of_a_label(chapter, name):
    said = getattr(chapter, name)()
    found = [line for line in said.splitlines() if "école" in line and not line.startswith("![](")]
    assert found or name == "each_bound"
    for line in found:
        text = re.sub(r" \{#sec-[\w-]+\}$|^#+ ", "", line)  # the heading's own mark and label
        text = re.sub(r"^\*(.*?[^\\])\*", r"\1", text)
        assert not BARE.search(text), line


def test_captions_are_plain_text(chapter):
    figure = EmbeddedFigure(label="x", path="x.svg", alt="x", caption=SIGNS)
    assert escaped(SIGNS) in figure._repr_markdown_()
    assert f": {escaped(SIGNS)} {{#tbl-x}}" in pipe_table(["a"], [["b"]], label="tbl-x", caption=SIGNS, widths=[1])


def test_dollars_in_a_figure_are_dollars():
    apply_style()
    figure = plt.figure()
    text = figure.text(0, 0, "$5 to $10")
    assert not text.get_parse_math()
    plt.close(figure)


# ---------------------------------------------------------------- results of another rule, whatever a plan calls them
ROW = """<table><thead><tr><th>Version</th><th>Difference</th><th>95% CI</th><th>p</th></tr></thead>
<tbody><tr><td>Our own version</td><td><span data-result="walks/fell/itt/firth">17.3</span></td>
<td>0.4 to 33.6</td><td>.045</td></tr></tbody></table>"""


def test_an_interval_of_another_rule_is_known_by_its_result_not_by_its_label(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<html><body><main>{ROW}</main></body></html>", encoding="utf-8")
    with pytest.raises(SelfCheckFailed, match="not in the middle"):
        check_pages(tmp_path)
    assert check_pages(tmp_path, exempt=["walks/fell/itt/firth"]).estimates == 0
    with pytest.raises(SelfCheckFailed, match="not in the middle"):
        check_pages(tmp_path, exempt=["walks/fell/itt/hc2"])
    (table,) = read_page(ROW).tables
    assert table.results == [frozenset({"walks/fell/itt/firth"})]
    assert list(table_estimates(table)) != []


@pytest.mark.parametrize("width", [WIDTH, PHONE])
@pytest.mark.parametrize("group", ["video group", "group with one letter in the post and a telephone call after it"])
def test_long_labels_stay_within_a_figure(width, group):
    long = "Visits to the practice, after one letter in the post, followed by a telephone call from the practice nurse"
    rows = [(name, 0.1, -0.2, 0.4) for name in (f"{long} (turned round)", "Pain", long)]
    figure = drawn_effects(
        rows, reach=0.3, title=f"Standard deviations; above zero is better for the {group}", width=width
    )
    figure.canvas.draw()
    whole = figure.bbox
    (axes,) = figure.axes
    texts = [text for text in (*axes.texts, axes.xaxis.label) if text.get_text()]
    assert len(texts) >= 7
    for text in texts:
        box = text.get_window_extent()
        assert whole.x0 - 1 <= box.x0 and box.x1 <= whole.x1 + 1, text.get_text()
        assert whole.y0 - 1 <= box.y0 and box.y1 <= whole.y1 + 1, text.get_text()
    boxes = [text.get_window_extent() for text in axes.texts if width == WIDTH]  # above marks lines follow each other
    assert not [1 for at, one in enumerate(boxes) for other in boxes[at + 1 :] if one.shrunk(0.9, 0.9).overlaps(other)]
    plt.close(figure)
