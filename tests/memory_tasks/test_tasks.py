"""The memory tasks against hand-computed answers and an acceptor written another way; nothing is trained."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import LabError
from lstm_core.memory_tasks import examples, grammars, tasks
from lstm_core.memory_tasks.tasks import TASKS, Task

SEEDS = st.integers(0, 2**31)


def accepted(string: str) -> bool:
    """Whether a string is of the embedded Reber grammar, by a table of its own: (state, symbol) → state."""
    arrows = "1T2 1P3 2S2 2X4 3T3 3V5 4X3 4S6 5P4 5V6"
    table = {(each[0], each[1]): each[2] for each in arrows.split()}
    match = re.fullmatch(r"B([TP])B(.*)E([TP])E", string)
    if match is None or match[1] != match[3]:
        return False
    state = "1"
    for symbol in match[2]:
        state = table.get((state, symbol), "")
    return state == "6"


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
class TestEveryTask:
    def test_the_same_seed_draws_the_same(self, task: Task) -> None:
        one, again, other = (task.batch(20, 30, seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one.x, again.x)
        np.testing.assert_array_equal(one.targets, again.targets)
        assert (one.x != other.x).any()

    def test_shapes_fit_together(self, task: Task) -> None:
        batch = task.batch(20, 7, 3)
        count, steps, features = batch.x.shape
        assert (count, features) == (7, task.features)
        assert batch.targets.shape == batch.valid.shape == (7, steps, task.outputs)
        assert batch.mask.shape == batch.memory.shape == batch.live.shape == batch.symbols.shape == (7, steps)
        assert len(batch) == 7
        assert task.every_step == (batch.mask.sum(axis=1).max() > 1)

    def test_the_right_answer_is_right_and_nonsense_is_not(self, task: Task) -> None:
        batch = task.batch(20, 50, 4)
        perfect = batch.targets if task.loss == "mse" else batch.valid.astype(float)
        assert task.right(batch, perfect).all()
        assert not task.right(batch, 1 - perfect if task.loss != "mse" else perfect + 0.05).any()

    def test_one_wrong_step_spoils_a_sequence(self, task: Task) -> None:
        batch = task.batch(20, 5, 4)
        answers = batch.targets.copy() if task.loss == "mse" else batch.valid.astype(float)
        answers[2, int(batch.mask[2].nonzero()[0][-1])] += 0.5 if task.loss == "mse" else 0
        answers[2, int(batch.mask[2].nonzero()[0][-1])] *= -1
        assert task.right(batch, answers).tolist() == [True, True, False, True, True]

    @pytest.mark.parametrize("length", [-1, 0, 10_000])
    def test_a_length_out_of_reach_is_one_sentence(self, task: Task, length: int) -> None:
        with pytest.raises(LabError, match=f"received {length}"):
            task.batch(length, 1, 0)

    def test_an_empty_batch_is_refused(self, task: Task) -> None:
        with pytest.raises(LabError, match="at least one sequence"):
            task.batch(20, 0, 0)

    def test_without_memory_it_is_not_passed(self, task: Task) -> None:
        baseline = task.baseline(tasks.validation(task, 20, 400, 5))
        assert 0.02 < baseline < 0.65 < task.mark

    @pytest.mark.parametrize("end", [0, 1])
    def test_both_ends_of_its_range_can_be_drawn(self, task: Task, end: int) -> None:
        shown = examples.task_example(task, task.lengths[end], 1)
        assert len(shown.matters) == len(shown)
        assert shown.matters.any()
        assert shown.question.endswith("?") or shown.question.endswith(".")


def test_an_unknown_task_is_one_sentence() -> None:
    with pytest.raises(LabError, match="no task 'juggling'; choose one of adding, order"):
        tasks.find_task("juggling")


class TestAdding:
    @given(SEEDS, st.integers(10, 120))
    @settings(max_examples=40, deadline=None)
    def test_the_target_is_the_scaled_sum_of_two_marked_numbers(self, seed: int, length: int) -> None:
        batch = tasks.TASKS["adding"].sample(length, 4, seed)
        for values, marks, target in zip(batch.x[:, :, 0], batch.x[:, :, 1], batch.targets[:, -1, 0], strict=True):
            places = marks.nonzero()[0]
            assert len(places) == 2
            assert places[0] < 10
            assert places[1] < length // 2
            assert target == pytest.approx(0.5 + (values[places[0]] + values[places[1]]) / 4, abs=1e-6)

    def test_by_hand(self) -> None:
        batch = tasks.TASKS["adding"].sample(10, 1, 0)
        batch.x[0] = 0
        one, other = np.flatnonzero(tasks.TASKS["adding"].sample(10, 1, 0).x[0, :, 1])
        assert batch.memory[0, one - 1 if one else 0] in (0, batch.memory[0, 0])
        assert batch.live[0].tolist() == [place >= one for place in range(10)]
        assert batch.memory[0, -1] == pytest.approx(4 * (batch.targets[0, -1, 0] - 0.5), abs=1e-6)
        assert other > one

    def test_always_the_middle_is_right_as_often_as_the_triangle_says(self) -> None:
        # The sum of two numbers in -1…1 is within 0.16 of 0 with probability 1 - (1 - 0.08)².
        task = TASKS["adding"]
        assert task.baseline(task.batch(30, 20_000, 1)) == pytest.approx(1 - 0.92**2, abs=0.01)

    def test_the_error_is_the_mean_absolute_one(self) -> None:
        task = TASKS["adding"]
        batch = task.batch(20, 10, 1)
        assert task.error(batch, batch.targets + 0.03) == pytest.approx(0.03, abs=1e-6)


class TestOrder:
    @given(SEEDS, st.integers(10, 150))
    @settings(max_examples=40, deadline=None)
    def test_the_class_is_read_off_the_letters(self, seed: int, length: int) -> None:
        batch = tasks.TASKS["order"].sample(length, 4, seed)
        for symbols, target in zip(batch.symbols, batch.targets[:, -1], strict=True):
            letters = [symbol for symbol in symbols if symbol in "XY"]
            assert tasks.ORDER_CLASSES[target.argmax()] == ", ".join(letters)
            assert (symbols[0], symbols[-1]) == ("E", "B")
            assert target.sum() == 1

    def test_it_remembers_which_came_first(self) -> None:
        batch = tasks.TASKS["order"].sample(40, 50, 2)
        for row in range(50):
            first = next(place for place, symbol in enumerate(batch.symbols[row]) if symbol in "XY")
            assert not batch.memory[row, :first].any()
            assert set(batch.memory[row, first:]) == {1.0 if batch.symbols[row, first] == "X" else -1.0}

    def test_hesitation_is_not_right(self) -> None:
        task = TASKS["order"]
        batch = task.batch(20, 3, 1)
        assert not task.right(batch, batch.valid * 0.6 + 0.05).any()


class TestCopy:
    @given(SEEDS, st.integers(1, 60))
    @settings(max_examples=30, deadline=None)
    def test_the_answer_is_the_beginning(self, seed: int, delay: int) -> None:
        batch = tasks.TASKS["copy"].sample(delay, 3, seed)
        assert batch.x.shape[1] == 2 * tasks.BITS + delay
        for symbols, target in zip(batch.symbols, batch.targets, strict=True):
            assert [str(each) for each in target[-tasks.BITS :].argmax(axis=1)] == symbols[: tasks.BITS].tolist()
            assert set(symbols[tasks.BITS : -tasks.BITS]) == {"·"}
            assert set(symbols[-tasks.BITS :]) == {"?"}


class TestReber:
    @given(SEEDS, st.integers(12, 60))
    @settings(max_examples=40, deadline=None)
    def test_an_acceptor_of_its_own_accepts_every_string(self, seed: int, longest: int) -> None:
        for string in grammars.reber_strings(longest, 5, seed):
            assert accepted(string), string
            assert max(grammars.SHORTEST, longest // 2) <= len(string) <= longest
            allowed = grammars.reber_successors(string)
            assert all(after in ways for after, ways in zip(string[1:], allowed, strict=False))

    def test_successors_by_hand(self) -> None:
        found = grammars.reber_successors("BTBTSXSETE")
        wanted = ["TP", "B", "TP", "SX", "SX", "XS", "E", "T", "E"]
        assert ["".join(sorted(each)) for each in found[:-1]] == ["".join(sorted(each)) for each in wanted]
        assert found[-1] == ()

    @pytest.mark.parametrize("string", ["", "B", "BTBTXSEPE", "BXBTXSEXE", "BTBTXXETE", "BTBPPPETE", "BTBTXSETEE"])
    def test_other_strings_are_refused(self, string: str) -> None:
        assert not accepted(string)
        with pytest.raises(ValueError, match="embedded Reber grammar"):
            grammars.reber_successors(string)

    def test_lengths_have_the_grammars_own_odds(self) -> None:
        # By hand, the walks of three symbols: TXS and PVV, 1/8 each; of four: TSXS, PTVV and PVPS, 1/16 each.
        lengths = [len(string) for string in grammars.reber_strings(10, 4000, 1)]
        assert set(lengths) == {9, 10}
        assert lengths.count(9) / 4000 == pytest.approx((2 / 8) / (2 / 8 + 3 / 16), abs=0.03)

    def test_too_short_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least 9"):
            grammars.reber_strings(8, 1, 0)

    def test_a_network_that_forgot_the_second_symbol_gets_about_half(self) -> None:
        task = TASKS["reber"]
        batch = task.batch(20, 1000, 1)
        forgetful = batch.valid.astype(float)
        last_but_one = batch.mask.sum(axis=1).astype(int) - 2
        forgetful[np.arange(1000), last_but_one] = np.eye(7)[1] * 0.6 + np.eye(7)[2] * 0.4  # a little more for T
        right = task.right(batch, forgetful).mean()
        assert right == pytest.approx(np.mean([row[1] == "T" for row in batch.symbols]))
        assert abs(right - task.baseline(batch)) < 0.1


class TestCounting:
    def test_by_hand(self) -> None:
        batch = tasks.counting_of([2, 1], 2)
        assert ["".join(row) for row in batch.symbols] == ["SaabbT", "SabT"]
        assert batch.memory.tolist() == [[0, 1, 2, 1, 0, 0], [0, 1, 0, 0, 0, 0]]
        assert batch.mask.tolist() == [[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]]
        wanted = [[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]  # of a, b, T
        assert batch.targets[0, :5].tolist() == wanted

    def test_every_length_of_training_occurs_and_none_beyond(self) -> None:
        batch = tasks.TASKS["counting"].sample(6, 400, 1)
        assert set(batch.memory.max(axis=1)) == {1, 2, 3, 4, 5, 6}

    def test_it_is_measured_twice_as_far_as_it_is_trained(self) -> None:
        task = TASKS["counting"]
        batch = tasks.validation(task, 7, 300, 1)
        assert batch.memory.max(axis=1).tolist() == list(range(1, 15))
        assert task.baseline(batch) == 0.5
        with pytest.raises(LabError):
            tasks.validation(task, 999, 300, 1)


class TestExamples:
    def test_the_answer_is_the_one_of_the_sequence(self) -> None:
        shown = examples.task_example(TASKS["copy"], 6, 3)
        assert shown.answer == " ".join(shown.tokens[:4]) + "."
        assert len(shown) == 14
        shown = examples.task_example(TASKS["reber"], 20, 3)
        assert shown.tokens[1] == shown.tokens[-2] == shown.answer[0]
        assert accepted("".join(shown.tokens))
        assert shown.matters.nonzero()[0].tolist() == [1, len(shown) - 2]
        shown = examples.task_example(TASKS["counting"], 9, 3)
        assert shown.tokens[-1] == "T"
        assert f"after {shown.tokens.count('a')} b" in shown.answer
        shown = examples.task_example(TASKS["order"], 30, 3)
        letters = [token for token in shown.tokens if token in "XY"]
        assert shown.answer == f"{letters[0]} and then {letters[1]}."

    def test_the_sum_is_told_with_its_signs(self) -> None:
        shown = examples.task_example(TASKS["adding"], 30, 3)
        assert shown.values is not None
        one, other = shown.values[shown.matters]
        assert f"{one + other:+.2f}".replace("-", "−") in shown.answer
        assert f"{0.5 + (one + other) / 4:.2f}" in shown.answer
