"""Playwright's `expect`, without what it does again and again while it waits for an element that isn't there yet.

Each time it looks in vain it describes the whole page in words, for the message of an error that mostly never comes:
on a page with charts that takes longer than the page itself. Here the element is waited for first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, overload

import playwright.sync_api
from playwright.sync_api import Locator, LocatorAssertions, Page, PageAssertions

PATIENCE = 90_000  # ms: a cold server loads TensorFlow on a busy machine
GONE = ("to_have_count", "to_be_hidden", "not_to_be_visible", "not_to_be_attached")  # what no element satisfies, too

playwright.sync_api.expect.set_options(timeout=PATIENCE)


class _Awaited:
    """Has the methods of Playwright's assertions about a locator."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator

    def __getattr__(self, name: str) -> Callable[..., None]:
        def ask(*arguments: Any, timeout: float = PATIENCE, **options: Any) -> None:
            if name == "to_be_visible" and not options:
                self._locator.wait_for(timeout=timeout)
                return
            several = bool(arguments) and isinstance(arguments[0], list)
            if name not in GONE and not several:
                self._locator.wait_for(state="attached", timeout=timeout)
            getattr(playwright.sync_api.expect(self._locator), name)(*arguments, timeout=timeout, **options)

        return ask


@overload
def expect(actual: Locator) -> LocatorAssertions: ...
@overload
def expect(actual: Page) -> PageAssertions: ...
def expect(actual: Locator | Page) -> LocatorAssertions | PageAssertions:
    """Assertions about a locator or a page; see `playwright.sync_api.expect`."""
    if isinstance(actual, Page):
        return playwright.sync_api.expect(actual)
    return cast(LocatorAssertions, _Awaited(actual))
