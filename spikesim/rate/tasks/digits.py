"""Handwritten digits, seen part by part."""

from __future__ import annotations

from functools import cache, partial
from typing import Literal

import numpy as np

from spikesim.checks import check_choice
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.tasks.choices import choices
from spikesim.rate.tasks.trials import Task, Trials, check_durations, steps_of

_SPLIT = 1257, 270, 270  # images to train on, to validate with and to test with
_INPUTS = {"row": 8, "pixel": 1, "image": 64}


@named_options()
def digits(
    dt: float = 20.0, *, by: Literal["row", "pixel", "image"] = "row", hold: float = 20.0
) -> Task:
    """Say which of ten digits an image shows: seen row by row, pixel by pixel or at once.

    The images are scikit-learn's, of 8 x 8 pixels, scaled to 0 to 1: 1,257 to train on, 270 to
    validate with and 270 to test with, in a fixed split. The outputs count in the last step.

    Parameters
    ----------
    dt : float
        Step, ms.
    by : "row", "pixel" or "image"
        8 inputs for 8 holds, 1 input for 64, or 64 inputs for one, as feed-forward layers need.
    hold : float
        How long a row, pixel or image is seen, ms.

    Returns
    -------
    Task
        8, 1 or 64 inputs, 10 outputs, loss "cross_entropy". Condition: ``digit``. Performance:
        share of images whose largest output in the last step is their digit [1]_. Each image is
        drawn once before any is drawn again, where images are not for training.

    Raises
    ------
    ImportError
        Without scikit-learn.

    References
    ----------
    .. [1] Le QV, Jaitly N, Hinton GE (2015) A simple way to initialize recurrent networks of
       rectified linear units. arXiv:1504.00941.
    """
    check_durations("digits", dt=dt, hold=hold)
    check_choice("digits: by", by, tuple(_INPUTS))
    settings = {"dt": dt, "by": by, "hold": hold}
    _images()
    return Task(
        "digits",
        _INPUTS[by],
        10,
        dt,
        "cross_entropy",
        partial(_digits, **settings),
        _right_digits,
        settings,
        {"part": "validation"},
        {"part": "test"},
        choices,
    )


def _digits(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    by: str,
    hold: float,
    part: Literal["train", "validation", "test"] = "train",
) -> Trials:
    images, labels = _images()[part]
    if part == "train":
        chosen = rng.integers(len(images), size=trials)
    else:
        chosen = np.resize(rng.permutation(len(images)), trials)
    seen = images[chosen].reshape(trials, -1, _INPUTS[by])
    x = np.repeat(seen.swapaxes(0, 1), steps_of(hold, dt), axis=0)
    targets = np.tile(labels[chosen], (len(x), 1))
    mask = np.zeros(targets.shape)
    mask[-1] = 1
    return Trials(x, targets, mask, {"digit": labels[chosen]})


@cache
def _images() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images (images, 8, 8) and their digits, of each part."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError(
            "the task digits needs scikit-learn; install it with: pip install scikit-learn."
        ) from None
    images, labels = load_digits(return_X_y=True)
    order = stream(0, "split of images").permutation(len(images))
    parts = np.split(order, np.cumsum(_SPLIT)[:-1])
    names = "train", "validation", "test"
    return {
        name: (images[part].reshape(-1, 8, 8) / 16, labels[part])
        for name, part in zip(names, parts, strict=True)
    }


def _right_digits(outputs: np.ndarray, trials: Trials) -> float:
    return float(np.mean(choices(outputs, trials) == trials.conditions["digit"]))
