"""Recipes and the cards of the models that they made: what a card says of a model is what its recipe says."""

from __future__ import annotations

import pytest

from lstm_core.inference.registry import TASKS
from lstm_core.library import store
from lstm_core.training import registry

CARDS = {card.name: card for card in store.list_folder(store.SHIPPED)}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_what_its_recipe_says(name: str) -> None:
    card, recipe = CARDS[name], registry.find_recipe(name)
    wanted = recipe.card()
    assert (card.title, card.summary, card.notes) == (wanted.title, wanted.summary, wanted.notes)
    assert (card.task, card.dataset) == (wanted.task, wanted.dataset)
    assert card.training["command"] == recipe.command
    assert card.task in TASKS
