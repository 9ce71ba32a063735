"""One code, one rule: whoever looks a code up finds one sentence, wherever in the package it was raised."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import hhp_stats
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rule_list import all_rules

CODE = re.compile(r"[A-Z]\d\d")
PACKAGE = Path(hhp_stats.__file__).parent


def texts(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """The arguments of a call that are texts, by keyword; of parts put together (`"a" + "b"`, f-strings) the first."""
    for name, value in [("", each) for each in call.args] + [(str(each.arg), each.value) for each in call.keywords]:
        first = value
        while isinstance(first, ast.BinOp):
            first = first.left
        if isinstance(first, ast.JoinedStr) or (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            yield name, first


def defined_codes(source: str) -> Iterator[tuple[str, int]]:
    """Codes that stand in a call beside the sentence of their rule, with the line: that is what defines a rule."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        given = list(texts(call))
        codes = [
            text.value
            for name, text in given
            if name in ("", "code") and isinstance(text, ast.Constant) and CODE.fullmatch(text.value)
        ]
        sentence = any(
            name in ("rule", "remedy") or (isinstance(text, ast.Constant) and " " in text.value) for name, text in given
        )
        keyword = any(each.arg == "rule" for each in call.keywords)
        if len(codes) == 1 and (sentence or keyword):
            yield codes[0], call.lineno


def test_definitions_are_found_however_they_are_written():
    assert list(defined_codes('Rule(code="A01", severity="error", rule="It must." + more, remedy="Do.")')) == [
        ("A01", 1)
    ]
    assert list(defined_codes('_problem(name, "B07", f"{it} must.", "Do it.")')) == [("B07", 1)]
    assert list(defined_codes('Problem(code="K21", severity="error", rule=rule)')) == [("K21", 1)]
    assert (
        list(defined_codes('find(check, "K04"); ResultRow(clause="P48", source="x"); f(code=OTHER.code, rule=r)')) == []
    )


def test_no_code_is_defined_twice_anywhere():
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for code, line in defined_codes(path.read_text(encoding="utf-8")):
            places[code].append(f"{path.relative_to(PACKAGE)}:{line}")
    assert len(places) > 150  # rules of the intake, of printed figures, of the report's sources, of synthetic files
    assert {code: found for code, found in places.items() if len(found) > 1} == {}


def declared() -> Iterator[tuple[str, Rule]]:
    """Every rule that some module of the package holds, with where it was met: alone, in a tuple, or inside a
    record.
    """
    for module in pkgutil.walk_packages(hhp_stats.__path__, "hhp_stats."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(import_module(module.name)).items():
            for entry in value if isinstance(value, tuple) else (value,):
                rule = entry if isinstance(entry, Rule) else getattr(entry, "rule", None)
                if isinstance(rule, Rule):
                    yield f"{module.name}.{name}", rule


def test_every_declared_rule_of_a_code_says_the_same():
    sentences = defaultdict(set)
    for _, rule in declared():
        sentences[rule.code].add((rule.severity, rule.rule, rule.remedy))
    assert len(sentences) > 130
    several = {code: found for code, found in sentences.items() if len(found) > 1}
    # One rule about lists of several names says which list it is about.
    assert {
        code: {(severity, remedy) for severity, _, remedy in found} for code, found in several.items() if code != "K11"
    } == {}
    assert all(len({severity for severity, *_ in found}) == 1 for found in several.values())


def test_every_rule_of_the_package_is_in_the_list_of_the_appendix() -> None:
    listed, found = {rule.code for rule in all_rules()}, set()
    for module in pkgutil.walk_packages(hhp_stats.__path__, "hhp_stats."):
        if not module.name.startswith("hhp_stats.intake"):
            continue
        for value in vars(import_module(module.name)).values():
            found |= {one.code for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Rule)}
    assert len(found) > 100 and found == listed
