"""What people write in any script is printed, and no text of theirs stops a rendering."""

from __future__ import annotations

import json

import lxml.html
import pytest
from book_tools import WriteBook, text_of

from hhp_stats.errors import RenderError
from hhp_stats.intake.free_text import free_text, unfit
from hhp_stats.publish import render_book
from hhp_stats.publish.glyphs import missing, named, stand_in, with_stand_ins

PRINTED = {
    "Cyrillic": "опечатка в табеле",
    "Greek": "τυπογραφικό λάθος",
    "Hebrew": "שגיאת הקלדה ב-2019",
    "Arabic": "خطأ مطبعي (2019)",
    "Chinese": "输入错误，已更正",
    "Japanese": "入力ミス・訂正",
    "Korean": "오타 수정",
    "Thai": "ข้อผิดพลาดในการพิมพ์",
    "Devanagari": "टाइपिंग त्रुटि",
    "Bengali": "টাইপিং ভুল",
    "Gurmukhi": "ਟਾਈਪਿੰਗ ਗਲਤੀ",
    "Gujarati": "ટાઇપિંગ ભૂલ",
    "Tamil": "தட்டச்சுப் பிழை",
    "Latin with marks": "Zażółć gęślą jaźń, Ångström, ǵ",
    "emoji": "wrong \U0001f600 \U0001f469\u200d\U0001f467 \U0001faf8",
    "Typst": "#set text(red) #panic() $x$ = y // /* \\u{41} ~ @ref <label> ``` #[",
    "Markdown": "*a* **b** _c_ `d` [e](f) ![g](h) ::: {{< include x >}} `{python} 1` ^[note] $$y$$ --- # |",
    "HTML": "<script>alert(1)</script> <b>b</b> &amp; &#65; <!-- --> \"'",
}
NAMED = {
    "Amharic": ("የጽሑፍ", "የጽሑፍ"),
    "Tifinagh": ("\u2d30x", "\u2d30"),
    "hieroglyphs": ("new \U00013000", "\U00013000"),
    "a family": ("\U0001f469\u200d\U0001f467 and \u2d31", "\u2d31"),
    "private use": ("a \ue000 b", "\ue000"),
    "rare Han": ("\U00020000", "\U00020000"),
}

STRAIGHT = str.maketrans("\u201c\u201d\u2018\u2019", "\"\"''")  # Markdown sets quotation marks
PAGE = """\
# One {#sec-one}

```{python}
#| label: tbl-reasons
#| tbl-cap: Reasons.
import json
from pathlib import Path
import pandas as pd
from hhp_stats.present.tables import text_table
reasons = json.loads(Path("reasons.json").read_text(encoding="utf-8"))
text_table(pd.DataFrame({"Correction": [f"C{n:03d}" for n, _ in enumerate(reasons, start=1)], "Reason": reasons}), stub="Correction")
```

```{python}
#| output: asis
from hhp_stats.present.markdown import escaped, pipe_table
print(pipe_table(["Line", "Reason"], [[f"L{n}", escaped(reason)] for n, reason in enumerate(reasons, start=1)],
                 label="tbl-lines", caption="Lines", widths=[10, 60]))
```
"""


def test_reasons_in_every_script_reach_both_formats(write_book: WriteBook) -> None:
    reasons = [*PRINTED.values(), *(text for text, _ in NAMED.values())]
    assert [free_text(reason) for reason in reasons] == reasons and not any(
        map(unfit, reasons)
    )  # as the ledger reads them
    root = write_book(PAGE)
    (root / "reasons.json").write_text(json.dumps(reasons), encoding="utf-8")
    made = render_book(root=root, output=root / "_output")
    article = lxml.html.fromstring((root / "_output/one.html").read_bytes()).find(".//article")
    for table in article.iter("table"):
        rows = [[text_of(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")][1:]
        assert [cells[-1].translate(STRAIGHT) for cells in rows] == reasons
    assert [text_of(each) for each in article.iter("bdi")] == [PRINTED["Hebrew"], PRINTED["Arabic"]]
    assert not list(article.iter("script"))
    # Set by the rules of PDF/A and PDF/UA; what no font has is named, and nothing else is.
    assert made.pdf is not None and made.pdf.read_bytes().startswith(b"%PDF")
    for name, (_, characters) in NAMED.items():
        assert set(characters) <= set(made.unprinted), name
    assert set(made.unprinted) <= set("".join(text for text, _ in NAMED.values())), named(made.unprinted, longest=99)


def test_a_chapter_s_own_words_are_still_mended_where_they_stand(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nWords \u2d30 here.\n")
    with pytest.raises(RenderError, match=r"no font of the report has '\u2d30' \(U\+2D30\)"):
        render_book(root=root, output=root / "_output", formats=["pdf"])


def test_stand_ins_name_what_is_missing_and_leave_the_rest() -> None:
    said = (
        'error: the text `"\\u{301}"` could not be displayed with font `"A"`\nthe text `"\u2d30\u2d31"` could not be'
        " displayed"
    )
    assert missing(said) == ("\u2d30\u2d31", "\u0301")
    assert stand_in("a\u2d30\u2d31b") == "a\u2039U+2D30 U+2D31\u203ab"
    assert with_stand_ins("x \u2d30\u2d31 y", ("\u2d30", "\u2d31")) == "x \u2039U+2D30 U+2D31\u203a y"
    assert with_stand_ins("x y", ("\u2d30",)) == "x y"
    assert named("\u2d30\u2d30\u2d31", longest=1) == "U+2D30 (tifinagh letter ya) and 1 more"


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "a\x07b",
        "a\x1bb",
        "a\x7fb",
        "a\x85b",
        "\u202egnp.exe",
        "a\u2066b",
        "\ud800",
        "\ufffe",
        "\U0010ffff",
        "\ufdd0",
    ],
)
def test_controls_and_turning_signs_are_named_and_not_taken(text: str) -> None:
    assert unfit(free_text(text)) != []
    assert all(each.startswith("U+") for each in unfit(text))


def test_blanks_are_single_and_joiners_stay() -> None:
    assert free_text(" a\n\tb\u00a0\u2028 c ") == "a b c"
    assert free_text("\U0001f469\u200d\U0001f467 \u0646\u200c\u0627") == "\U0001f469\u200d\U0001f467 \u0646\u200c\u0627"
    assert free_text("e\u0301 \ufeff\u00adx") == "\u00e9 x"
