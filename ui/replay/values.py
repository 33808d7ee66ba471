"""Values of a session, compared with and copied into other sessions. Nothing here knows of Streamlit."""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from types import BuiltinMethodType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np

_LEAVES = (type(None), bool, int, float, complex, str, bytes, range, np.generic, FunctionType, functools.partial)
_MOST = 20_000  # objects that `holds` looks at


class PersonalError(Exception):
    """This belongs to one session: another one must not get it."""


class _Absent:
    """No value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


def copied(value: Any) -> Any:
    """A value as it is now, which later changes of it don't reach.

    Raises:
        PersonalError: if it is neither plain data, nor an array or a dataclass that never changes.
    """
    kind = type(value)
    if value is ABSENT or isinstance(value, _LEAVES):
        return value
    if kind is dict:
        return {copied(key): copied(each) for key, each in value.items()}
    if kind in (list, set):
        return kind(copied(each) for each in value)
    if kind in (tuple, frozenset):
        parts = [copied(each) for each in value]
        return value if all(map(operator.is_, parts, value)) else kind(parts)
    if isinstance(value, np.ndarray) and not value.flags.writeable:
        return value
    if _frozen(value):
        names = [field.name for field in fields(value)]
        changed = {name: part for name in names if (part := copied(getattr(value, name))) is not getattr(value, name)}
        twin = copy.copy(value) if changed else value  # it holds a list or the like, which a page could change
        for name, part in changed.items():
            object.__setattr__(twin, name, part)
        return twin
    raise PersonalError(f"a value of {kind.__qualname__}")


def same(one: Any, other: Any) -> bool:
    """Whether two values that were `copied` are equal, of the same types throughout."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))  # in the same order: a page may show it in that
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)


def changeable(values: Iterable[Any]) -> set[int]:
    """The identities of all objects in values of a session that a page could change."""
    found: set[int] = set()
    todo = list(values)
    while todo:
        value = todo.pop()
        if id(value) in found or isinstance(value, (*_LEAVES, np.ndarray)):
            continue
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            todo += value
        if not isinstance(value, tuple | frozenset) and not _frozen(value):
            found.add(id(value))
    return found


def _frozen(value: Any) -> bool:
    """Whether it is a dataclass that never changes."""
    return bool(getattr(getattr(type(value), "__dataclass_params__", None), "frozen", False))


def holds(roots: Iterable[Any], owned: set[int]) -> bool:
    """Whether functions, or what they close over, hold one of the owned objects; see `changeable`.

    What belongs to neither the pages nor their panels is not looked into: models and readings know of no session.
    True as well if there is too much to look at.
    """
    seen: set[int] = set()
    kept: list[Any] = []  # bound methods and the like are made on the way; their identities must last
    todo = list(roots)
    while todo:
        value = todo.pop()
        if isinstance(value, str | bytes | int | float | np.ndarray | np.generic | type(None)) or id(value) in seen:
            continue
        if id(value) in owned or len(seen) > _MOST:
            return True
        seen.add(id(value))
        kept.append(value)
        todo += _parts(value)
    return False


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value, *value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    if isinstance(value, FunctionType):
        cells = (cell.cell_contents for cell in value.__closure__ or () if _filled(cell))
        return (*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    if isinstance(value, MethodType | BuiltinMethodType | MethodWrapperType):
        return (
            () if isinstance(value.__self__, ModuleType | type) else (value.__self__, getattr(value, "__func__", None))
        )
    if isinstance(value, functools.partial):
        return (value.func, *value.args, *value.keywords.values())
    if is_dataclass(value) and type(value).__module__.startswith("streamlit.elements"):  # what reads a widget's value
        return tuple(getattr(value, field.name, None) for field in fields(value))
    if type(value).__module__.partition(".")[0] in ("ui", "pages", "__main__"):
        return tuple(getattr(value, "__dict__", {}).values())
    return ()


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:  # a function that is defined later
        return False
    return True
