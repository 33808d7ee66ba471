"""The memory tasks against hand-computed answers and an acceptor written another way; nothing is trained."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import LabError
from lstm_core.memory_tasks import examples, grammars, number_tasks, string_tasks, symbol_tasks, tasks
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
        marks = (batch.mask, batch.memory, batch.live, batch.symbols, batch.relevant, batch.recalled)
        assert {each.shape for each in marks} == {(7, steps)}
        assert batch.recalled.any()
        assert (batch.mask[batch.recalled] == 1).all()  # only targets can need memory
        assert len(batch) == 7
        assert task.every_step == bool(batch.mask[:, :-1].any())

    def test_the_right_answer_is_right_and_nonsense_is_not(self, task: Task) -> None:
        batch = task.batch(20, 50, 4)
        perfect = batch.targets if task.loss == "mse" else batch.valid.astype(float)
        assert task.right(batch, perfect).all()
        assert not task.right(batch, 1 - perfect if task.loss != "mse" else perfect + 0.05).any()

    def test_one_wrong_step_spoils_a_sequence(self, task: Task) -> None:
        batch = task.batch(20, 5, 4)
        answers = batch.targets.copy() if task.loss == "mse" else batch.valid.astype(float)
        last = int(batch.mask[2].nonzero()[0][-1])
        answers[2, last] = 1 - answers[2, last] if task.loss != "mse" else -0.5 - answers[2, last]
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
    with pytest.raises(LabError, match="no task 'juggling'; choose one of adding, adding_ends, multiplication, order"):
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


class TestNumbersWithEnds:
    @pytest.mark.parametrize("name", ["adding_ends", "multiplication"])
    def test_lengths_and_marks_are_those_of_the_paper(self, name: str) -> None:
        batch = TASKS[name].batch(50, 3000, 1)
        ends = batch.mask.argmax(axis=1)
        assert set(ends + 1) == set(range(50, 56))
        lowest = -1 if name == "adding_ends" else 0
        for x, end in zip(batch.x[:200], ends[:200], strict=True):
            marked = np.flatnonzero(x[:, 1] == 1)
            assert len(marked) == 2
            assert marked.min() < 10
            assert marked.max() < 25
            assert x[end, 1] == -1
            assert x[0, 1] == (1 if 0 in marked else -1)
            assert not x[end + 1 :].any()
        assert lowest <= batch.x[:, :, 0].min() < lowest + 0.01
        first = batch.x[batch.x[:, 0, 1] == 1, 0, 0]  # a marked first number changes nothing
        assert set(first) == {0.0 if name == "adding_ends" else 1.0}

    def test_the_targets_by_hand(self) -> None:
        for name, combined in (("adding_ends", lambda a, b: 0.5 + (a + b) / 4), ("multiplication", lambda a, b: a * b)):
            batch = TASKS[name].batch(30, 40, 2)
            for x, targets, mask, memory in zip(batch.x, batch.targets, batch.mask, batch.memory, strict=True):
                one, other = x[x[:, 1] == 1, 0]
                assert targets[mask == 1, 0] == pytest.approx(combined(one, other), abs=1e-6)
                assert memory[-1] == pytest.approx(one + other if name == "adding_ends" else one * other, abs=1e-6)

    def test_always_the_same_product_is_right_as_often_as_its_density_says(self) -> None:
        # A product of two numbers in 0…1 is below z with probability z (1 - ln z), and one of a number and 1 with z.
        task, z = TASKS["multiplication"], 0.08
        batch = task.batch(30, 20_000, 1)
        one = (batch.x[:, 0, 1] == 1).mean()  # of the sequences with a marked first number
        assert one == pytest.approx(1 / 10 + 9 / 10 / 14, abs=0.01)
        assert task.baseline(batch) == pytest.approx((1 - one) * z * (1 - np.log(z)) + one * z, abs=0.01)


class TestNoise:
    def test_three_numbers_say_which_and_the_rest_is_noise(self) -> None:
        batch = TASKS["noise"].batch(40, 2000, 1)
        ends = batch.mask.argmax(axis=1)
        assert set(ends + 1) == set(range(40, 45))
        assert set(batch.x[:, :3].ravel()) == {-1.0, 1.0}
        assert (np.ptp(batch.x[:, :3, 0], axis=1) == 0).all()
        noise = batch.x[:, 3:40]
        assert noise.mean() == pytest.approx(0, abs=0.01)
        assert noise.var() == pytest.approx(number_tasks.NOISE_VARIANCE, abs=0.01)
        due = batch.targets[np.arange(2000), ends, 0]
        np.testing.assert_array_equal(due, batch.x[:, 0, 0] > 0)

    def test_an_answer_off_by_two_tenths_is_wrong(self) -> None:
        task = TASKS["noise"]
        batch = task.batch(20, 10, 1)
        assert task.right(batch, batch.targets * 0.62 + 0.19).all()
        assert not task.right(batch, batch.targets * 0.58 + 0.21).all()


class TestLags:
    def test_only_the_first_and_the_last_symbol_differ(self) -> None:
        batch = TASKS["lag"].batch(12, 200, 1)
        strings = {" ".join(row) for row in batch.symbols}
        between = " ".join(f"a{place}" for place in range(1, 12))
        assert strings == {f"x {between} x", f"y {between} y"}
        known = [symbol_tasks.LAG_SYMBOLS[each] for each in batch.targets[0, :-1].argmax(axis=1)]
        assert known == batch.symbols[0, 1:].tolist()

    def test_without_the_first_symbol_half_of_the_sequences_are_right(self) -> None:
        task = TASKS["lag"]
        batch = task.batch(12, 1000, 1)
        answers = batch.valid.astype(float)
        answers[:, -2] = np.eye(answers.shape[2])[0]  # always x
        assert task.right(batch, answers).mean() == pytest.approx(np.mean(batch.symbols[:, 0] == "x"))
        assert task.baseline(batch) == pytest.approx(max(np.mean(batch.symbols[:, 0] == each) for each in "xy"))

    def test_distractors_stand_between_the_second_symbol_and_e(self) -> None:
        batch = TASKS["distractors"].batch(20, 3000, 1)
        lengths = batch.mask.argmax(axis=1) + 1
        for row, length, target in zip(batch.symbols[:200], lengths[:200], batch.targets[:200], strict=True):
            assert (row[0], row[length - 1], set(row[length:]) - {""}) == ("b", "e", set())
            assert set(row[2 : length - 1]) <= {f"a{each}" for each in range(1, 51)}
            assert "xy"[target[length - 1].argmax()] == row[1]
        assert lengths.min() == 23  # b, x or y, twenty distractors, e
        assert lengths.max() <= 23 + symbol_tasks.LATEST
        assert np.mean(lengths == 23) == pytest.approx(0.1, abs=0.02)
        assert np.mean(lengths == 24) == pytest.approx(0.09, abs=0.02)


class TestOrder:
    @given(SEEDS, st.integers(10, 150))
    @settings(max_examples=40, deadline=None)
    def test_the_class_is_read_off_the_letters(self, seed: int, length: int) -> None:
        batch = tasks.TASKS["order"].sample(length, 4, seed)
        for symbols, target in zip(batch.symbols, batch.targets[:, -1], strict=True):
            letters = [symbol for symbol in symbols if symbol in "XY"]
            assert 2 * (letters[0] == "Y") + (letters[1] == "Y") == target.argmax()
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

    def test_three_letters_stand_where_the_paper_puts_them(self) -> None:
        batch = TASKS["order_three"].batch(100, 500, 1)
        for symbols, target in zip(batch.symbols, batch.targets[:, -1], strict=True):
            places = [place for place, symbol in enumerate(symbols) if symbol in "XY"]
            assert [low <= place < high for place, (low, high) in zip(places, symbol_tasks.THREE_PLACES, strict=True)]
            binary = "".join("01"[symbols[place] == "Y"] for place in places)
            assert target.argmax() == int(binary, 2)  # X, X, X: 0; X, X, Y: 1; … Y, Y, Y: 7
        assert set(batch.targets[:, -1].argmax(axis=1)) == set(range(8))


class TestCopy:
    @given(SEEDS, st.integers(1, 60))
    @settings(max_examples=30, deadline=None)
    def test_the_answer_is_the_beginning(self, seed: int, delay: int) -> None:
        batch = tasks.TASKS["copy"].sample(delay, 3, seed)
        assert batch.x.shape[1] == 2 * symbol_tasks.BITS + delay
        for symbols, target in zip(batch.symbols, batch.targets, strict=True):
            assert [str(each) for each in target[-symbol_tasks.BITS :].argmax(axis=1)] == symbols[
                : symbol_tasks.BITS
            ].tolist()
            assert set(symbols[symbol_tasks.BITS : -symbol_tasks.BITS]) == {"·"}
            assert set(symbols[-symbol_tasks.BITS :]) == {"?"}


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


class TestReberStream:
    def test_it_is_one_string_after_the_other(self) -> None:
        batch = TASKS["reber_stream"].batch(150, 20, 1)
        for row in batch.symbols:
            whole = re.findall(r"B[TP]B[TPSXV]+E[TP]E(?=B|$)", "".join(row))
            assert len(whole) > 5
            assert all(accepted(string) for string in whole)
            assert "".join(row).startswith("".join(whole))

    def test_the_target_is_the_next_symbol_and_it_is_allowed(self) -> None:
        batch = TASKS["reber_stream"].batch(80, 50, 2)
        symbols = np.array(grammars.REBER_SYMBOLS)[batch.targets.argmax(axis=2)]
        assert (symbols[:, :-1] == batch.symbols[:, 1:]).all()
        assert (batch.valid | (batch.targets == 0)).all()
        ends = np.argwhere((batch.symbols[:, :-1] == "E") & (batch.symbols[:, 1:] == "B"))
        assert all((symbols[row, place], batch.valid[row, place].sum()) == ("B", 1) for row, place in ends)

    def test_only_the_repeated_symbol_needs_memory(self) -> None:
        batch = TASKS["reber_stream"].batch(80, 50, 3)
        for row, place in np.argwhere(batch.recalled):
            assert batch.symbols[row, place] == "E"
            assert batch.valid[row, place].sum() == 1
            wanted = grammars.REBER_SYMBOLS[int(batch.targets[row, place].argmax())]
            assert {"T": 1.0, "P": -1.0}[wanted] == batch.memory[row, place]

    def test_strings_have_the_grammars_own_odds(self) -> None:
        # By hand, as above: of three inner symbols TXS and PVV, 1/8 each; of four TSXS, PTVV and PVPS, 1/16 each.
        rng = np.random.default_rng(1)
        lengths = [len(grammars.reber_string(rng)) for _ in range(4000)]
        assert min(lengths) == grammars.SHORTEST
        assert lengths.count(9) / 4000 == pytest.approx(2 / 8, abs=0.03)
        assert lengths.count(10) / 4000 == pytest.approx(3 / 16, abs=0.03)


class TestCounting:
    def test_by_hand(self) -> None:
        batch = string_tasks.counting_of([2, 1], 2)
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

    def test_three_letters_by_hand(self) -> None:
        batch = string_tasks.counting_of([2, 1], 2, "abc")
        assert ["".join(row) for row in batch.symbols] == ["SaabbccT", "SabcT"]
        assert batch.memory.tolist() == [[0, 1, 2, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]]
        wanted = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
        assert batch.targets[0, :7].tolist() == wanted  # of a, b, c, T
        assert tasks.validation(TASKS["counting_three"], 5, 300, 1).memory.max(axis=1).tolist() == list(range(1, 11))


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

    def test_the_new_tasks_tell_their_answers(self) -> None:
        shown = {name: examples.task_example(TASKS[name], 24, 3) for name in TASKS}
        assert shown["multiplication"].values is not None
        one, other = shown["multiplication"].values[shown["multiplication"].matters]
        assert f" is {one * other:.2f}, with a tolerance of 0.04." in shown["multiplication"].answer
        letters = [token for token in shown["order_three"].tokens if token in "XY"]
        assert shown["order_three"].answer == f"{' and then '.join(letters)}."
        assert shown["lag"].answer[0] == shown["lag"].tokens[0] == shown["lag"].tokens[-1]
        assert shown["distractors"].answer[0] == shown["distractors"].tokens[1]
        assert shown["distractors"].tokens[-1] == "e"
        ends = re.findall(r"E([TP])E", "".join(shown["reber_stream"].tokens))
        assert shown["reber_stream"].answer.startswith(", ".join(ends) + ": ")
        n = shown["counting_three"].tokens.count("a")
        assert shown["counting_three"].answer.startswith(f"{n} a, so {n} b, {n} c")
        noise = shown["noise"]
        assert noise.values is not None
        assert noise.answer.startswith("+1" if noise.values[0] == 1 else "−1")
        assert noise.matters.nonzero()[0].tolist() == [0, 1, 2]
