"""What a page loses on its way to the site: nothing that a reader sees or a check reads."""

from __future__ import annotations

from hhp_stats.publish.checks.mark_check import mark_problems
from hhp_stats.publish.slim_page import slimmed

MARK = '<span class="result" data-result="{}">{}</span>'
FULL = (
    '<figure id="tbl-x" class="float tbl"><table class="gt_table" data-presenter="a.b" data-results="s/o/e/m">'
    '\n  <tr>\n    <td class="gt_row gt_right" colspan="1">'
    + MARK.format("s/o/e/m", "\u22120.10")
    + " to "
    + MARK.format("s/o/e/m", "0.30")
    + '</td><td class="gt_row" rowspan="2">'
    + MARK.format("s/o/e/m", "0.10")
    + " to "
    + MARK.format("s/o/e/n", "0.30")
    + '</td></tr></table></figure><img alt="a > b" src="x.svg"><code class="gt_rown">x</code>'
)


def test_only_what_no_browser_needs_goes() -> None:
    assert slimmed(FULL, explained={"tbl-x"}) == (
        '<figure id="tbl-x" data-behind class="float tbl"><table class="gt_table">'
        '\n<tr>\n<td><span data-result="s/o/e/m">\u22120.10 to 0.30</span></td>'
        '<td rowspan="2"><span data-result="s/o/e/m">0.10</span> to <span data-result="s/o/e/n">0.30</span></td></tr>'
        '</table></figure><img alt="a > b" src="x.svg"><code>x</code>'
    )
    assert "data-behind" not in slimmed(FULL, explained=())


def test_an_id_in_a_column_of_text_may_break_after_its_joints() -> None:
    for brief in ("planned", '<a class="code" href="#code-p54">P54</a>', ""):
        assert (
            slimmed(f'<td class="gt_row gt_left">{brief}</td>', explained=())
            == f'<td class="gt_left brief">{brief}</td>'
        )
    assert slimmed('<td class="gt_row gt_left">Goal-setting: a/itt_b</td><td>a/b</td>', explained=()) == (
        '<td class="gt_left">Goal-setting: a/<wbr>itt_<wbr>b</td><td>a/b</td>'
    )


def test_long_ids_break_there_also_as_links_as_code_and_as_names_of_rows() -> None:
    name, broken = "wellbeing/mean_treatment/raw", "wellbeing/<wbr>mean_<wbr>treatment/<wbr>raw"
    for around in (
        '<a class="code" href="F.html#result-s/o_p">{}</a>',
        "<code>{}</code>",
        '<th scope="row" class="gt_stub"><span data-result="s/o_p">{}</span></th>',
    ):
        assert slimmed(around.format(name), explained=()) == around.format(broken)
        assert slimmed(around.format("s/o_p"), explained=()) == around.format("s/o_p")
    assert slimmed("<code>tests/unit/test_one.py::test_two</code>", explained=()).count("<wbr>") == 5


def test_a_short_id_that_names_a_row_stays_on_its_line() -> None:
    head = '<th scope="row" class="gt_stub">{}</th>'
    assert slimmed(head.format("BEN-SWB-T-N"), explained=()) == head.format('<span class="keep">BEN-SWB-T-N</span>')
    entry = head.format('<span id="code-v-mod-1">V-MOD-1</span>')
    assert '"><span class="keep">V-MOD-1</span></span>' in slimmed(entry, explained=())
    signed = "Goal-setting\u00a0\u2020"  # a name with the sign of invented effects
    assert slimmed(head.format(signed), explained=()) == head.format(f'<span class="keep">{signed}</span>')
    for other in ("Well-known words", "DIVJ-RQ3-SWB-N-AND-MORE", "C58"):
        assert slimmed(head.format(other), explained=()) == head.format(other)


def test_words_among_numbers_may_take_more_than_one_line() -> None:
    words, number = "<td>above 5%, below 5%, above 5%</td>", "<td>\u22121,234.5 to 1,234.5</td>"
    assert slimmed(words + number + "<td>above 5%</td>", explained=()) == (
        words.replace("<td>", '<td class="words">') + number + "<td>above 5%</td>"
    )


def test_an_indented_label_stays_with_its_indentation() -> None:
    assert slimmed("<th>\u2003North Tyneside</th>", explained=()) == (
        '<th><span class="keep">\u2003North</span> Tyneside</th>'
    )


def test_marks_stay_those_of_their_results() -> None:
    row = {"estimate": 0.1, "conf_low": -0.1, "conf_high": 0.3, "p_value": None, "p_adjusted": None, "n": None}
    row |= dict.fromkeys(("n_clusters", "std_error", "df", "statistic", "conf_level", "mc_error", "mc_error_p"))
    rows = {"s/o/e/m": row, "s/o/e/n": row}
    assert list(mark_problems(slimmed(FULL, explained=()), rows)) == ["", "", ""]
    assert any(mark_problems(slimmed(FULL.replace("0.30", "0.31", 1), explained=()), rows))
