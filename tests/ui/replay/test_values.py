"""Values that sessions may share, and what betrays that they mustn't."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ui.replay.values import PersonalError, changeable, copied, holds, same


@dataclass(frozen=True)
class Fixed:
    """Never changes."""

    name: str
    values: Any = None


@dataclass
class Loose:
    """May change."""

    name: str


def test_a_copy_is_equal_and_later_changes_dont_reach_it() -> None:
    value = {"texts": ["a", ("b", {"c"})], "number": 1.5, "fixed": Fixed("x", (1, 2))}
    kept = copied(value)
    assert same(kept, value)
    value["texts"].append("d")  # type: ignore[attr-defined]
    assert kept["texts"] == ["a", ("b", {"c"})]
    assert not same(kept, value)


def test_a_list_in_something_fixed_is_copied_and_the_rest_is_not() -> None:
    changing, fixed = Fixed("x", [1]), Fixed("x", (1, Fixed("y")))
    kept = copied(changing)
    assert same(kept, changing)
    changing.values.append(2)
    assert kept.values == [1]
    assert copied(fixed) is fixed
    assert copied((fixed, frozenset({1})))[0] is fixed


def test_the_order_of_a_dict_counts() -> None:
    assert same({"a": 1, "b": 2}, {"a": 1, "b": 2})
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, 1.0), ([1], (1,)), ({"a": 1}, {"a": 2}), (Fixed("a"), Fixed("b")), ("", None)]
)
def test_values_of_another_type_are_others(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_arrays_are_compared_by_their_numbers() -> None:
    one, other = np.array([1.0, np.nan]), np.array([1.0, np.nan])
    for array in (one, other):
        array.flags.writeable = False
    assert same(copied(one), other)
    assert not same(one, np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    "value", [Loose("x"), [Loose("x")], Fixed("x", Loose("y")), object(), np.zeros(2), {"a": iter(())}]
)
def test_what_can_change_is_not_shared(value: Any) -> None:
    with pytest.raises(PersonalError):
        copied(value)


def test_a_function_that_holds_an_object_of_a_session_is_found() -> None:
    mine, others = {"visits": [1]}, [2]
    owned = changeable([mine, ("a", 1), Fixed("x")])
    assert owned == {id(mine), id(mine["visits"])}

    def append() -> None:
        mine["visits"].append(2)

    def nested(call: Any = append) -> Any:
        return call()

    for held in (
        append,
        nested,
        functools.partial(print, mine),
        mine["visits"].append,
        mine.__setitem__,
        [{"a": mine}],
    ):
        assert holds([held], owned)
    for free in (lambda: others, functools.partial(print, others), others.append, "text", print, len):
        assert not holds([free], owned)
