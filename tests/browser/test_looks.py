"""Every page in the looks in which its own story isn't told: a dark projector, and a phone by day."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.looks import OTHER_LOOKS, is_whole
from tests.browser.test_forecasting import LAST_WORDS as FORECASTING
from tests.browser.test_gradient_lab import LAST_WORDS as GRADIENTS
from tests.browser.test_memory_gym import LAST_WORDS as GYM
from tests.browser.test_recurrent_family import LAST_WORDS as FAMILY
from tests.browser.test_training_studio import LAST_WORDS as STUDIO
from tests.browser.test_word_order import LAST_WORDS as ORDER

expect.set_options(timeout=PATIENCE)
PAGES = {
    "question_tags?view=why": "Integrated gradients follow the straight line",
    "movie_reviews": "it is computed when it is opened",
    "gradient_lab": GRADIENTS,
    "recurrent_family": FAMILY,
    "word_order": ORDER,
    "forecasting": FORECASTING,
    "memory_gym": GYM,
    "training_studio": STUDIO,
}


@pytest.mark.parametrize("page", OTHER_LOOKS, indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    is_whole(page, PAGES[name], alerts=None)
