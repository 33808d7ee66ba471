"""Background jobs of `lstm_core.jobs` in the visitor's view: start a run, watch it, stop it, open it by its link."""

import time
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from lstm_core import LabError
from lstm_core.datasets import find_dataset
from lstm_core.jobs import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    WAITING,
    Job,
    shared_queue,
    shared_server,
)
from ui.common import gate, tokens, url_state
from ui.common.visitor import address, owner
from ui.operations import metrics

DOWNLOAD = "lstm_core.datasets.download_job:work"
BEAT = 1.0  # seconds between two drawings of a run
SILENCE = 30.0  # seconds without a report after which the page shows a warning
STATES: dict[str, tuple[str, str, Literal["gray", "blue", "green", "orange", "red"]]] = {
    WAITING: ("Waiting", ":material/hourglass_empty:", "gray"),
    RUNNING: ("Running", ":material/play_arrow:", "blue"),
    FINISHED: ("Finished", ":material/check:", "green"),
    STOPPED: ("Stopped", ":material/stop:", "orange"),
    FAILED: ("Failed", ":material/error:", "red"),
    INTERRUPTED: ("Interrupted", ":material/power_off:", "orange"),
}


def begin(key: str, work: str, arguments: dict[str, Any], title: str) -> None:
    """Submit a run of the function that `work` names, for a button's `on_click`.

    `trouble` shows why it couldn't be submitted.
    """
    try:
        job = shared_queue().submit(work, arguments, owner(), title, address())
    except LabError as error:
        metrics.refused("training run")
        st.session_state[f"{key}_trouble"] = str(error)
    else:
        st.session_state[f"{key}_job"] = job.identity
        st.session_state.pop(f"{key}_trouble", None)


def trouble(key: str) -> None:
    """Show why the last run could not be submitted, if it couldn't."""
    if message := st.session_state.get(f"{key}_trouble"):
        st.error(message)


def current(key: str) -> Job | None:
    """The run that a page shows: the one started last here, or the one of the link, whoever started it.

    A link only shows a run: it never changes which runs belong to this session.
    """
    own, linked = st.session_state.get(f"{key}_job"), url_state.parameter("job", "")
    identity = linked if linked and url_state.arrives("job") else own or linked
    job = shared_queue().find(str(identity)) if identity else None
    if identity and job is None:
        st.session_state.pop(f"{key}_job", None)
        st.info("The run of this link no longer exists: newer runs have replaced it.")
    if job is not None:
        st.session_state[f"{key}_job"] = job.identity
    return job


def choose(key: str, identity: str) -> None:
    """Select the run that a page shows, for a button's `on_click`."""
    st.session_state[f"{key}_job"] = identity


def leave(key: str) -> None:
    """Stop the run that a page shows, if there is one, and show none."""
    if identity := st.session_state.pop(f"{key}_job", None):
        _stop(str(identity))


def own(work: str) -> list[Job]:
    """This session's runs of one kind of work, newest first."""
    return [job for job in shared_queue().of(owner()) if job.work == work]


def watch(key: str, job: Job, draw: Callable[[Job], None]) -> None:
    """Draw the state of a run and call `draw` with it, repeatedly until the run is over."""

    def beat() -> None:
        nonlocal job
        job = shared_queue().find(job.identity) or job  # one of another web process is read again
        over = job.over
        state(key, job)
        draw(job)
        if over and not st.session_state.get(f"{key}_over_{job.identity}", False):
            st.session_state[f"{key}_over_{job.identity}"] = True
            st.rerun()  # the rest of the page may now show the result

    gate.fragment(beat, run_every=None if job.over else BEAT)()


def state(key: str, job: Job) -> None:
    """Draw one line with the run's state, its duration and a stop button, and its error if there is one."""
    name, icon, colour = STATES[job.state]
    over, mine = job.over or job.stop_requested, job.owner == owner()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge("Stopping" if job.stop_requested and not job.over else name, icon=icon, color=colour)
        st.markdown(_summary(job), width="stretch")
        st.button(
            "Stop", icon=":material/stop:", key=f"{key}_stop", disabled=over or not mine,
            on_click=_stop, args=(job.identity,), help="Ends the run and keeps its results so far."
            if mine else "Only the visitor who started this run can stop it.",
        )  # fmt: skip
    if job.state == FAILED:
        st.error(tokens.plain(job.message))
    elif job.state == WAITING and not shared_queue().workers():
        st.warning("No training worker is connected. The run starts when there is one.")
    elif job.over and job.message:
        st.info(job.message)
    elif job.restarts and not job.over:
        where = (
            "after the last epoch that was kept"
            if any("resumed" in event for event in job.events)
            else "from the start"
        )
        st.warning(f"Its worker process ended, and the run was restarted {where}.")
    elif job.state == RUNNING and time.time() - max(job.last_seen, job.begun) > SILENCE:
        st.warning(f"No report from the worker for {time.time() - job.last_seen:.0f} seconds. Stop the run, or wait.")


def offer_download(key: str, dataset: str) -> None:
    """The button that downloads a data set in a worker; on a shared server the sentence that visitors can't."""
    spec = find_dataset(dataset)
    if shared_server():
        st.caption(f"Many people use this server, so visitors can't download data sets to it. {spec.source}")
        return
    st.button(
        "Download it", icon=":material/download:", key=f"{key}_download",
        on_click=begin, args=(key, DOWNLOAD, {"dataset": dataset}, f"Download {spec.title}"),
    )  # fmt: skip


def draw_download(job: Job) -> None:
    """How far a download has come."""
    last = job.events[-1] if job.events else {}
    words = f"{last['mebibytes']:.1f} MiB" if "mebibytes" in last else "Connecting …"
    if job.state == FINISHED:
        st.progress(1.0, text="The data set is on the machine of the training worker.")
    else:
        st.progress(float(last.get("share", 0.0)), text=words)


def _summary(job: Job) -> str:
    if job.state == WAITING:
        before = shared_queue().position(job)
        line = "next in line" if before == 0 else f"{before} before it"
        return f"**{tokens.plain(job.title)}** · {line}, waiting for {time.time() - job.submitted:.0f} s"
    end = job.ended or time.time()
    return f"**{tokens.plain(job.title)}** · {max(end - (job.begun or job.submitted), 0):.0f} s"


def _stop(identity: str) -> None:
    """Stop a run of this visitor; a link to somebody else's shows it and no more."""
    job = shared_queue().find(identity)
    if job is not None and job.owner == owner():
        shared_queue().stop(job)
