"""In which order do people stand? In one that their own data give, never identifiers, pseudonyms or the files.

Everything drawn at random with a seed, and the last digit of every sum, depends on the order of rows. An order by
staff ID, by survey code, by keyed pseudonym or by place in a file would let the spelling of an identifier move
published numbers. Here rows are ordered by their content, and groups (teams, people with several rows) by the content
of their rows. Rows and groups that have the same content cannot be told apart by it, nor by any result: whichever
stands first, the frame is the same but for the identifiers.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Ranks = npt.NDArray[np.intp]


def content_ranks(frame: pd.DataFrame, *, without: Collection[str] = ()) -> Ranks:
    """The place of each row by the content of its columns, the first column first; rows of the same content share one.

    `without` names the columns that do not count: identifiers. Missing values come after all others. Text is compared
    character by character, whatever the machine's language.
    """
    columns = [column for name, column in frame.items() if name not in without]
    if not columns or frame.empty:
        return np.zeros(len(frame), dtype=np.intp)
    codes = np.column_stack([_codes(column) for column in columns])
    order = np.lexsort(codes.T[::-1])
    new = np.concatenate(([False], (codes[order[1:]] != codes[order[:-1]]).any(axis=1)))
    ranks = np.empty(len(frame), dtype=np.intp)
    ranks[order] = np.cumsum(new)
    return ranks


def _codes(column: pd.Series) -> Ranks:
    """Codes of a column's values in their order, the missing last."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    codes, values = pd.factorize(column, sort=True)
    return np.where(codes < 0, len(values), codes).astype(np.intp)


def group_numbers(frames: Sequence[pd.DataFrame], key: str, *, without: Collection[str] = ()) -> dict[Hashable, int]:
    """A number from 0 for each value of the column `key`, in the order of the content of its rows in all `frames`.

    A group's content is that of its rows in the first frame, whichever their order, then in the second, and so on;
    `without` names further identifiers in them. Groups without a row in a frame come first there.
    """
    rows: dict[Hashable, list[list[int]]] = {}
    for place, frame in enumerate(frames):
        ranks = content_ranks(frame, without={key, *without})
        for name, rank in zip(frame[key], ranks.tolist(), strict=True):
            if not pd.isna(name):
                rows.setdefault(name, [[] for _ in frames])[place].append(rank)
    content = {name: tuple(tuple(sorted(each)) for each in found) for name, found in rows.items()}
    return {name: number for number, name in enumerate(sorted(content, key=lambda name: content[name]))}


def in_order(
    frame: pd.DataFrame, *, groups: str = "", first: Sequence[str] = (), without: Collection[str] = ()
) -> pd.DataFrame:
    """The rows of `frame` by the columns `first`, then by `groups` in the order of their content, then by their own
    content.

    `groups` names the column of the groups (teams); rows without one come last. `without` names the columns that are
    identifiers. The index is numbered anew.
    """
    names = {*without, groups} - {""}
    keys = [content_ranks(frame, without=names)]
    if groups:
        numbers = group_numbers([frame], groups, without=without)
        keys.append(np.array([numbers.get(name, len(numbers)) for name in frame[groups]], dtype=np.intp))
    if first:
        keys.append(content_ranks(frame[list(first)]))
    # A copy lays the columns side by side again, which many joins have scattered.
    return frame.iloc[np.lexsort(keys)].reset_index(drop=True).copy()


def numbered(frames: Mapping[str, pd.DataFrame], key: str, *, without: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Frames that share the identifier `key`, each in the order of its groups, with numbers in the place of the
    identifiers.

    The numbers are text of one length, so that their alphabetical order is theirs. `without` names further identifiers.
    """
    names = {key, *without}
    numbers = group_numbers(list(frames.values()), key, without=without)
    named = as_text(numbers)
    found = {}
    for about, frame in frames.items():
        place = np.array([numbers.get(name, len(numbers)) for name in frame[key]], dtype=np.intp)
        ordered = frame.iloc[np.lexsort([content_ranks(frame, without=names), place])].reset_index(drop=True)
        found[about] = ordered.assign(**{key: ordered[key].map(named).astype(frame[key].dtype)})
    return found


def by_appearance(names: pd.Series) -> pd.Series:
    """Numbers, as text, in the place of names, in the order in which these appear; missing stays missing."""
    codes, found = pd.factorize(names)
    named = as_text({number: number for number in range(len(found))})
    return pd.Series(pd.Series(codes, index=names.index).map(named), dtype=names.dtype)


def as_text(numbers: Mapping[Hashable, int]) -> dict[Hashable, str]:
    """Numbers of groups as names of one length, counted from one, whose alphabetical order is theirs."""
    width = len(str(len(numbers)))
    return {name: str(number + 1).zfill(width) for name, number in numbers.items()}
