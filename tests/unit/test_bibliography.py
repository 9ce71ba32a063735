"""Sources whose printed label would depend on the page, and names that BibTeX reads as two."""

from pathlib import Path

import pytest

from hhp_stats.publish.bibliography import check_bibliography, read_entries

TWINS = """\
@comment{not, author = {A}}
@article{one,
  author = {Grant, Adam M.},
  title  = {With {braces, and = signs}},
  year   = {2008}
}

@book{two, title = "A title", author = {Grant,  Adam M.}, year = 2008, publisher = {Wiley}}
"""


def found(tmp_path: Path, text: str, cited: set[str]) -> list[tuple[str, int, str]]:
    (tmp_path / "a.bib").write_text(text, encoding="utf-8")
    problems: list[tuple[str, int, str]] = []
    check_bibliography(tmp_path, "a.bib", cited, lambda *problem: problems.append(problem))
    return problems


def test_entries_are_read_with_their_lines() -> None:
    one, two = read_entries(TWINS)
    assert (one.key, one.line, one.lines["year"]) == ("one", 2, 5)
    assert one.fields["title"] == "With {braces, and = signs}" and one.fields["year"] == "2008"
    assert (two.key, two.fields["title"], two.fields["year"]) == ("two", "A title", "2008")
    assert two.fields["publisher"] == "Wiley"


def test_two_sources_of_one_author_and_year_need_letters(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, TWINS, {"one", "two"})
    assert problem[:2] == ("a.bib", 8) and "'two' and 'one' have the same authors and year" in problem[2]
    assert found(tmp_path, TWINS, {"one"}) == []  # the other is printed nowhere
    assert found(tmp_path, TWINS.replace("{2008}", "{2008a}").replace("= 2008", "= {2008b}"), {"one", "two"}) == []
    assert found(tmp_path, TWINS.replace("Grant,  Adam", "Grant, Anna"), {"one", "two"}) == []


@pytest.mark.parametrize("field", ["publisher", "institution", "school", "organization", "location", "address"])
def test_the_and_of_a_name_is_braced(tmp_path: Path, field: str) -> None:
    """Pandoc prints "Chapman; Hall" for `publisher = {Chapman and Hall}`, as biblatex does."""
    entry = "@book{k,\n  author = {A and B},\n  %s = {Chapman %s Hall},\n  year = {2001}\n}\n"
    (problem,) = found(tmp_path, entry % (field, "and"), {"k"})
    assert problem[:2] == ("a.bib", 3) and f"the {field} of 'k'" in problem[2]
    assert found(tmp_path, entry % (field, "{and}"), {"k"}) == []
