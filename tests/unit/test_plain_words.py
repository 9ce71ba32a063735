"""The list of phrases that the report avoids: what it finds, what it leaves alone, where it says it is."""

from __future__ import annotations

import pytest

from hhp_stats.errors import RenderError
from hhp_stats.publish.plain_words import check_words, find_phrases, read_words, titles_of_works

BIB = "@book{one, title = {Beside the {Sea}}, author = {A, B}, publisher = {Nobody and Sons}, year = {1990}}\n"


def found(text, **more):
    return [each.words for each in find_phrases(text, **more)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("All strata stand in Table 2.", ["stand in"]),
        ("Teams were assigned\nby lot.", ["by lot"]),
        ("Whoever left", ["Whoever"]),
        ("a p value of .03", ["p value"]),
        ("The telephone, the e-mail", ["telephone", "e-mail"]),
        ("It costs 44 pounds", ["pounds"]),
        ("in the control arm", ["control arm"]),
        ("the treated were better", ["the treated"]),
        ("The published p-value is 0.63 (p = 0.63).", ["p-value is 0.63", "p = 0.63"]),
        ("The analysis is said to are based on people.", ["to are"]),
        ("7 are on benefits and 1 are mixed", ["1 are"]),
    ],
)
def test_phrases_are_found_also_over_the_end_of_a_line(text, words):
    assert found(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "They said \u201cnobody stands in for us\u201d.",
        'The slide says "beside the machine".',
        "`hhp stand in beside`",
        "[the page](beside.html) {#sec-beside}",
        "[@beside2001]",
        "$p \\text{ value}$",
        "This abbreviation stands for a name.",
        "the treated group and lots of data",
        "It was outstanding, besides.",
        "The p-value is .63 (p = .63), the mean 0.63; it can be chance.",
        "Of 11 are 1 in ten; cohort 1 people; Table 1 items; 2.16.1 People",
    ],
)
def test_quotations_code_addresses_and_right_uses_are_left_alone(text):
    assert found(text) == []


def test_titles_of_works_are_not_ours(tmp_path):
    (tmp_path / "a.bib").write_text(BIB, encoding="utf-8")
    titles = titles_of_works(tmp_path, ["a.bib", "missing.bib"])
    assert titles == ("Nobody and Sons", "Beside the Sea")
    assert found("In Beside the Sea, nobody wins.", titles=titles) == ["nobody"]


def test_every_entry_says_what_to_write_and_does_not_advise_what_it_forbids():
    phrases = read_words().phrases
    assert len(phrases) > 25
    assert all(phrase.write and phrase.why and not phrase.find.search(phrase.write) for phrase in phrases)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('find = "x y"\nwrite = "z"', "needs find, write and why"),
        ('find = "("\nwrite = "z"\nwhy = "w"', "no regular expression"),
        ('find = "\\\\w*"\nwrite = "z"\nwhy = "w"', "matches everything"),
        ('find = "x y"\nwrite = "z"\nwhy = "w"\nextra = "e"', "needs find, write and why"),
    ],
)
def test_an_entry_that_could_not_work_is_refused(tmp_path, entry, message):
    file = tmp_path / "words.toml"
    file.write_text(f"sources = []\ncolumns = []\nkeys = []\n[[phrase]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(RenderError, match=message):
        read_words(file)


SOURCES = {
    "report/x.qmd": (
        '# One {#sec-one}\n\nFine words.\n\n```{python}\n#| tbl-cap: "What stands in it"\nbeside = 1\n```\n\n'
        'A text\nbeside another. `{python} say("who ever")` `{python} say("nobody is here")`\n',
        {6: "stands in", 11: "beside", 11.5: "nobody"},
    ),
    "data/plan/x.toml": (
        'a = "fine"\n# beside\nb = """\nOne line\nand whoever"""\ntitle = "beside us"\n',
        {5: "whoever"},
    ),
    "data/published/x.csv": ("as_printed,note\nbeside it,fine\n1,stands in it\n", {3: "stands in"}),
    "hhp_stats/present/x.py": (
        '"""Beside."""\n\n\ndef say(n):\n    """Nobody here."""\n    return f"of {n} nobody" + "\\u201cbeside it\\u201d"\n',
        {6: "nobody"},
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_each_kind_of_source_is_read_with_the_line_of_what_is_wrong(tmp_path, name):
    text, expected = SOURCES[name]
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    problems = check_words(tmp_path)
    assert sorted(problem.cell for problem in problems) == sorted(f"line {int(line)}" for line in expected)
    assert {problem.file for problem in problems} == {name} and {problem.code for problem in problems} == {"Q02"}
    for words in expected.values():
        assert any(f"'{words}'" in problem.rule and problem.remedy.startswith("Write: ") for problem in problems)
