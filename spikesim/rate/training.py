"""Training a network on a task by gradient descent, update by update.

Every random number is a function of the seed, of what it is for and of the update it is drawn in.
A training that was killed and goes on from its checkpoint therefore gives the same numbers as one
that was not, digit for digit, on the same machine with the same number of threads.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from spikesim.checks import check_number, check_whole, is_number
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate import losses
from spikesim.rate.files import History, difference, read_training, write
from spikesim.rate.network import RateNetwork
from spikesim.rate.optimizers import SGD, Adam, clip_norm
from spikesim.rate.tasks.trials import Task, Trials
from spikesim.rate.workspace import Workspace

LAST = 3  # validations whose mean performance must reach the criterion
LOSSES = {"squared": losses.squared, "cross_entropy": losses.cross_entropy}


@named_options(
    lr="optimizer=Adam(learning_rate=...)",
    learning_rate="optimizer=Adam(learning_rate=...)",
    epochs="updates",
    batch_size="batch",
)
def train(
    network: RateNetwork,
    task: Task,
    *,
    optimizer: Adam | SGD | None = None,
    batch: int = 64,
    updates: int = 5000,
    until: float | None = None,
    validate_every: int = 50,
    validation_trials: int = 512,
    seed: int = 0,
    clip: float = 1.0,
    l1: float = 0.0,
    l2: float = 0.0,
    metabolic: float = 0.0,
    vanishing: float = 0.0,
    rate_regularization: tuple[float, float] | None = None,
    curriculum: Sequence[Mapping[str, Any]] = ({},),
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Train a network in place; afterwards it is the best that was met in validation.

    Parameters
    ----------
    network : RateNetwork
    task : Task
        With the inputs, outputs and dt of the network.
    optimizer : Adam or SGD
        By default ``Adam()``.
    batch : int
        Trials of an update.
    updates : int
        The most to make.
    until : float, optional
        Stop when the mean performance of the last three validations is at least this, from 0 to 1.
    validate_every : int
        Updates from one validation to the next; the first is before any update.
    validation_trials : int
        Trials of each, drawn anew.
    seed : int
        Of trials, noise and validation. That of the start values is the network's.
    clip : float
        Largest global norm of the gradients; larger ones are scaled to it.
    l1, l2 : float
        Strength of `spikesim.rate.losses.l1` and ``l2`` of each matrix of weights: of the mean of
        its absolute values, and of their squares.
    metabolic : float
        Strength of the mean square of the rates of each cell.
    vanishing : float
        Strength of `spikesim.rate.losses.vanishing`, for leaky cells.
    rate_regularization : (float, float), optional
        For spiking cells: the rate that is wanted (Hz) and the strength of
        `spikesim.rate.losses.firing_rate_cost` (per Hz^2).
    curriculum : sequence of dict
        Options of ``task.generate`` for one stage after the other; the criterion ``until`` leads
        from each to the next, and ends the last.
    checkpoint : path, optional
        A file to write at every validation, which holds all that is needed to go on.
    resume : bool
        Go on from the checkpoint.
    progress : bool
        Show a bar with the loss and the performance.

    Returns
    -------
    History
        Ctrl-C ends the training and returns as well; ``history.stop`` tells.

    Raises
    ------
    ValueError
        If an argument is not allowed, the task does not fit the network, or the checkpoint is of
        another network or training.
    FileExistsError
        If there is a checkpoint and ``resume`` is false.
    FloatingPointError
        If data, loss or gradients are not finite. The network is then the best so far.
    """
    check_whole("batch", batch)
    check_whole("updates", updates, least=0)
    check_whole("validate_every", validate_every)
    check_whole("validation_trials", validation_trials)
    check_whole("seed", seed, least=0)
    if not clip > 0:
        raise ValueError(f"clip is {clip!r}; it must be a number above 0, or math.inf.")
    costs = {"l1": l1, "l2": l2, "metabolic": metabolic, "vanishing": vanishing}
    for name, strength in costs.items():
        check_number(name, strength, least=0)
    _check_fit(network, task)
    if until is not None:
        check_number("until", until, above=0, most=1)
    if rate_regularization is not None:
        target, strength = rate_regularization
        check_number("the rate of rate_regularization", target, least=0)
        check_number("the strength of rate_regularization", strength, least=0)
    if not curriculum:
        raise ValueError("curriculum is empty; it must have a stage, such as {}.")
    if len(curriculum) > 1 and until is None:
        raise ValueError("curriculum has several stages; until must say when one is over.")
    _check_checkpoint(checkpoint, resume)
    optimizer = Adam() if optimizer is None else optimizer
    same = {  # must be as before when a training goes on
        "task": f"{task.name} {dict(task.settings)}",
        "optimizer": repr(optimizer),
        "batch": batch,
        "until": until,
        "validate_every": validate_every,
        "validation_trials": validation_trials,
        "seed": seed,
        "clip": clip,
        **costs,
        "rate_regularization": rate_regularization and list(rate_regularization),
        "curriculum": str([dict(stage) for stage in curriculum]),
    }
    run = _Run(
        network,
        task,
        optimizer,
        same,
        list(curriculum),
        checkpoint,
        optimizer.start(network.parameters),
        {name: p.copy() for name, p in network.parameters.items()},
        History(task.name, dict(task.settings), batch, seed),
        Workspace(network.dtype),
    )
    if resume:
        _go_on(run)
    try:
        with (
            np.errstate(over="ignore", invalid="ignore"),  # what is not finite is told
            tqdm(
                total=updates,
                initial=run.history.updates,
                desc=task.name,
                unit="update",
                disable=not progress,
            ) as bar,
        ):
            _loop(run, updates, bar)
    except KeyboardInterrupt:
        run.history.stop = "interrupted"
    finally:
        for name, p in network.parameters.items():
            np.copyto(p, run.best[name])
    return run.history


@named_options()
def respond(
    network: RateNetwork, task: Task, trials: int = 1024, *, seed: int = 0, batch: int = 64
) -> tuple[np.ndarray, Trials]:
    """Outputs of a network on fresh trials, noise included; none of them is met in training.

    Parameters
    ----------
    network : RateNetwork
    task : Task
    trials : int
    seed : int
        Of the trials and the noise; may be that of training.
    batch : int
        Trials that go through the network at once.

    Returns
    -------
    outputs : array (time, trials, outputs)
    trials : Trials
        ``task.performance(outputs, trials)`` says how good they are.
    """
    check_whole("trials", trials)
    check_whole("seed", seed, least=0)
    check_whole("batch", batch)
    _check_fit(network, task)
    return _respond(network, task, trials, stream(seed, "test", 0), batch, task.test)


@dataclass
class _Run:
    """A training under way."""

    network: RateNetwork
    task: Task
    optimizer: Adam | SGD
    same: dict[str, Any]
    stages: list[Mapping[str, Any]]
    checkpoint: str | os.PathLike | None
    memory: dict[str, np.ndarray]  # of the optimizer
    best: dict[str, np.ndarray]
    history: History
    workspace: Workspace


def _loop(run: _Run, updates: int, bar: tqdm) -> None:
    history, since = run.history, time.perf_counter()
    while True:
        due = history.updates % run.same["validate_every"] == 0 or history.updates >= updates
        fresh = due and history.updates not in history.validated[-1:]
        if fresh:
            _validate(run)
            now = time.perf_counter()
            history.seconds, since = history.seconds + now - since, now
        stage = _stage(run)
        history.stop = "updates" if history.updates >= updates else ""
        if stage == len(run.stages):
            history.stop = "criterion"
        if fresh and run.checkpoint is not None:
            _store(run)
        if history.stop:
            return
        history.loss.append(_update(run, stage))
        bar.set_postfix(
            loss=f"{history.loss[-1]:.4g}",
            performance=f"{history.performance[-1]:.3f}",
            refresh=False,
        )
        bar.update()


def _stage(run: _Run) -> int:
    """The stage of the next update; behind the last one if the criterion has been reached."""
    history, until = run.history, run.same["until"]
    stage = history.stage[-1] if history.stage else 0
    recent = history.performance[-LAST:] if history.stage[-LAST:] == [stage] * LAST else []
    reached = bool(until and recent) and sum(recent) >= LAST * until - 1e-9
    return stage + reached


def _update(run: _Run, stage: int) -> float:
    """Make one update; its loss."""
    network, task, same = run.network, run.task, run.same
    k = run.history.updates
    trials = _draw(
        network, task, same["batch"], stream(same["seed"], "training trials", k), run.stages[stage]
    )
    outputs = network.forward(trials.inputs, stream(same["seed"], "training noise", k))
    d_outputs = run.workspace.room("d_outputs", outputs.shape)
    loss = LOSSES[task.loss](outputs, trials.targets, trials.mask, d_outputs)
    cost, d_rates = _cost_of_rates(run)
    gradients = network.backward(d_outputs, d_rates)
    loss += cost + _cost_of_weights(run)
    if same["vanishing"]:
        loss += network.vanishing(same["vanishing"])
    norm = clip_norm(gradients, same["clip"])
    if not math.isfinite(loss + norm):
        raise FloatingPointError(_culprit(run, loss))
    run.optimizer.update(run.memory, network.parameters, gradients, network.frozen)
    network.constrain()
    return loss


def _cost_of_rates(run: _Run) -> tuple[float, list[np.ndarray] | None]:
    """What the rates cost, and its derivatives by them; None if they cost nothing."""
    metabolic, wanted = run.same["metabolic"], run.same["rate_regularization"]
    if not metabolic and not wanted:
        return 0.0, None
    cost, d_rates = 0.0, []
    for i, rates in enumerate(run.network.rates):
        d_rates.append(run.workspace.zeros(f"d_rates{i}", rates.shape))
        if metabolic:
            cost += losses.metabolic(rates, metabolic, d_rates[i])
        if wanted:
            cost += losses.firing_rate_cost(rates, *wanted, run.network.dt, d_rates[i])
    return cost, d_rates


def _cost_of_weights(run: _Run) -> float:
    """What the matrices of weights cost; its derivative is added to their gradients."""
    cost, network = 0.0, run.network
    for name, p in network.parameters.items():
        if p.ndim == 2 and name not in network.frozen:
            for kind in ("l1", "l2"):
                if run.same[kind]:
                    cost += getattr(losses, kind)(p, run.same[kind], network.gradients[name])
    return cost


def _validate(run: _Run) -> None:
    """Measure the network on trials of its own, and remember it if it is the best so far."""
    network, task, same, history = run.network, run.task, run.same, run.history
    stage = _stage(run)
    outputs, trials = _respond(
        network,
        task,
        same["validation_trials"],
        stream(same["seed"], "validation", history.updates),
        same["batch"],
        {**run.stages[stage], **task.validation},
    )
    loss = LOSSES[task.loss](outputs, trials.targets, trials.mask, np.empty_like(outputs))
    if not math.isfinite(loss):
        raise FloatingPointError(_culprit(run, loss))
    performance = task.performance(outputs, trials)
    if not is_number(performance):
        raise ValueError(
            f"performance of the task {task.name} gave {performance!r}; it must give a number from "
            "0 to 1."
        )
    performance = float(performance)
    history.validated.append(history.updates)
    history.stage.append(stage)
    history.performance.append(performance)
    history.validation_loss.append(loss)
    if history.best == len(history.validated) - 1:
        for name, p in network.parameters.items():
            np.copyto(run.best[name], p)


def _respond(
    network: RateNetwork,
    task: Task,
    trials: int,
    rng: np.random.Generator,
    batch: int,
    options: Mapping[str, Any],
) -> tuple[np.ndarray, Trials]:
    drawn = _draw(network, task, trials, rng, options)
    parts = [
        network.forward(drawn.inputs[:, i : i + batch], rng).copy() for i in range(0, trials, batch)
    ]
    return np.concatenate(parts, axis=1), drawn


def _draw(
    network: RateNetwork,
    task: Task,
    trials: int,
    rng: np.random.Generator,
    options: Mapping[str, Any],
) -> Trials:
    """Trials in the precision of the network, after a look at their shapes and values."""
    drawn = task.generate(rng, trials, **options)
    if not isinstance(drawn, Trials):
        raise TypeError(
            f"generate of the task {task.name} gave {type(drawn).__name__}; it must give Trials."
        )
    steps = len(drawn.inputs)
    targets = (steps, trials, network.outputs)
    if task.loss == "cross_entropy" and np.ndim(drawn.targets) == 2:
        targets = steps, trials
    expected = {
        "inputs": (steps, trials, network.inputs),
        "targets": targets,
        "mask": targets,
    }
    arrays = {}
    for name, shape in expected.items():
        values = np.asarray(getattr(drawn, name))
        if values.shape != shape:
            raise ValueError(
                f"the {name} of the task {task.name} have shape {values.shape}; they must have "
                f"{shape}."
            )
        if not np.isfinite(values).all():
            raise FloatingPointError(f"the {name} of the task {task.name} are not finite.")
        whole = np.issubdtype(values.dtype, np.integer)
        arrays[name] = values if whole else values.astype(network.dtype)
    return dataclasses.replace(drawn, **arrays)


def _culprit(run: _Run, loss: float) -> str:
    """What is not finite: said of the parameters, the gradients or the rates."""
    network = run.network
    what = f"{run.task.name}: update {run.history.updates} gives a loss of {loss:g}; "
    named = {"parameter": network.parameters, "gradient of": network.gradients}
    for kind, arrays in named.items():
        bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if bad and (kind == "parameter" or math.isfinite(loss)):
            return f"{what}the {kind} {bad[0]} is not finite. The best parameters are put back."
    return f"{what}the rates grew too large. The best parameters are put back."


def _store(run: _Run) -> None:
    training = {"optimizer": run.memory, "best": run.best, "same": run.same}
    write(run.checkpoint, run.network, run.history, training, overwrite=True)


def _go_on(run: _Run) -> None:
    """Take up a training where its checkpoint left it."""
    network, history, stored = read_training(run.checkpoint)
    other = difference(run.network, network)
    if other:
        raise ValueError(f"{run.checkpoint} is a checkpoint of another network: {other}.")
    same = stored["same"]
    # Checkpoints of before call the learning rate so.
    same["optimizer"] = same["optimizer"].replace("(rate=", "(learning_rate=")
    for name, value in run.same.items():
        if same.get(name) != value:
            raise ValueError(
                f"{run.checkpoint} is a checkpoint of another training: {name} is "
                f"{same.get(name)!r} there and {value!r} here."
            )
    pairs = (
        (run.network.parameters, network.parameters),
        (run.memory, stored["optimizer"]),
        (run.best, stored["best"]),
    )
    for here, there in pairs:
        for name, array in here.items():
            array[...] = there[name]
    run.history = history


def _check_fit(network: RateNetwork, task: Task) -> None:
    if task.loss not in LOSSES:
        raise ValueError(
            f"the loss of the task {task.name} is {task.loss!r}; it must be one of "
            f"{', '.join(LOSSES)}."
        )
    for name in ("inputs", "outputs", "dt"):
        ours, its = getattr(network, name), getattr(task, name)
        if ours != its:
            raise ValueError(
                f"{name} is {ours} for the network and {its} for the task {task.name}; they must "
                "agree."
            )


def _check_checkpoint(path: str | os.PathLike | None, resume: bool) -> None:
    if path is None:
        if resume:
            raise ValueError("resume is True; checkpoint must then name a file.")
        return
    if not resume and os.path.exists(path):
        raise FileExistsError(
            f"checkpoint {path} exists; give another path, or go on from it with resume=True."
        )
    if not os.path.isdir(Path(path).absolute().parent):
        raise FileNotFoundError(f"checkpoint {path}: its folder does not exist.")
