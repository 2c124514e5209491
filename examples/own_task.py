"""A task of one's own: say on which side there were more clicks.

Train a network on it with ``spikesim train own_task.py --out clicks.h5 --plot clicks.png``, and
draw its units with ``spikesim plot clicks.h5 --task own_task.py --out activity.png``. A file for
``spikesim train`` defines ``task()``, which returns how trials are drawn and how good outputs are.

Reference: Brunton BW, Botvinick MM, Brody CD (2013) Rats and humans can optimally accumulate
evidence for decision-making. Science 340:95-98.
"""

import numpy as np

from spikesim import rate

DT = 20.0  # ms
STIMULUS, DECISION = 25, 10  # steps
RATES = np.array([[32.0, 8.0], [8.0, 32.0]])  # clicks (Hz) on the left and right, by the right side


def draw(rng: np.random.Generator, trials: int) -> rate.Trials:
    """Clicks in two inputs, and an output for either side that is to be high for the right one."""
    side = rng.integers(2, size=trials)
    inputs = np.zeros((STIMULUS + DECISION, trials, 2))
    inputs[:STIMULUS] = rng.random((STIMULUS, trials, 2)) < RATES[side] * DT / 1000
    targets = np.zeros((STIMULUS + DECISION, trials, 2))
    targets[STIMULUS:] = np.eye(2)[side]
    mask = np.zeros_like(targets)
    mask[STIMULUS:] = 1  # outputs count when all clicks are over
    periods = {"clicks": slice(0, STIMULUS), "decision": slice(STIMULUS, STIMULUS + DECISION)}
    return rate.Trials(inputs, targets, mask, {"side": side}, periods)


def performance(outputs: np.ndarray, trials: rate.Trials) -> float:
    """Share of trials in which the larger output in the last step is the right one."""
    return float(np.mean(outputs[-1].argmax(axis=-1) == trials.conditions["side"]))


def task() -> rate.Task:
    return rate.Task("clicks", 2, 2, DT, "squared", draw, performance)
