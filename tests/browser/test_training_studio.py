"""The training studio in a real browser: train, watch, stop, reload, save, use; and what goes wrong goes wrong well."""

from __future__ import annotations

import io
import json
import re
import signal
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, downloaded
from tests.browser.looks import is_whole
from ui.common.server import COOKIE

expect.set_options(timeout=PATIENCE)
pytestmark = pytest.mark.timeout(900)
LAST_WORDS = "Sources: Rumelhart"
TRAINED = 240_000  # ms: a lesson of seconds, on a machine that does other things as well
SHORT, LONG = "negation_15s", "counting_60s"
FEW, MANY = "3", "200"  # epochs: soon trained to the end; as many as there can be, for a story in which it is stopped


def opened(page: Page, address: str, lesson: str = SHORT) -> None:
    page.goto(f"{address}/training_studio?lesson={lesson}")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    expect(page.get_by_text(LAST_WORDS, exact=False)).to_be_visible()


def train(page: Page, epochs: str) -> None:
    page.get_by_text("Hyperparameters").click()
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    field.fill(epochs)
    field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="The run")).to_be_visible()


def moving(page: Page) -> None:
    """The run has made steps."""
    expect(page.get_by_text(re.compile(r"Epoch \d+ of \d+, loss")).first).to_be_visible(timeout=TRAINED)


def running(page: Page) -> None:
    expect(page.get_by_text(re.compile("Running$")).first).to_be_visible()


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile("Stopped$")).first).to_be_visible()


def test_a_lesson_is_trained_to_the_end_replayed_saved_and_used(page: Page, address: str, tmp_path: Path) -> None:
    opened(page, address)
    train(page, FEW)
    expect(page.get_by_text(re.compile("Finished$")).first).to_be_visible(timeout=TRAINED)
    expect(page.get_by_role("heading", name="Time machine")).to_be_visible()
    expect(page.get_by_label("A sentence")).to_have_value(re.compile("not bad"))
    slider = page.get_by_role("slider", name=re.compile("Epoch"))
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("untrained", exact=True).first).to_be_visible()
    page.get_by_label("Name", exact=True).fill("verdicts")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_role("button", name="Save to the library").first.click()
    expect(page.get_by_text("“verdicts” is in your library now.")).to_be_visible()
    data = downloaded(page, page.get_by_role("button", name="Download", exact=True))
    (tmp_path / "verdicts.zip").write_bytes(data)
    page.get_by_role("link", name="Inspect its cells").click()
    expect(page.get_by_role("heading", name="Cell microscope")).to_be_visible()
    expect(page.get_by_role("combobox", name="Network")).to_have_value("verdicts")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)

    opened(page, address)  # what was downloaded comes back as another model
    page.locator("input[type=file]").set_input_files(str(tmp_path / "verdicts.zip"))
    page.get_by_label("Name in the library", exact=True).fill("again")
    page.get_by_label("Name in the library", exact=True).press("Enter")
    page.get_by_role("button", name="Save to the library").click()
    expect(page.get_by_text("“again” is in your library now.")).to_be_visible()


def worker_processes(address: str) -> list[psutil.Process]:
    """The processes that train for the server at this address."""
    port = urlsplit(address).port
    for server in psutil.process_iter(["cmdline"]):
        if f"--server.port={port}" in (server.info["cmdline"] or []):
            return [each for each in server.children(recursive=True) if "spawn_main" in " ".join(each.cmdline())]
    return []


def test_two_people_train_at_once_and_nothing_is_lost(page: Page, stranger: Page, address: str) -> None:
    """A link shows a run and gives no other right; a reload, another page and a killed worker lose no run."""
    opened(page, address, LONG)
    train(page, MANY)
    page.wait_for_function("location.search.includes('job=')")
    moving(page)

    stranger.goto(page.url)
    running(stranger)
    expect(stranger.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    expect(stranger.get_by_text("Under way", exact=False)).to_have_count(0)
    mine, theirs = (
        next(cookie for cookie in each.cookies() if cookie["name"] == COOKIE)
        for each in (page.context, stranger.context)
    )
    assert mine["httpOnly"]
    assert mine["value"] != theirs["value"]
    assert mine["value"] not in page.url + page.content()

    opened(stranger, address, LONG)
    train(stranger, MANY)
    moving(stranger)
    page.reload()
    for each in (page, stranger):
        moving(each)
        running(each)
        expect(each.get_by_text("Under way", exact=False)).to_have_count(1)  # in the list: nobody else's is there

    page.get_by_role("link", name="Gradient lab").click()
    expect(page.get_by_role("heading", name="Gradient lab")).to_be_visible()
    page.wait_for_url(re.compile(r"gradient_lab\?"))  # the page has put its settings into the address, one entry more
    while "training_studio" not in page.url:
        page.go_back()
    moving(page)
    stop(page)
    expect(page.get_by_role("heading", name="Save the model")).to_be_visible()

    moving(stranger)
    running(stranger)
    busiest = max(worker_processes(address), key=lambda each: each.cpu_percent(1.0))
    busiest.send_signal(signal.SIGKILL)  # not the idle one too: a job whose worker is lost twice fails
    expect(stranger.get_by_text("the run was restarted", exact=False)).to_be_visible()
    moving(stranger)
    stop(stranger)


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


LAMBDA = {
    "class_name": "Sequential",
    "module": "keras",
    "config": {"layers": [{"module": "keras.layers", "class_name": "Lambda", "config": {"function": "import os"}}]},
}
HOSTILE = {
    "bomb.zip": zipped({"model.keras": bytes(250_000_000)}),
    "lambda.zip": zipped(
        {
            "model.keras": zipped({"config.json": json.dumps(LAMBDA).encode(), "model.weights.h5": b"x"}),
            "vocabulary.json": b"{}",
            "card.json": b"{}",
        }
    ),
}


def test_hostile_uploads_are_refused_in_one_sentence_and_large_ones_not_even_sent(
    page: Page, address: str, tmp_path: Path
) -> None:
    opened(page, address)
    is_whole(page, LAST_WORDS)
    for name, data in HOSTILE.items():
        (tmp_path / name).write_bytes(data)
        page.locator("input[type=file]").set_input_files(str(tmp_path / name))
        expect(page.get_by_test_id("stAlert")).to_have_count(1)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_role("button", name="Save to the library")).to_have_count(0)
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(page.get_by_test_id("stAlert")).to_have_count(0)
    with (tmp_path / "model.zip").open("wb") as out:
        out.truncate(300_000_000)
    page.locator("input[type=file]").set_input_files(str(tmp_path / "model.zip"))
    expect(page.get_by_text("File must be", exact=False)).to_be_visible()
