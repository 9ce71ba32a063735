"""The reader of pages finds numbers of people wherever they stand, and notices one that no public frame holds."""

import pandas as pd
import pytest
from disclosure_pages import not_among, people_in_prose, people_in_tables

PAGE = """<html><body><main><p>Of 391 people, 87 participants answered; the difference was 0.28 (0.1 to 0.4), p = .03, in 5 weeks.
Each £1 of staff time saved £6.25.</p>
<img src="x.svg" alt="Flow of participants. Randomised: 391 people. Began: [c] people; Did not answer: 7; Analysed: 87.">
<table><thead><tr><th>Group</th><th>People</th><th>Teams</th><th>Answered endline</th><th>Mean</th></tr></thead>
<tbody><tr><td>Letter</td><td>195</td><td>9</td><td>83 (42.6%)</td><td>-0.20 (0.16), 86</td></tr>
<tr><td>Left</td><td>[c]</td><td>8</td><td>6 of 11</td><td>4.5</td></tr></tbody></table></main></body></html>"""


def test_numbers_of_people_are_found_wherever_they_stand():
    assert sorted(number for number, _ in people_in_prose(PAGE)) == [87, 391]
    assert sorted(number for number, _ in people_in_tables(PAGE)) == [6, 7, 11, 83, 86, 87, 195, 391]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[c] people", "3 people"),
        ("<td>[c]</td>", "<td>3</td>"),
        ("<td>[c]</td>", "<td>3 (1.5%)</td>"),
        ("in 5 weeks", "of whom 3 people left"),
    ],
)
def test_a_withheld_number_that_a_page_prints_is_noticed(old, new):
    allowed = {number for number, _ in (*people_in_prose(PAGE), *people_in_tables(PAGE))}
    page = PAGE.replace(old, new)
    assert [number for number, _ in not_among((*people_in_prose(page), *people_in_tables(page)), allowed)] == [3]


def test_a_withheld_number_in_the_published_results_is_noticed(tmp_path):
    from disclosure_pages_check import problems_of_results

    from hhp_stats.results.frame import ResultRow, result_frame, write_results

    row = {
        "study": "trial",
        "outcome": "days",
        "estimand": "itt",
        "population": "",
        "contrast": "",
        "method": "OLS",
        "analysis": "planned",
        "estimate": 1.0,
        "std_error": 2.0,
        "note": "",
        "source": "test",
    }
    write_results(
        result_frame(
            [
                ResultRow(result_id="trial/days/itt/a", n=3, **row),
                ResultRow(result_id="trial/days/itt/b", n=None, **row),
            ]
        ),
        tmp_path / "results.csv",
    )
    folder = tmp_path / ".report/results/trial"
    folder.mkdir(parents=True)
    listed = [("results", key, "n", "[c]") for key in ("trial/days/itt/a", "trial/days/itt/b")]
    pd.DataFrame(listed, columns=["table", "row", "column", "people"]).to_csv(folder / "people.csv", index=False)
    assert problems_of_results(tmp_path, tmp_path, {"trial": {}}) == (2, ["trial/days/itt/a, n"])
