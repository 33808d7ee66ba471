"""Paste a movie review; see whether it is positive, how the answer formed, and the cell state behind it."""

from ui.classifier import page
from ui.common import examples

page.show(
    page.PageConfig(
        key="reviews",
        title="Movie reviews",
        intro="Paste a movie review. A long short-term memory network (LSTM) reads it word by word and classifies it "
        "as **positive or negative**.",
        model="imdb",
        peers={"imdb_article": "the baseline (the network of the article)", "imdb_bag": "a bag of words"},
        label="Your review",
        placeholder="I went in expecting …",
        texts=examples.Texts.load("reviews.json"),
        notes="**Validation by movie.** The validation reviews must be about other movies than the training reviews. "
        "Split at random, reviews of the same movie are in both sets, and the validation accuracy is too high: the "
        "network recognizes the names of good movies. The validation set of this network is split by movie.",
    )
)
