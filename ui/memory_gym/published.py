"""What the papers report on the tasks, beside what the presets reach here."""

import streamlit as st

from lstm_core import memory_tasks
from lstm_core.memory_tasks import PRESETS, TASKS


def show() -> None:
    """A line for each task, in a panel."""
    with st.expander("What the papers report", key="gym_published", on_change="rerun") as panel:
        if panel.open:
            st.markdown("\n".join(lines()))
            st.caption(
                "Sequences are those that a cell was trained on until it passed, the median of the seeds that did. "
                "Ours are shorter than those of the papers, in batches of 32 and with another optimizer."
            )


def lines() -> list[str]:
    """In Markdown, for each task: what is published, the LSTM of the task's own preset over its seeds, the source."""
    measured = memory_tasks.measured_races()

    def here(name: str) -> str:
        found = measured.get(name)
        if not found:
            return "not measured"
        cell, preset = found["cells"]["lstm"], PRESETS[name]
        until = f", after {cell['sequences']:,} sequences" if cell["sequences"] else ""
        return f"{preset.title}: {cell['passed']} of {len(found['runs'])} seeds{until}"

    return [
        f"- **{task.title}**. Published: {task.published}. Our LSTM: {here(name)}. Source: {task.source}."
        for name, task in TASKS.items()
    ]
