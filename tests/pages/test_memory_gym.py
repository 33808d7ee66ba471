"""The memory gym by AppTest: its example, its presets, a race that a worker would tell of, and nonsense in its link.

No worker runs here: jobs are put into a register of their own, with the result of a tiny race run in this process.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core import memory_tasks
from lstm_core.jobs.job import FINISHED, RUNNING, WAITING, Job
from lstm_core.jobs.queue import JobQueue
from lstm_core.memory_tasks import config, examples, tasks
from lstm_core.memory_tasks.config import PRESETS
from tests.pages.test_every_page import opened
from ui.memory_gym import charts, published
from ui.memory_gym import race as gym
from ui.memory_gym import results as gym_after

ARGUMENTS: dict[str, Any] = {
    "task": "counting", "length": 3, "units": 4, "seed": 1, "keep_bias": 1.0, "rate": 0.03, "steps": 50,
}  # fmt: skip


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in (*page.markdown, *page.caption))


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """Jobs that no worker takes on: `submit` only notes what it was given."""
    kept = JobQueue()
    monkeypatch.setattr("ui.common.job_panel.shared_queue", lambda: kept)

    def submit(work: str, arguments: dict[str, Any], owner: str, title: str, address: str = "") -> Job:
        job = Job("begun", owner, title, work, arguments)
        kept._jobs[job.identity] = job
        return job

    monkeypatch.setattr(kept, "submit", submit)
    return kept


def put(register: JobQueue, arguments: dict[str, Any], **state: Any) -> Job:
    job = Job("of-the-link", "somebody", "A race", gym.WORK, arguments, **state)
    register._jobs[job.identity] = job
    return job


@pytest.fixture
def results(counted: Job, added: Job) -> dict[str, dict[str, Any]]:
    """Tiny races run to their end, one of each kind of page."""
    return {"counting": counted.result or {}, "adding": added.result or {}}


def test_a_run_that_waits_says_that_no_worker_is_connected(register: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    put(register, ARGUMENTS, state=WAITING)
    page = opened("memory_gym", job="of-the-link")
    assert any("No training worker is connected" in each.value for each in page.warning)
    monkeypatch.setattr(register, "workers", lambda: 1)
    page.run()
    assert not page.warning


def test_each_kind_of_symbol_of_a_count_has_its_own_tint() -> None:
    page = opened("memory_gym", task="counting_three")
    (shown,) = (each.value for each in page.get("html") if "relevant symbols" in each.value)
    tints = dict.fromkeys(re.findall(r"background:(#\w{6})(?!00)\w\w;.*?>([abc])</span>", shown))
    assert [symbol for _, symbol in tints] == ["a", "b", "c"]
    assert len({tint for tint, _ in tints}) == 3


def test_a_lecturer_can_ask_how_many_bits_survive(
    register: JobQueue, results: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened("memory_gym", task="adding", length="10")
    asked = page.session_state["_guesses_offered"]["gym_bits"]
    assert asked.kind == "bits"
    assert asked.result() == (None, "")  # no race yet
    job = put(register, ARGUMENTS | {"task": "adding", "length": 10}, state=FINISHED, result=results["adding"])
    page = opened("memory_gym", task="adding", length="10", job="of-the-link")
    monkeypatch.setattr(gym_after.job_panel, "current", lambda key: job)
    asked = page.session_state["_guesses_offered"]["gym_bits"]
    place, words = asked.result()
    example = memory_tasks.task_example(memory_tasks.find_task("adding"), 10, 0)
    network = memory_tasks.networks_from_weights(results["adding"]["weights"])["lstm"]
    error = abs(float(network.read(example.batch.x)[1][0, -1, 0]) - float(example.batch.targets[0, -1, 0]))
    assert f"the error {error:.2g} " in words
    steps = [9, 1 / 2, 1 / 8, 1 / 32, 1 / 128, 0]  # errors between which there are so many places
    assert steps[place] >= error >= steps[place + 1]
    assert "gym_bits" not in opened("memory_gym", task="counting").session_state["_guesses_offered"]


def test_the_bits_of_a_copy_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    race = config.race_from_arguments(ARGUMENTS | {"task": "copy", "length": 5})
    example = memory_tasks.task_example(race.of, race.length, 0)
    sums = np.array(example.batch.targets)
    sums[0, -1] = sums[0, -1, ::-1]  # the last bit is wrong

    class Network:
        def read(self, x: np.ndarray) -> tuple[None, np.ndarray]:
            return None, sums

    count, words = gym_after.copied_bits(race, Network(), example)  # type: ignore[arg-type]
    assert count == memory_tasks.BITS - 1
    assert f"{count} of {memory_tasks.BITS} bits" in words


def test_the_labels_of_the_marked_numbers_touch_no_bar_and_not_each_other() -> None:
    values, marked = np.linspace(0.1, 0.9, 50), np.isin(np.arange(50), (6, 9))
    near = charts.numbers(values, marked).layout.annotations
    assert [(each.x, each.yanchor) for each in near] == [(7, "bottom"), (10, "top")]
    assert all(abs(each.y) > 1 for each in near)  # beyond the longest bar
    far = charts.numbers(values, np.isin(np.arange(50), (6, 24))).layout.annotations
    assert [each.yanchor for each in far] == ["bottom", "bottom"]


def test_it_opens_with_the_adding_problem_and_asks_before_it_answers(register: JobQueue) -> None:
    page = opened("memory_gym")
    shown = examples.task_example(tasks.TASKS["adding"], 50, 1)
    assert not page.exception
    assert said(page, shown.question)
    assert not said(page, shown.answer)
    page.toggle(key="gym_answer").set_value(True).run()
    assert said(page, shown.answer)
    page.button(key="gym_another").click().run()
    assert said(page, examples.task_example(tasks.TASKS["adding"], 50, 2).answer)


@pytest.mark.parametrize("name", list(tasks.TASKS))
def test_another_task_brings_its_own_settings(register: JobQueue, name: str) -> None:
    page = opened("memory_gym", task="copy", length="3", units="9")
    page.pills(key="gym_task").set_value(name).run()
    assert not page.exception
    race = PRESETS[name].race if name != "copy" else None
    assert page.slider(key="gym_length").value == (race.length if race else 3)
    assert said(page, tasks.TASKS[name].question)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_says_what_was_measured(register: JobQueue, name: str) -> None:
    race = PRESETS[name].race
    page = opened("memory_gym", task=race.task, units="5")
    page.pills(key="gym_preset").set_value(name).run()
    assert page.pills(key="gym_preset").value == name
    assert page.slider(key="gym_units").value == race.units
    assert said(page, PRESETS[name].question)
    found = config.measured_races().get(name)
    assert said(page, f"LSTM {found['cells']['lstm']['passed']}." if found else "Nobody has measured this preset")


def test_start_hands_the_race_to_a_worker_and_the_link_finds_it_again(register: JobQueue) -> None:
    page = opened("memory_gym", task="counting", length="4", seed="7")
    page.button(key="gym_start").click().run()
    job = register.find("begun")
    assert job is not None
    assert config.race_from_arguments(job.arguments) == config.Race("counting", 4, 8, 7, 1.0, 0.03, 2000)
    assert page.query_params["job"] in ("begun", ["begun"])
    assert said(page, "next in line")
    again = opened("memory_gym", task="counting", job="begun")
    assert said(again, "Counting: aⁿbⁿ, 4")


def owned_by(page: AppTest) -> str:
    """The owner of the runs that a page without a cookie starts."""
    return hashlib.sha256(page.session_state["_owner"].encode()).hexdigest()[:32]


def test_earlier_races_can_be_looked_at_again(register: JobQueue) -> None:
    page = opened("memory_gym", task="counting", length="4")
    owner = owned_by(page)
    put(register, ARGUMENTS, state=WAITING).owner = owner
    page.button(key="gym_start").click().run()
    assert said(page, "Counting: aⁿbⁿ, 4 a at most in training, seed 1")
    page.button(key="gym_own_of-the-link").click().run()
    assert not page.exception
    assert said(page, "**A race**")


def test_a_running_race_is_drawn_as_far_as_it_was_told(register: JobQueue, results: dict[str, dict[str, Any]]) -> None:
    event = results["counting"] | {"turn": "gru"}
    job = put(register, ARGUMENTS, state=RUNNING, events=[{"begun": 1.0}, {"cells": {}}, event])
    page = opened("memory_gym", job="of-the-link")
    assert not page.exception
    assert page.button(key="gym_stop").disabled  # a link shows the race and gives no other right
    job.owner = owned_by(page)
    assert not page.run().button(key="gym_stop").disabled
    assert page.get("progress")[0].proto.text == "50 of 50 batches; now the GRU."


def test_a_waiting_race_says_so(register: JobQueue) -> None:
    put(register, ARGUMENTS, state=WAITING)
    page = opened("memory_gym", job="of-the-link")
    assert not page.exception
    assert page.get("progress")[0].proto.text == "Preparing: waiting for a worker …"


def test_after_a_count_the_unit_and_the_lengths_beyond_are_shown(
    register: JobQueue, results: dict[str, dict[str, Any]]
) -> None:
    put(register, ARGUMENTS, state=FINISHED, result=results["counting"])
    page = opened("memory_gym", task="counting", job="of-the-link")
    assert not page.exception
    assert said(page, gym.result(config.race_from_arguments(ARGUMENTS), results["counting"]))
    assert said(page, "correlation with *how many b are still missing*")
    assert said(page, "The training set ended at 3.")
    page.segmented_control(key="gym_cell").set_value("rnn").run()
    assert not page.exception
    assert said(page, "sequences the hidden state of")
    page.number_input(key="gym_unit_of-the-link_rnn").set_value(3).run()
    page.slider(key="gym_most_of-the-link").set_value(40).run()
    assert not page.exception
    assert not page.error


def test_after_the_others_other_lengths_are_shown(register: JobQueue, results: dict[str, dict[str, Any]]) -> None:
    put(register, results["adding"]["race"], state=FINISHED, result=results["adding"])
    page = opened("memory_gym", job="of-the-link", cell="gru")
    assert not page.exception
    assert said(page, "The network's answer is")
    assert said(page, "Accuracy at length 30: plain RNN")


def test_damaged_weights_are_one_sentence(register: JobQueue, results: dict[str, dict[str, Any]]) -> None:
    broken = results["counting"] | {"weights": {"lstm": b"nothing"}}
    put(register, ARGUMENTS, state=FINISHED, result=broken)
    page = opened("memory_gym", job="of-the-link")
    assert not page.exception
    assert ["missing or damaged" in error.value for error in page.error] == [True]


def test_the_papers_results_stand_beside_ours() -> None:
    rows = {line.split("**")[1]: line for line in published.lines()}
    assert set(rows) == {task.title for task in tasks.TASKS.values()}
    ours = config.measured_races()["adding"]["cells"]["lstm"]
    assert f"{ours['passed']} of 5 seeds, after {ours['sequences']:,} sequences" in rows["Adding problem"]
    assert tasks.TASKS["lag"].published in rows["Long lag without noise"]
    unmeasured = [task.title for name, task in tasks.TASKS.items() if name not in config.measured_races()]
    assert all("Our LSTM: not measured." in rows[title] for title in unmeasured)


@pytest.mark.parametrize("bad", ["", "nan", "-1e999", "99999999999999999999", "<b>", "\x00"])
def test_nonsense_in_the_link_gives_a_view_all_the_same(register: JobQueue, bad: str) -> None:
    names = ("task", "length", "units", "bias", "rate", "steps", "seed", "example", "cell", "job")
    page = opened("memory_gym", **dict.fromkeys(names, bad))
    assert not page.exception
    assert not page.error
    assert said(page, tasks.TASKS["adding"].question)


class TestSentences:
    RACE = config.Race()

    @staticmethod
    def state(**cells: dict[str, Any]) -> dict[str, Any]:
        full = {
            kind: {"passed": None, "score": [], "seconds": 1.25, "diverged": False, "steps": 50} | of
            for kind, of in cells.items()
        }
        return {"cells": full, "batch": 32, "baseline": 0.15, "ended": "steps"}

    def test_who_passed_first_is_named_first(self) -> None:
        state = self.state(
            rnn={"score": [0.1, 0.16]}, gru={"passed": 500, "score": [1.0]}, lstm={"passed": 75, "score": [1.0]}
        )
        assert gym.result(self.RACE, state) == (
            "The **LSTM** passed after 2,400 sequences (1.2 s of computing time); the **GRU** passed after 16,000 "
            "sequences (1.2 s of computing time); the **plain RNN** was no better than chance (16%; chance 15%)."
        )

    def test_better_than_guessing_is_not_passed(self) -> None:
        assert "reached an accuracy of 60% and did not pass" in gym.result(self.RACE, self.state(lstm={"score": [0.6]}))

    def test_beyond_all_numbers(self) -> None:
        assert "diverged" in gym.result(self.RACE, self.state(rnn={"diverged": True}))

    def test_a_stopped_race_says_so(self) -> None:
        state = self.state(rnn={"score": [0.1]}) | {"ended": "stopped"}
        assert gym.result(self.RACE, state).endswith("It was stopped early.")
        assert "before the first measurement" in gym.result(self.RACE, self.state())

    def test_how_far_one_counts(self) -> None:
        rows = {"rnn": np.array([1, 1, 0, 1], bool), "gru": np.zeros(4, bool), "lstm": np.ones(4, bool)}
        assert gym_after.counts_in_words(rows, 2) == (
            "All answers are right for the plain RNN up to **2**, the GRU up to **0** and the LSTM up to **4** (the "
            "maximum shown). The training set ended at 2."
        )
