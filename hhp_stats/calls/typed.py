"""Are a public function's arguments of the kinds that its annotations name? Wrong kinds end in words, not in a
traceback.

`typed` looks at kinds only (a number, a name, a list, a frame, a fitted model); what values mean is for the function to
judge. Annotations that say nothing checkable, such as type variables and protocols, are let through.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar, Union

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, running
from hhp_stats.errors import InvalidInput

P = ParamSpec("P")
R = TypeVar("R")
Check = tuple[Callable[[Any], bool], str]  # is it one, and what it is called
_CLASSES: dict[type, dict[str, Check]] = {}  # made at the first record of each class


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """The function, refusing arguments of a wrong kind (InvalidInput, naming function, argument, kind and what was
    given).

    Its call is noted where `hhp_stats.calls.ran` records.
    """
    signature = inspect.signature(function)
    name = name_of(function)

    @functools.lru_cache(maxsize=1)
    def checks() -> dict[str, Check]:  # at the first call, when all modules are there
        return _checks(typing.get_type_hints(function))

    parameters = signature.parameters.values()
    in_order = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = {one.name for one in parameters if one.default is one.empty}

    def by_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, Any]:
        # Without `bind` where the names are plain: it takes longer than an estimate of few people.
        given = dict(zip(in_order, args, strict=False)) | kwargs
        if len(given) == len(args) + len(kwargs) and needed <= given.keys() <= signature.parameters.keys():
            return given
        try:
            return signature.bind(*args, **kwargs).arguments
        except TypeError as problem:
            raise InvalidInput(f"{function.__name__}: {problem}") from problem

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        _refuse(function.__name__, by_name(args, kwargs), checks())
        with running(name):
            return function(*args, **kwargs)

    return checked


def check_fields(record: Any) -> None:
    """The same for the fields of a dataclass, from its `__post_init__`."""
    kind = type(record)
    if kind not in _CLASSES:
        _CLASSES[kind] = _checks(typing.get_type_hints(kind))
    _refuse(kind.__name__, {name: getattr(record, name) for name in _CLASSES[kind]}, _CLASSES[kind])


def _refuse(name: str, given: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    for argument, value in given.items():
        if argument in checks and not checks[argument][0](value):
            raise InvalidInput(f"{name}: {argument} must be {checks[argument][1]}, not {_shown(value)}")


def _shown(value: Any) -> str:
    kind = type(value).__name__
    return repr(value) if isinstance(value, str | bool | int | float | None) else f"a value of type {kind}"


def _checks(hints: Mapping[str, Any]) -> dict[str, Check]:
    found = {name: _check(hint) for name, hint in hints.items() if name != "return"}
    return {name: check for name, check in found.items() if check is not None}


def _check(hint: Any) -> Check | None:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        # numpy's ArrayLike is a long union: its parts by name are all "array-like".
        parts = [_check(part) for part in typing.get_args(hint)]
        if _is_array_like(hint):
            optional = types.NoneType in typing.get_args(hint)
            return (
                lambda value: _array_like(value) or (optional and value is None)
            ), "values in an array, a list or a Series"
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        return (lambda value: any(is_one(value) for is_one, _ in known)), " or ".join(
            dict.fromkeys(words for _, words in known)
        )
    if origin is Literal:
        kinds = {type(choice) for choice in typing.get_args(hint)}
        return (lambda value: type(value) in kinds), " or ".join(map(repr, typing.get_args(hint)))
    if origin in (Sequence, Collection, list, tuple, Mapping, dict):
        return _of_many(origin, typing.get_args(hint))
    if origin is np.ndarray:
        return _array_like, "numbers in an array, a list or a Series"
    if origin is Callable or hint is Callable:
        return callable, "a function"
    kind = origin or hint
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return None
    return _of_kind(kind)


# What most values are comes first: whether one is of an abstract kind takes ten times as long.
_NAMED: Mapping[type, Check] = {
    bool: (lambda v: isinstance(v, bool | np.bool_), "true or false"),
    int: (lambda v: type(v) is int or (isinstance(v, Integral) and not isinstance(v, bool)), "a whole number"),
    float: (
        lambda v: type(v) is float or (isinstance(v, Real) and not isinstance(v, bool | np.bool_)),
        "a number",
    ),
    str: (lambda v: isinstance(v, str), "a name"),
    types.NoneType: (lambda v: v is None, "None"),
    np.ndarray: (lambda v: _array_like(v), "numbers in an array, a list or a Series"),
    Mapping: (lambda v: isinstance(v, Mapping), "a mapping of names to values"),
    dict: (lambda v: isinstance(v, dict), "a mapping of names to values"),
    Sequence: (lambda v: _listed(v), "a list"),
    Collection: (lambda v: _listed(v) or isinstance(v, set | frozenset), "a list or a set"),
    tuple: (lambda v: _listed(v), "a list"),
    list: (lambda v: _listed(v), "a list"),
    Iterable: (lambda v: isinstance(v, Iterable) and not isinstance(v, str | bytes | Mapping), "a list"),
    pd.DataFrame: (lambda v: isinstance(v, pd.DataFrame), "a frame"),
    pd.Series: (lambda v: isinstance(v, pd.Series), "a Series"),
}


def _of_kind(kind: type) -> Check | None:
    if kind in _NAMED:
        return _NAMED[kind]
    if kind is object or kind is type:
        return None
    if kind is date:
        return (lambda value: isinstance(value, date)), "a date"
    return (lambda value: isinstance(value, kind)), f"a {kind.__name__}"


def _of_many(kind: type, parts: tuple[Any, ...]) -> Check:
    """A list, tuple, set or mapping with its elements."""
    is_one, words = _NAMED[kind]
    if kind in (Mapping, dict):
        inner = _check(parts[1])
        if inner is None:
            return is_one, words
        return (lambda value: is_one(value) and all(map(inner[0], value.values()))), f"{words}, each {inner[1]}"
    if kind is tuple and Ellipsis not in parts:
        every = [_check(part) for part in parts]
        return (
            lambda value: (
                is_one(value)
                and len(value) == len(parts)
                and all(check is None or check[0](item) for check, item in zip(every, value, strict=True))
            )
        ), f"{len(parts)} values"
    if parts[0] is str:  # names of columns, which pandas lets be numbers too
        return (
            lambda value: is_one(value) and all(isinstance(item, str | Integral) for item in value)
        ), "a list of names"
    inner = _check(parts[0])
    if inner is None:
        return is_one, words
    return (lambda value: is_one(value) and all(map(inner[0], value))), f"a list, each {inner[1]}"


def _is_array_like(hint: Any) -> bool:
    return any("_SupportsArray" in str(part) for part in typing.get_args(hint))


def _array_like(value: Any) -> bool:
    if type(value) is np.ndarray or type(value) is pd.Series:
        return bool(value.ndim > 0)
    if value is None or isinstance(value, str | bytes | Mapping | set | frozenset):
        return False
    try:
        return np.ndim(value) > 0
    except ValueError:  # a list of lists of unequal length
        return False


def _listed(value: Any) -> bool:
    if isinstance(value, str | bytes | Mapping | pd.DataFrame):
        return False
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Sequence | pd.Series | pd.Index)
