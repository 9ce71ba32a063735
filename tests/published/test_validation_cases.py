"""Every reference number of appendix E, where it comes from, and that no module is without one (see SOURCE.md)."""

import importlib
import math
import pkgutil
import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import hhp_stats
from hhp_stats.consistency import validation
from hhp_stats.consistency.validation.case import Comparison, ValidationCase
from hhp_stats.consistency.validation.registry import (
    CASES,
    FURTHER_TESTS,
    METHODS,
    cases_of,
    compare,
    validation_table,
)
from hhp_stats.errors import HhpError, ValidationFailed
from hhp_stats.present import methods

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = Path(hhp_stats.__file__).parent
SOFTWARE = pd.read_csv(HERE / "software.csv", dtype={"value": str})

# Modules without a number in the report: their numbers are draws, need more data than a report should carry, or are
# printed by a command alone.
ONLY_IN_TESTS = {
    "design/cluster_draw.py": "tests/unit/test_phase_one.py",
    "design/detectable_by_t.py": "tests/reference/individual_power/test_individual_power_reference.py",
    "design/planned_trial.py": "tests/unit/test_power.py",
    "design/power.py": "tests/simulation/test_design_simulation.py",
    "design/replay.py": "tests/unit/test_randomisation.py",
    "design/simulated_trials.py": "tests/unit/test_power.py",
    "estimate/cluster_bootstrap.py": "tests/unit/test_cost_benefit.py",
    "estimate/imputation/categorical.py": "tests/reference/imputation/test_imputation_reference.py",
    "estimate/imputation/matching.py": "tests/reference/imputation/test_imputation_reference.py",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}-{case.quantity}")
def test_case_agrees(case):
    found = compare(case)
    assert math.isfinite(found.ours)
    # Half a unit of the last digit that the source prints, written out again for decimals.
    if not (case.exact or case.truth or "/" in case.printed):
        assert round(found.ours, case.printed_digits) == pytest.approx(
            case.reference, abs=0.51 * 10.0**-case.printed_digits
        )
    assert found.ok, f"{found.ours!r} instead of {case.printed}"


def test_table_holds_every_case_and_says_so():
    table = validation_table()
    assert len(table) == len(CASES) and table["ok"].all()
    assert list(table["reference"]) == [case.reference for case in CASES]
    assert (table["gap"] == (table["ours"] - table["reference"]).abs()).all()
    assert set(table["section"]) == {f"sec-m-{method}" for method in METHODS}
    assert table["digits"].between(0, 15).all()


def test_registry_is_complete_and_unambiguous():
    assert not pd.Series([(case.method, case.quantity) for case in CASES]).duplicated().any()
    assert {case.method for case in CASES} == set(METHODS) == set(FURTHER_TESTS)
    assert all(case.source and case.quantity for case in CASES)


def wrong(**changes):
    plain = {"method": "linear", "quantity": "planted", "printed": "1.00", "source": "nobody", "compute": lambda: 1.0}
    return ValidationCase(**(plain | changes))


def test_a_case_that_disagrees_stops_the_table_and_is_named():
    good = wrong()
    assert validation_table([good])["ok"].tolist() == [True]
    with pytest.raises(ValidationFailed, match=r"1 of 2 .*linear: planted wrong: 1.006 instead of 1.00 \(nobody\)"):
        validation_table([good, replace(good, quantity="planted wrong", compute=lambda: 1.006)])
    assert issubclass(ValidationFailed, HhpError)


def test_a_case_that_cannot_be_computed_or_is_not_a_number_is_named():
    def broken():
        raise ZeroDivisionError("planted")

    with pytest.raises(ValidationFailed, match=r"linear: planted: not computed \(ZeroDivisionError: planted\)"):
        validation_table([wrong(compute=broken)])
    with pytest.raises(ValidationFailed, match="nan instead of"):
        validation_table([wrong(compute=lambda: math.nan)])


def test_the_report_cannot_print_a_failing_validation(monkeypatch):
    monkeypatch.setattr("hhp_stats.present.methods.cases_of", lambda method: (wrong(compute=lambda: 2.0),))
    with pytest.raises(ValidationFailed, match="planted"):
        methods.table("linear")


@pytest.mark.parametrize(
    ("case", "ours", "agrees"),
    [
        (wrong(printed="0.032"), 0.0324999, True),
        (wrong(printed="0.032"), 0.0315, True),  # the edge itself could have been rounded either way
        (wrong(printed="0.032"), 0.03251, False),
        (wrong(printed="0.0320"), 0.0323, False),  # the trailing zero is a digit that the source prints
        (wrong(printed="5/21"), 5 / 21, True),
        (wrong(printed="5/21"), 0.238, False),
        (wrong(printed="90"), 90.3, True),
        (wrong(printed="90", exact=True), 90.3, False),
        (wrong(printed="1", truth=True), 0.9, False),
        (wrong(printed="-3482258.63"), -3482258.634, True),
    ],
)
def test_agreement_is_half_a_unit_of_the_last_printed_digit(case, ours, agrees):
    assert Comparison(case=case, ours=ours).ok is agrees


def test_digits_of_agreement():
    assert Comparison(case=wrong(printed="2.0"), ours=2.002).digits == pytest.approx(3)  # a gap of a thousandth
    assert Comparison(case=wrong(printed="2.0"), ours=2.0).digits == 15
    assert Comparison(case=wrong(printed="0.0"), ours=0.01).digits == pytest.approx(2)  # decimals where it is zero
    assert Comparison(case=wrong(printed="2.0"), ours=math.inf).digits == 0


def test_figures_of_software_are_those_that_it_wrote():
    registry = {(case.method, case.quantity): case for case in CASES}
    assert len(SOFTWARE) >= 30
    for row in SOFTWARE.itertuples():
        case = registry[row.method, row.quantity]
        # The registry keeps fewer digits of the same number: rounded, never cut or retyped.
        assert f"{float(row.value):.{case.printed_digits}f}" == case.printed, row.quantity
        assert re.match(r"R 4\.2\.2|gretl 2022c", case.source), row.quantity


def test_two_step_figures_are_gretls():
    expected = pd.read_csv(ROOT / "tests/reference/heckman/expected.csv", keep_default_na=False)
    rows = expected[expected["case"] == "mroz_two_step"].set_index("quantity")
    registry = {case.quantity: case for case in CASES if case.source == "gretl 2022c"}
    pairs = {
        "Mroz, two-step, income as distributed: intercept": rows.at["intercept", "value"],
        "Mroz, two-step, income as distributed: SE of intercept": rows.at["intercept", "std_error"],
        "Mroz, two-step, income as distributed: lambda": rows.at["lambda", "value"],
        "Mroz, two-step, income as distributed: SE of lambda": rows.at["lambda", "std_error"],
        "Mroz, two-step, income as distributed: sigma": rows.at["sigma", "value"],
        "Mroz, two-step, income as distributed: rho": rows.at["rho", "value"],
    }
    for quantity, value in pairs.items():
        case = registry[quantity]
        assert f"{float(value):.{case.printed_digits}f}" == case.printed


def test_closed_forms_that_are_typed_in_are_right():
    """References by arithmetic whose working is not in their source column."""
    registry = {case.quantity: case for case in CASES}
    halves = {  # events and people of both arms
        "Log odds ratio, 0 of 10 against 5 of 10": (0, 10, 5, 10),
        "Log odds ratio, 3 of 20 against 7 of 25": (3, 20, 7, 25),
        "Log odds ratio, 12 of 12 against 6 of 14": (12, 12, 6, 14),
    }
    for quantity, (a, n, b, m) in halves.items():
        value = math.log((a + 0.5) / (n - a + 0.5) / ((b + 0.5) / (m - b + 0.5)))
        assert f"{value:.8f}" == registry[quantity].printed


def test_further_tests_exist():
    for method, found in FURTHER_TESTS.items():
        for tests in found:
            text = (ROOT / tests.path).read_text(encoding="utf-8")
            assert "def test_" in text, f"{method}: {tests.path} holds no test"


def modules_called():
    """Modules of the package in which running all cases executes a function; caches emptied before."""
    for found in pkgutil.iter_modules(validation.__path__, f"{validation.__name__}."):
        for value in vars(import_module(found.name)).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
    files: set[str] = set()

    def note(frame, event, _):
        if event == "call":
            files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for case in CASES:
            case.compute()
    finally:
        sys.setprofile(before)
    return {Path(file).relative_to(PACKAGE).as_posix() for file in files if Path(file).is_relative_to(PACKAGE)}


def test_every_estimator_module_has_a_reference_number():
    folders = ("regression", "estimate", "infer", "design", "measures")
    modules = {
        path.relative_to(PACKAGE).as_posix()
        for folder in folders
        for path in (PACKAGE / folder).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert len(modules) > 40
    uncalled = modules - modules_called()
    assert uncalled == set(ONLY_IN_TESTS), (
        "a module needs a case, or a line in ONLY_IN_TESTS; a case came: strike the line"
    )
    for module, path in ONLY_IN_TESTS.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        dotted = "hhp_stats." + module.removesuffix(".py").replace("/", ".")
        package = dotted.rpartition(".")[0]
        assert dotted in text or package in text, f"{path} does not use {dotted}"
        assert "def test_" in text


@pytest.mark.parametrize("method", METHODS)
def test_tables_of_the_appendix(method):
    html = methods.table(method).as_raw_html()
    for heading in ("Quantity", "Reference", "Ours", "Source"):
        assert heading in html
    assert html.count("<tr") >= len(cases_of(method)) + 1
    assert FURTHER_TESTS[method][0].path in html


def test_every_method_has_its_section_and_names_code_that_exists():
    text = (ROOT / "report/E-methods.qmd").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## [^\n]*\{#sec-m-([a-z-]+)\}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(METHODS)
    for method, body in sections.items():
        assert f'methods.table("{method}")' in body and f"#| label: tbl-m-{method}\n" in body
        named = re.findall(r"`(hhp_stats[\w.]+)`", body)
        assert named, f"{method} names no code"
        for module in named:
            importlib.import_module(module)
        for lead in ("Assumptions", "Refused", "Conventions", "Code"):
            assert f"**{lead}.**" in body, f"{method} has no paragraph {lead}"


def test_every_formula_of_the_appendix_has_words():
    text = (ROOT / "report/E-methods.qmd").read_text(encoding="utf-8")
    ends = re.findall(r"^\$\$ (.*)$", text, re.MULTILINE)
    assert len(ends) == len(re.findall(r"^\$\$$", text, re.MULTILINE)) >= 18
    for end in ends:
        found = re.fullmatch(r'\{#eq-m-[a-z]+ alt="([^"{}\\$_*]+)"\}', end)
        assert found and len(found[1].split()) >= 8, end


def test_how_numbers_are_shown():
    shown = methods.table("randomisation-inference").as_raw_html()
    assert "5/21" in shown and "0.238095" in shown  # a fraction beside our decimals
    assert ">yes<" in methods.table("firth").as_raw_html()
    linear_table = methods.table("linear").as_raw_html()
    assert "\N{MINUS SIGN}3,482,258.6<" in linear_table and "\N{MINUS SIGN}3,482,258.635<" in linear_table
    assert ">6.5<" in shown  # exact, without the dust of double precision


def test_sentence_and_overview_count_the_registry():
    assert f" {len(CASES)} reference numbers for {len(METHODS)} methods were " in methods.agreement()
    html = methods.overview().as_raw_html()
    assert all(title in html for title in METHODS.values())


def test_unknown_method_is_refused():
    with pytest.raises(ValidationFailed, match="no validation cases for 'tea leaves'"):
        cases_of("tea leaves")
