"""A manuscript's differences, intervals, shares and scales: sound ones pass, each planted slip is named, however it
is saved.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from hhp_stats.consistency.command import run_audit
from hhp_stats.consistency.figures import COLUMNS

# Two arms of fifty; difference .50, its standard error sqrt(.1^2 + .1^2) = .1414, t(98) = 3.54: p .0006; 1.984 *
# .1414 = .28.
SOUND = {
    "X-T-N": ("treatment", "n", "50", "50"),
    "X-T-M": ("treatment", "mean", "5.5", "5.50"),
    "X-T-SE": ("treatment", "se", "0.1", ".10"),
    "X-C-N": ("control", "n", "50", "50"),
    "X-C-M": ("control", "mean", "5", "5.00"),
    "X-C-SE": ("control", "se", "0.1", ".10"),
    "X-D": ("difference", "difference", "0.5", "0.50"),
    "X-LO": ("difference", "conf_low", "0.22", "0.22"),
    "X-HI": ("difference", "conf_high", "0.78", "0.78"),
    "X-P": ("difference", "p", "0.001", ".001"),
    "X-MIN": ("scale", "min", "1", "1"),
    "X-MAX": ("scale", "max", "7", "7"),
    "X-STEP": ("scale", "step", "1", "1"),
    "K": ("all", "count", "17", "17"),
    "K-N": ("all", "n", "22", "22"),
    "K-PC": ("all", "percent", "77", "77%"),
}


def save(folder: Path, *, delimiter: str = ",", mark: bytes = b"", **changes: tuple[str, str]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(COLUMNS), delimiter=delimiter)
    writer.writeheader()
    for name, (group, statistic, value, text) in SOUND.items():
        new = changes.get(name.replace("-", "_"))
        value, text = new or (value, text)
        writer.writerow(
            dict.fromkeys(COLUMNS, "")
            | {
                "id": name,
                "trial": "t",
                "outcome": "share" if name.startswith("K") else "o",
                "group": group,
                "statistic": statistic,
                "value": value,
                "as_printed": text,
                "unit": "score" if group == "scale" else "",
                "source_line": "1",
            }
        )
    path = folder / "manuscript.csv"
    path.write_bytes(mark + out.getvalue().encode())
    return path


def wrong(root: Path, path: Path) -> dict[str, str]:
    verdicts = run_audit(root, path).verdicts
    bad = verdicts[verdicts["verdict"] == "does_not_reproduce"]
    return dict(zip(bad["id"], bad["reason"], strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_sound_manuscript_passes_however_it_is_saved(root, tmp_path, delimiter, mark):
    report = run_audit(root, save(tmp_path, delimiter=delimiter, mark=mark))
    assert report.exit_status == 0 and not report.remarks
    # p, both ends, the difference, both means, both standard errors and the share follow from others.
    checked = report.verdicts[report.verdicts["kind"] != "none"]
    assert set(checked["id"]) == {"X-P", "X-LO", "X-HI", "X-D", "X-T-M", "X-C-M", "X-T-SE", "X-C-SE", "K-PC"}


@pytest.mark.parametrize(
    ("changes", "found", "words"),
    [
        ({"X_D": ("0.6", "0.60")}, {"X-D", "X-LO", "X-HI", "X-P"}, "the means differ by 0.5"),
        ({"X_HI": ("0.87", "0.87")}, {"X-LO", "X-HI", "X-P"}, "estimate in the middle"),
        ({"X_LO": ("-0.22", "-0.22")}, {"X-LO", "X-HI", "X-P"}, "gives p"),
        ({"X_P": ("0.04", ".04")}, {"X-P"}, "the arms give p"),
        ({"X_LO": ("0.98", "0.98")}, {"X-LO"}, "above the upper"),
        ({"X_T_M": ("5.56", "5.56")}, {"X-D", "X-P"}, "the means differ by 0.56"),
        ({"X_T_M": ("5.503", "5.503")}, {"X-T-M"}, "no plain average"),
        ({"K_PC": ("72", "72%")}, {"K-PC"}, "17 of 22 is 77.27%"),
    ],
)
def test_planted_slip_is_named(root, tmp_path, changes, found, words):
    reasons = wrong(root, save(tmp_path, **changes))
    assert set(reasons) == found
    assert any(words in reason[:1].lower() + reason[1:] for reason in reasons.values()), reasons


def test_rounding_is_no_slip(root, tmp_path):
    # A difference of .504 with half an interval of .281, each rounded by itself.
    assert not wrong(root, save(tmp_path, X_D=("0.5", "0.50"), X_LO=("0.22", "0.22"), X_HI=("0.79", "0.79")))
