"""What is read off a source without importing it is what Python itself says of the imported thing."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import hhp_stats.estimate
import hhp_stats.infer
from hhp_stats.errors import HhpError
from hhp_stats.present.definitions import definition


def _modules() -> list[str]:
    return [
        found.name
        for package in (hhp_stats.infer, hhp_stats.estimate)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


@pytest.mark.parametrize("name", _modules())
def test_definitions_are_those_of_the_imported_module(name: str) -> None:
    module = import_module(name)
    things = {name: module}
    for key, value in vars(module).items():
        if getattr(value, "__module__", "") == name and (inspect.isfunction(value) or inspect.isclass(value)):
            things[f"{name}.{key}"] = inspect.unwrap(value)
            methods = vars(value).items() if inspect.isclass(value) else ()
            things |= {
                f"{name}.{key}.{inner}": method
                for inner, method in methods
                if inspect.isfunction(method) and method.__code__.co_filename == module.__file__
            }
    for dotted, thing in things.items():
        found = definition(dotted)
        assert found.path == Path(str(inspect.getsourcefile(thing))).resolve()
        assert found.source == inspect.getsource(thing), dotted
        if thing is not module:
            assert found.line == inspect.getsourcelines(thing)[1], dotted
        if thing.__doc__ and '"""' in found.source:  # dataclasses write one where there is none
            assert found.doc == inspect.getdoc(thing), dotted


@pytest.mark.parametrize("name", ["hhp_stats.infer.nothing", "hhp_stats.infer.pooling.nothing", "numpy.linalg.solve"])
def test_a_name_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(HhpError, match=name):
        definition(name)
