"""Tasks to train networks on: generators of trials, and how well a network does on them.

A trial is a run of steps of ``dt`` ms. Input noise is given as the standard deviation
``sigma_in`` that it has after a low-pass filter of 100 ms, as in Song et al. (2016): the noise of
one step has standard deviation ``sigma_in sqrt(2 * 100 ms / dt)``, so that neither dt nor the
number of steps changes how hard a task is.

A task of your own is a function like those here: it makes a `Task` of a function that draws
`Trials` and one that says how good outputs are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from spikesim.checks import is_number
from spikesim.display import number
from spikesim.names import named_options
from spikesim.random import stream

FILTER = 100.0  # ms
LOW, HIGH = 0.2, 1.0  # outputs that are read as a choice: before it or of the other, of this one
SPLIT = 1257, 270, 270  # images of digits to train on, to validate with and to test with
NEAR = 0.5  # an output of the flip-flop is right if it is nearer than this to its target
RIDGE = 0.1  # keeps the slopes of a network that makes no errors finite


@named_options()
@dataclass(frozen=True, eq=False)
class Trials:
    """Some trials of a task, as many as there are entries in each condition.

    Parameters
    ----------
    inputs : array (time, trials, inputs)
    targets : array (time, trials, outputs), or of int (time, trials)
        What the outputs should be; for the loss "cross_entropy" the number of the class.
    mask : array of the shape of targets
        1 where outputs count, 0 where they do not.
    conditions : dict of str to array (trials,)
        What sort of trial each is.
    periods : dict of str to slice
        The steps of parts of the trials, such as the stimulus.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    conditions: Mapping[str, np.ndarray] = field(default_factory=dict)
    periods: Mapping[str, slice] = field(default_factory=dict)

    def __repr__(self) -> str:
        steps, trials, inputs = np.shape(self.inputs)
        told = f"{trials:,} of {number(steps, 'step')} and {number(inputs, 'input')}"
        return f"<Trials: {told}; conditions {', '.join(self.conditions) or 'none'}>"


@named_options()
@dataclass(frozen=True, eq=False)
class Task:
    """What a network is trained on.

    Parameters
    ----------
    name : str
    inputs, outputs : int
    dt : float
        Step, ms.
    loss : "squared" or "cross_entropy"
    generate : function
        ``generate(rng, trials, **options)`` draws that many `Trials`. Options change settings for
        these trials alone, as a curriculum does.
    performance : function
        ``performance(outputs, trials)``, from 0 to 1; outputs (time, trials, outputs).
    settings : dict
        What the task was made with; goes into files.
    validation, test : dict
        Options of ``generate`` for the trials that are measured on while training and after it,
        for tasks with a limited number of stimuli.
    """

    name: str
    inputs: int
    outputs: int
    dt: float
    loss: Literal["squared", "cross_entropy"]
    generate: Callable[..., Trials]
    performance: Callable[[np.ndarray, Trials], float]
    settings: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        ends = f"{number(self.inputs, 'input')}, {number(self.outputs, 'output')}"
        return f"<Task {self.name!r}: {ends}, dt {self.dt:g} ms, loss {self.loss}>"


@named_options()
def perceptual_decision(
    dt: float = 20.0,
    *,
    coherences: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0),
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 800.0,
    decision: float = 300.0,
) -> Task:
    """Say in which of two directions random dots move [1]_.

    Two inputs are the evidence for either direction: (1 + 3.2 c / 100) / 2 for the right one and
    (1 - 3.2 c / 100) / 2 for the other during the stimulus, with noise, rectified. Two outputs are
    to be low (0.2) during fixation and in the decision period high (1) for the direction of the
    dots, low for the other; during the stimulus they do not count.

    Parameters
    ----------
    dt : float
        Step, ms.
    coherences : sequence of float
        c, %, drawn with equal probability, as is the direction.
    sigma_in : float
        Input noise.
    fixation, stimulus, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        2 inputs, 2 outputs, loss "squared". Conditions: ``coherence`` (%, positive for direction
        1) and ``choice`` (0 or 1, the right one). Performance: share of trials in which the larger
        output in the last step is the right one.

    References
    ----------
    .. [1] Song HF, Yang GR, Wang X-J (2016) Training excitatory-inhibitory recurrent neural
       networks for cognitive tasks: a simple and flexible framework. PLoS Comput Biol
       12:e1004792.
    """
    settings = _settings(
        "perceptual_decision",
        dt=dt,
        coherences=coherences,
        sigma_in=sigma_in,
        fixation=fixation,
        stimulus=stimulus,
        decision=decision,
    )
    draw = partial(_perceptual_decision, **settings)
    return Task("perceptual_decision", 2, 2, dt, "squared", draw, _right_choices, settings)


def _perceptual_decision(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    coherences: Sequence[float],
    sigma_in: float,
    fixation: float,
    stimulus: float,
    decision: float,
) -> Trials:
    steps, periods = _periods(dt, fixation=fixation, stimulus=stimulus, decision=decision)
    stim = periods["stimulus"]
    coherence = rng.choice([-1.0, 1.0], trials) * rng.choice(coherences, trials)
    choice = (coherence > 0).astype(int)
    x = np.zeros((steps, trials, 2))
    x[stim] = _evidence(3.2 * coherence)
    _add_noise(x, sigma_in, dt, rng)
    conditions = {"coherence": coherence, "choice": choice}
    return Trials(x, *_choice_targets(steps, choice, periods), conditions, periods)


@named_options()
def context_integration(
    dt: float = 20.0,
    *,
    coherences: Sequence[float] = (5.0, 15.0, 50.0),
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 700.0,
    decision: float = 300.0,
) -> Task:
    """Say in which direction dots move, or of which colour they are, as the context asks [1]_.

    Inputs 0 and 1 are 1 during the stimulus in the contexts "motion" and "colour"; inputs 2 and 3
    are the evidence of motion for choice 0 and 1, (1 -+ c / 100) / 2 during the stimulus, and 4
    and 5 that of colour; all with noise, rectified. Outputs as in `perceptual_decision`, in the
    form and with the timing of [2]_.

    Parameters
    ----------
    dt : float
        Step, ms.
    coherences : sequence of float
        c, %, drawn with equal probability and independently for motion and colour, with either
        sign.
    sigma_in : float
        Input noise.
    fixation, stimulus, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        6 inputs, 2 outputs, loss "squared". Conditions: ``context`` (0 motion, 1 colour),
        ``motion`` and ``colour`` (%, positive for choice 1) and ``choice`` (0 or 1, the right
        one). Performance: share of trials in which the larger output in the last step is the right
        one, in the context in which it is lower. `slopes` tells how much a choice hangs on what is
        irrelevant.

    References
    ----------
    .. [1] Mante V, Sussillo D, Shenoy KV, Newsome WT (2013) Context-dependent computation by
       recurrent dynamics in prefrontal cortex. Nature 503:78-84.
    .. [2] Song HF, Yang GR, Wang X-J (2016) PLoS Comput Biol 12:e1004792.
    """
    settings = _settings(
        "context_integration",
        dt=dt,
        coherences=coherences,
        sigma_in=sigma_in,
        fixation=fixation,
        stimulus=stimulus,
        decision=decision,
    )
    draw = partial(_context_integration, **settings)
    return Task("context_integration", 6, 2, dt, "squared", draw, _worse_context, settings)


def _context_integration(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    coherences: Sequence[float],
    sigma_in: float,
    fixation: float,
    stimulus: float,
    decision: float,
) -> Trials:
    steps, periods = _periods(dt, fixation=fixation, stimulus=stimulus, decision=decision)
    stim = periods["stimulus"]
    context = rng.integers(2, size=trials)
    motion, colour = rng.choice([-1.0, 1.0], (2, trials)) * rng.choice(coherences, (2, trials))
    choice = (np.where(context == 0, motion, colour) > 0).astype(int)
    x = np.zeros((steps, trials, 6))
    x[stim, :, :2] = np.eye(2)[context]
    x[stim, :, 2:4] = _evidence(motion)
    x[stim, :, 4:6] = _evidence(colour)
    _add_noise(x, sigma_in, dt, rng)
    conditions = {"context": context, "motion": motion, "colour": colour, "choice": choice}
    return Trials(x, *_choice_targets(steps, choice, periods), conditions, periods)


@named_options()
def go_nogo(
    dt: float = 20.0,
    *,
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 500.0,
    delay: float = 500.0,
    decision: float = 500.0,
) -> Task:
    """Respond after a delay if the go stimulus was there, not if the no-go stimulus was [1]_.

    Input 0 is 1 until the decision period begins; inputs 1 and 2 are 1 during the stimulus if it
    is no-go or go; all with noise, rectified. The output is to be 0 until the decision period, and
    1 in it if the stimulus was go.

    Parameters
    ----------
    dt : float
        Step, ms.
    sigma_in : float
        Input noise.
    fixation, stimulus, delay, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        3 inputs, 1 output, loss "squared". Condition: ``go`` (0 or 1). Performance: share of trials
        that are hits or correct rejections; a response is an output whose mean over the decision
        period is above 0.5.

    References
    ----------
    .. [1] Zhang X, Yan W, Wang W, Fan H, Hou R, Chen Y, Chen Z, Ge C, Duan S, Compte A, Li CT
       (2019) Active information maintenance in working memory by a sensory cortex. eLife
       8:e43191.
    """
    settings = _settings(
        "go_nogo",
        dt=dt,
        sigma_in=sigma_in,
        fixation=fixation,
        stimulus=stimulus,
        delay=delay,
        decision=decision,
    )
    draw = partial(_go_nogo, **settings)
    return Task("go_nogo", 3, 1, dt, "squared", draw, _right_responses, settings)


def _go_nogo(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    sigma_in: float,
    fixation: float,
    stimulus: float,
    delay: float,
    decision: float,
) -> Trials:
    steps, periods = _periods(
        dt, fixation=fixation, stimulus=stimulus, delay=delay, decision=decision
    )
    go = rng.integers(2, size=trials)
    x = np.zeros((steps, trials, 3))
    x[: periods["decision"].start, :, 0] = 1
    x[periods["stimulus"], :, 1:] = np.eye(2)[go]
    _add_noise(x, sigma_in, dt, rng)
    targets = np.zeros((steps, trials, 1))
    targets[periods["decision"], :, 0] = go
    return Trials(x, targets, np.ones_like(targets), {"go": go}, periods)


def _right_responses(outputs: np.ndarray, trials: Trials) -> float:
    response = outputs[trials.periods["decision"], :, 0].mean(axis=0) > 0.5
    return float(np.mean(response == trials.conditions["go"]))


@named_options()
def flipflop(
    dt: float = 20.0,
    *,
    bits: int = 3,
    duration: float = 2000.0,
    pulse: float = 40.0,
    interval: float = 400.0,
    settle: float = 100.0,
) -> Task:
    """Remember the sign of the last pulse of each of several inputs [1]_.

    Every input begins with a pulse, of +1 or -1 with equal probability; later ones follow at
    random. Each output is to be at the sign of the last pulse of its input; it does not count
    while it has time to settle.

    Parameters
    ----------
    dt : float
        Step, ms.
    bits : int
        Inputs and outputs.
    duration, pulse : float
        Of a trial and of a pulse, ms.
    interval : float
        Mean time from the start of one pulse of an input to the next, ms; at least ``pulse``.
    settle : float
        Time from the start of a pulse in which its output does not count, ms.

    Returns
    -------
    Task
        As many inputs and outputs as bits, loss "squared". Performance: share of steps in which
        every output that counts is nearer than 0.5 to its target.

    References
    ----------
    .. [1] Sussillo D, Barak O (2013) Opening the black box: low-dimensional dynamics in
       high-dimensional recurrent neural networks. Neural Comput 25:626-649.
    """
    settings = _settings(
        "flipflop",
        dt=dt,
        bits=bits,
        duration=duration,
        pulse=pulse,
        interval=interval,
        settle=settle,
    )
    if interval < pulse:
        raise ValueError(f"flipflop: interval is {interval:g} ms; it must be at least pulse.")
    draw = partial(_flipflop, **settings)
    return Task("flipflop", bits, bits, dt, "squared", draw, _right_steps, settings)


def _flipflop(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    bits: int,
    duration: float,
    pulse: float,
    interval: float,
    settle: float,
) -> Trials:
    steps, width = _steps(duration, dt), _steps(pulse, dt)
    shape = math.ceil(steps / width), trials, bits  # pulses begin at multiples of their width
    signs = rng.choice([-1.0, 1.0], shape) * (rng.random(shape) < pulse / interval)
    signs[0] = rng.choice([-1.0, 1.0], shape[1:])
    slot = np.arange(shape[0])[:, None, None]
    last = np.maximum.accumulate(np.where(signs != 0, slot, 0), axis=0)
    held = np.take_along_axis(signs, last, axis=0)
    x, targets, since = (np.repeat(a, width, axis=0)[:steps] for a in (signs, held, last))
    mask = np.arange(steps)[:, None, None] - since * width >= _steps(settle, dt)
    return Trials(x, targets, mask.astype(float))


def _right_steps(outputs: np.ndarray, trials: Trials) -> float:
    counts = trials.mask > 0
    right = (np.abs(outputs - trials.targets) < NEAR) | ~counts
    return float(np.mean(right.all(axis=2)[counts.any(axis=2)]))


@named_options()
def sine(
    dt: float = 20.0, *, frequencies: tuple[float, float] = (1.0, 5.0), duration: float = 2000.0
) -> Task:
    """Make a sine whose frequency the input sets [1]_.

    The input is constant, from 0.25 at the lowest frequency to 1.25 at the highest; the output is
    to be sin(2 pi f t), t from the start of the trial.

    Parameters
    ----------
    dt : float
        Step, ms.
    frequencies : two float
        Lowest and highest f, Hz, below 500 / dt; f is uniform between them.
    duration : float
        Of a trial, ms.

    Returns
    -------
    Task
        1 input, 1 output, loss "squared". Condition: ``frequency`` (Hz). Performance: share of the
        target's variance that the output explains, 0 if none.

    References
    ----------
    .. [1] Sussillo D, Barak O (2013) Neural Comput 25:626-649.
    """
    settings = _settings("sine", dt=dt, frequencies=frequencies, duration=duration)
    lowest, highest = frequencies
    if not 0 < lowest <= highest < 500 / dt:
        raise ValueError(
            f"sine: frequencies is {frequencies}; it must be two rising numbers between 0 and "
            f"500 / dt, {500 / dt:g} Hz."
        )
    return Task("sine", 1, 1, dt, "squared", partial(_sine, **settings), _explained, settings)


def _sine(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    frequencies: tuple[float, float],
    duration: float,
) -> Trials:
    steps, (lowest, highest) = _steps(duration, dt), frequencies
    level = rng.random(trials)
    frequency = lowest + level * (highest - lowest)
    seconds = dt / 1000 * np.arange(1, steps + 1)
    targets = np.sin(2 * np.pi * seconds[:, None] * frequency)[:, :, None]
    x = np.tile((0.25 + level)[:, None], (steps, 1, 1))
    return Trials(x, targets, np.ones_like(targets), {"frequency": frequency})


def _explained(outputs: np.ndarray, trials: Trials) -> float:
    error = np.mean((outputs - trials.targets) ** 2)
    return max(0.0, float(1 - error / np.var(trials.targets)))


@named_options()
def xor(
    dt: float = 20.0,
    *,
    fixation: float = 100.0,
    pulse: float = 200.0,
    delay: float = 300.0,
    response: float = 300.0,
) -> Task:
    """Say whether two pulses that are apart in time had different signs [1]_.

    The input has two pulses of +1 or -1, with a delay between them and half of one after them.
    The output is to be 0 until the response period, and in it 1 if the signs differed and -1 if
    they were the same.

    Parameters
    ----------
    dt : float
        Step, ms.
    fixation, pulse, delay, response : float
        Durations, ms.

    Returns
    -------
    Task
        1 input, 1 output, loss "squared". Conditions: ``first`` and ``second`` (-1 or 1).
        Performance: share of trials in which the mean output over the response period has the
        right sign.

    References
    ----------
    .. [1] Kim R, Li Y, Sejnowski TJ (2019) Simple framework for constructing functional spiking
       recurrent neural networks. PNAS 116:22811-22820.
    """
    settings = _settings(
        "xor", dt=dt, fixation=fixation, pulse=pulse, delay=delay, response=response
    )
    return Task("xor", 1, 1, dt, "squared", partial(_xor, **settings), _right_signs, settings)


def _xor(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    fixation: float,
    pulse: float,
    delay: float,
    response: float,
) -> Trials:
    steps, periods = _periods(
        dt,
        fixation=fixation,
        first=pulse,
        delay=delay,
        second=pulse,
        wait=delay / 2,
        response=response,
    )
    signs = rng.choice([-1.0, 1.0], (2, trials))
    conditions = dict(zip(("first", "second"), signs, strict=True))
    x, targets = np.zeros((2, steps, trials, 1))
    for name, sign in conditions.items():
        x[periods[name], :, 0] = sign
    targets[periods["response"], :, 0] = -signs[0] * signs[1]
    return Trials(x, targets, np.ones_like(targets), conditions, periods)


def _right_signs(outputs: np.ndarray, trials: Trials) -> float:
    answer = outputs[trials.periods["response"], :, 0].mean(axis=0)
    same = trials.conditions["first"] == trials.conditions["second"]
    return float(np.mean((answer < 0) == same))


@named_options()
def digits(dt: float = 20.0, *, by: Literal["row", "pixel"] = "row", hold: float = 20.0) -> Task:
    """Say which of ten digits an image shows that is seen row by row or pixel by pixel.

    The images are scikit-learn's, of 8 x 8 pixels, scaled to 0 to 1: 1,257 to train on, 270 to
    validate with and 270 to test with, in a fixed split. The outputs count in the last step.

    Parameters
    ----------
    dt : float
        Step, ms.
    by : "row" or "pixel"
        8 inputs for 8 holds, or 1 input for 64.
    hold : float
        How long a row or pixel is seen, ms.

    Returns
    -------
    Task
        8 or 1 inputs, 10 outputs, loss "cross_entropy". Condition: ``digit``. Performance: share
        of images whose largest output in the last step is their digit [1]_. Each image is drawn
        once before any is drawn again, where images are not for training.

    Raises
    ------
    ImportError
        Without scikit-learn.

    References
    ----------
    .. [1] Le QV, Jaitly N, Hinton GE (2015) A simple way to initialize recurrent networks of
       rectified linear units. arXiv:1504.00941.
    """
    settings = _settings("digits", dt=dt, by=by, hold=hold)
    _images()
    return Task(
        "digits",
        8 if by == "row" else 1,
        10,
        dt,
        "cross_entropy",
        partial(_digits, **settings),
        _right_digits,
        settings,
        {"part": "validation"},
        {"part": "test"},
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
    seen = images[chosen].reshape(trials, -1, 8 if by == "row" else 1)
    x = np.repeat(seen.swapaxes(0, 1), _steps(hold, dt), axis=0)
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
    parts = np.split(order, np.cumsum(SPLIT)[:-1])
    names = "train", "validation", "test"
    return {
        name: (images[part].reshape(-1, 8, 8) / 16, labels[part])
        for name, part in zip(names, parts, strict=True)
    }


def _right_digits(outputs: np.ndarray, trials: Trials) -> float:
    return float(np.mean(outputs[-1].argmax(axis=-1) == trials.conditions["digit"]))


def psychometric(outputs: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """How often choice 1 was made in `perceptual_decision`, by coherence.

    Returns
    -------
    coherences, share : array
        %, rising, positive for choice 1; and from 0 to 1.
    """
    coherence = trials.conditions["coherence"]
    chosen = outputs[-1].argmax(axis=-1)
    coherences = np.unique(coherence)
    return coherences, np.array([chosen[coherence == c].mean() for c in coherences])


def slopes(outputs: np.ndarray, trials: Trials) -> dict[str, tuple[float, float]]:
    """How a choice in `context_integration` depends on relevant and irrelevant evidence.

    Returns
    -------
    dict
        For the contexts "motion" and "colour" the slopes of the logarithm of the odds of choice 1
        along the relevant and the irrelevant coherence, in units of the largest coherence.

    Notes
    -----
    A logistic regression of the choices on both coherences and a constant, with a ridge that
    matters only where a network makes no errors and the slope would be infinite.
    """
    chosen = outputs[-1].argmax(axis=-1)
    both = np.stack([trials.conditions["motion"], trials.conditions["colour"]], axis=1)
    both /= np.abs(both).max()
    found = {}
    for context, name in enumerate(("motion", "colour")):
        here = trials.conditions["context"] == context
        x = np.column_stack([both[here], np.ones(here.sum())])
        w = _logistic(x, chosen[here])
        found[name] = float(w[context]), float(w[1 - context])
    return found


def _logistic(x: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Weights of a ridge logistic regression, by Newton's method."""
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 0.5 + 0.5 * np.tanh(x @ w / 2)
        curvature = (x.T * (p * (1 - p))) @ x + RIDGE * np.eye(len(w))
        step = np.linalg.solve(curvature, x.T @ (chosen - p) - RIDGE * w)
        w += step / max(1.0, float(np.abs(step).max()))
    return w


TASKS: dict[str, Callable[..., Task]] = {
    f.__name__: f
    for f in (perceptual_decision, go_nogo, context_integration, flipflop, sine, xor, digits)
}


def _evidence(coherence: np.ndarray) -> np.ndarray:
    """Evidence (trials, 2) for choices 0 and 1, of a coherence (%) that is positive for 1."""
    return (1 + coherence[:, None] * [-1, 1] / 100) / 2


def _choice_targets(
    steps: int, choice: np.ndarray, periods: Mapping[str, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and mask of an output per choice, low until its decision period."""
    targets = np.full((steps, len(choice), 2), LOW)
    targets[periods["decision"]] = np.where(np.eye(2)[choice] == 1, HIGH, LOW)
    mask = np.ones_like(targets)
    mask[periods["stimulus"]] = 0
    return targets, mask


def _right_choices(outputs: np.ndarray, trials: Trials) -> float:
    return float(np.mean(outputs[-1].argmax(axis=-1) == trials.conditions["choice"]))


def _worse_context(outputs: np.ndarray, trials: Trials) -> float:
    right = outputs[-1].argmax(axis=-1) == trials.conditions["choice"]
    context = trials.conditions["context"]
    return float(min(right[context == c].mean() for c in np.unique(context)))


def _add_noise(x: np.ndarray, sigma_in: float, dt: float, rng: np.random.Generator) -> None:
    """Add noise that has the standard deviation sigma_in after a filter, and rectify."""
    x += sigma_in * math.sqrt(2 * FILTER / dt) * rng.standard_normal(x.shape)
    np.maximum(x, 0, out=x)


def _steps(duration: float, dt: float) -> int:
    return max(1, round(duration / dt))


def _periods(dt: float, **durations: float) -> tuple[int, dict[str, slice]]:
    """Steps of a trial, and its parts, one after the other, of these durations (ms)."""
    ends = np.cumsum([_steps(duration, dt) for duration in durations.values()]).tolist()
    starts = [0, *ends[:-1]]
    return ends[-1], dict(zip(durations, map(slice, starts, ends), strict=True))


def _settings(task: str, **settings: Any) -> dict[str, Any]:
    """The settings, after a look whether they are allowed."""
    for name, value in settings.items():
        allowed = _ALLOWED.get(name, (_positive, "a positive number of ms"))
        if not allowed[0](value):
            raise ValueError(f"{task}: {name} is {value!r}; it must be {allowed[1]}.")
    return settings


def _positive(value: Any) -> bool:
    return is_number(value) and value > 0


def _numbers(value: Any) -> bool:
    return (
        isinstance(value, Sequence | np.ndarray) and len(value) > 0 and all(map(is_number, value))
    )


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "bits": (lambda n: isinstance(n, int) and n > 0, "a whole number, 1 or more"),
    "by": (lambda by: by in ("row", "pixel"), "'row' or 'pixel'"),
    "coherences": (
        lambda c: _numbers(c) and all(0 < abs(x) <= 100 for x in c),
        "numbers above 0, up to 100 %",
    ),
    "frequencies": (lambda f: _numbers(f) and len(f) == 2, "two numbers of Hz"),
    "sigma_in": (lambda s: is_number(s) and s >= 0, "a number, 0 or more"),
}
