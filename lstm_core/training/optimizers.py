"""The optimizers of all trainings: one schedule of the learning rate, and Adam in the forms that recipes ask for."""

from typing import Any

import keras
from keras import ops

WARM_UP = 100  # steps in which the learning rate rises


def warmup_cosine(learning_rate: float, steps: int, warm_up: int = WARM_UP) -> Any:
    """A Keras schedule of a learning rate that rises linearly and then falls to 0 along half a cosine.

    Args:
        learning_rate: the highest one.
        steps: of the whole training.
        warm_up: steps in which it rises; 0 begins at the highest.
    """
    if not warm_up:
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warm_up, 1), warmup_target=learning_rate, warmup_steps=warm_up
    )


def adam(steps: int, learning_rate: float, embeddings: float = 1.0) -> keras.optimizers.Adam:
    """Adam under `warmup_cosine`, with a gradient norm of at most 1.

    Args:
        steps: of the whole training.
        learning_rate: the highest one.
        embeddings: the share of it by which embeddings learn, whose initial values are worth keeping.
    """
    return AdamByLayer(embeddings, warmup_cosine(learning_rate, steps), global_clipnorm=1.0)


def adamw(steps: int, learning_rate: float, weight_decay: float) -> keras.optimizers.AdamW:
    """AdamW under `warmup_cosine`, with a gradient norm of at most 1; a short training has a short warm-up."""
    schedule = warmup_cosine(learning_rate, steps, min(WARM_UP, steps // 10))
    return keras.optimizers.AdamW(schedule, weight_decay=weight_decay, global_clipnorm=1.0)


class AdamByLayer(keras.optimizers.Adam):
    """Adam whose embeddings learn at a share of the learning rate."""

    def __init__(self, embeddings: float, *about: Any, **settings: Any) -> None:
        super().__init__(*about, **settings)
        self._embeddings = embeddings

    def build(self, variables: Any) -> None:
        """As in Keras, with what this optimizer needs besides."""
        super().build(variables)
        self._shares = [self._embeddings if "embedding" in variable.path else 1.0 for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """As in Keras, at this variable's share of the learning rate."""
        # By number: under TensorFlow a step is given the bare variable, which doesn't know its path.
        share = self._shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * share)


class NormKeepingAdam(keras.optimizers.Adam):
    """Adam that keeps the norm of the last gradient before it is clipped, in `gradient_norm`."""

    def build(self, variables: Any) -> None:
        """As in Keras, with what this optimizer needs besides."""
        super().build(variables)
        self.gradient_norm = self.add_variable((), name="gradient_norm")

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """As in Keras, after the norm of all gradients together was kept."""
        grads = list(grads)
        self.gradient_norm.assign(ops.sqrt(sum(ops.sum(ops.square(grad)) for grad in grads)))
        super().apply(grads, trainable_variables)


def clipped_adam(learning_rate: float, clipping: str, clip_at: float) -> NormKeepingAdam:
    """Adam at a constant rate; `clipping` is "none", "norm" (of all gradients together) or "value", to `clip_at`."""
    settings = {"norm": {"global_clipnorm": clip_at}, "value": {"clipvalue": clip_at}}
    return NormKeepingAdam(learning_rate, **settings.get(clipping, {}))
