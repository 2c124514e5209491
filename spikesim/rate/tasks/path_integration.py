"""Where one is, from how one has moved."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from spikesim.checks import check_choice, check_number, check_whole
from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, check_durations, steps_of

SPEED, PERSISTENCE = 0.2, 300.0  # m/s, mean; ms, of speed and of turning
RING_SPEED = 180.0  # degrees/s, standard deviation of the velocity on the ring
MARGIN = 0.03  # m: nearer to a wall one turns along it


@named_options()
def path_integration(
    dt: float = 20.0,
    *,
    space: Literal["box", "ring"] = "box",
    targets: Literal["position", "places"] = "position",
    side: float = 1.0,
    cells: int = 64,
    width: float | None = None,
    duration: float = 2000.0,
    seed: int = 0,
) -> Task:
    """Say where one is after one has moved: integrate velocity [1]_ [2]_.

    In the box one walks from its middle, at a speed that varies about 0.2 m/s, in a heading that
    wanders, and turns away from walls. Inputs are the velocity along x and y in units of 0.5 m/s.
    On the ring one is turned from angle 0 at a velocity that wanders with a standard deviation of
    180 degrees/s; the input is the velocity in units of 360 degrees/s.

    Parameters
    ----------
    dt : float
        Step, ms.
    space : "box" or "ring"
    targets : "position" or "places"
        Outputs: the position from the middle, in units of half the side (2), or on the ring its
        cosine and sine (2); or the rates of place cells, ``exp(-d^2 / 2 width^2)`` at the distance
        d from their centres, drawn at random in the box and evenly spaced on the ring.
    side : float
        Of the box, m.
    cells : int
        Place cells.
    width : float, optional
        Of place fields: m, default 0.15 side; on the ring degrees, default 30.
    duration : float
        Of a trial, ms.
    seed : int
        Of the centres of place fields.

    Returns
    -------
    Task
        Loss "squared". Conditions: where a trial ends, ``x`` and ``y`` (m from the middle), or
        ``angle`` (degrees). Performance: share of the variance of the targets that
        is explained, at least 0.

    References
    ----------
    .. [1] McNaughton BL, Battaglia FP, Jensen O, Moser EI, Moser M-B (2006) Path integration and
       the neural basis of the 'cognitive map'. Nat Rev Neurosci 7:663-678.
    .. [2] Cueva CJ, Wei X-X (2018) Emergence of grid-like representations by training recurrent
       neural networks to perform spatial localization. ICLR.
    """
    check_durations("path_integration", dt=dt, duration=duration)
    check_choice("path_integration: space", space, ("box", "ring"))
    check_choice("path_integration: targets", targets, ("position", "places"))
    check_number("path_integration: side", side, above=0, unit="m")
    check_whole("path_integration: cells", cells)
    check_whole("path_integration: seed", seed, least=0)
    if width is not None:
        check_number("path_integration: width", width, above=0)
    settings = {
        "dt": dt,
        "space": space,
        "targets": targets,
        "side": side,
        "cells": cells,
        "width": width,
        "duration": duration,
        "seed": seed,
    }
    outputs = 2 if targets == "position" else cells
    inputs = 2 if space == "box" else 1
    draw = partial(_paths, **settings)
    return Task("path_integration", inputs, outputs, dt, "squared", draw, _explained, settings)


def _paths(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    space: str,
    targets: str,
    side: float,
    cells: int,
    width: float | None,
    duration: float,
    seed: int,
) -> Trials:
    steps = steps_of(duration, dt)
    if space == "ring":
        velocity, angle = _on_a_ring(rng, trials, steps, dt)
        if targets == "position":
            wanted = np.stack([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))], axis=-1)
        else:
            centres = 360 / cells * np.arange(cells)
            distance = (angle[:, :, None] - centres + 180) % 360 - 180
            wanted = np.exp(-(distance**2) / (2 * (width or 30.0) ** 2))
        x, end = velocity[:, :, None] / 360, {"angle": (angle[-1] + 180) % 360 - 180}
    else:
        velocity, position = _in_a_box(rng, trials, steps, dt, side)
        if targets == "position":
            wanted = position / (side / 2)
        else:
            centres = np.random.default_rng(seed).uniform(-side / 2, side / 2, (cells, 2))
            squares = sum((position[:, :, None, i] - centres[:, i]) ** 2 for i in range(2))
            wanted = np.exp(-squares / (2 * (width or 0.15 * side) ** 2))
        x, end = velocity / 0.5, dict(zip("xy", position[-1].T, strict=True))
    return Trials(x, wanted, np.ones_like(wanted), end)


def _in_a_box(
    rng: np.random.Generator, trials: int, steps: int, dt: float, side: float
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity (m/s) and position (m) of walks from the middle, (time, trials, 2)."""
    keep = np.exp(-dt / PERSISTENCE)
    position, velocity = np.zeros((2, steps, trials, 2))
    heading = rng.uniform(0, 2 * np.pi, trials)
    level, turning = rng.standard_normal((2, trials))
    at, wall = np.zeros((trials, 2)), side / 2 - MARGIN
    for t in range(steps):
        fresh = np.sqrt(1 - keep**2) * rng.standard_normal((2, trials))
        level, turning = keep * level + fresh[0], keep * turning + fresh[1]
        heading = heading + np.deg2rad(150) * turning * dt / 1000
        speed = SPEED * np.exp(0.5 * level - 0.125)
        move = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1) * dt / 1000
        beyond = np.abs(at + move) > wall
        move = np.where(beyond, np.sign(at) * wall - at, move)  # along the wall, or from it
        turned = np.arctan2(
            np.where(beyond[:, 1], -np.sin(heading), np.sin(heading)),
            np.where(beyond[:, 0], -np.cos(heading), np.cos(heading)),
        )
        heading = np.where(beyond.any(axis=1), turned, heading)
        at = at + move
        position[t], velocity[t] = at, move / (dt / 1000)
    return velocity, position


def _on_a_ring(
    rng: np.random.Generator, trials: int, steps: int, dt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity (degrees/s) and angle (degrees) of turns from 0, (time, trials)."""
    keep = np.exp(-dt / PERSISTENCE)
    velocity = np.zeros((steps, trials))
    velocity[0] = rng.standard_normal(trials)
    for t in range(1, steps):
        velocity[t] = keep * velocity[t - 1] + np.sqrt(1 - keep**2) * rng.standard_normal(trials)
    velocity *= RING_SPEED
    return velocity, np.cumsum(velocity, axis=0) * dt / 1000


def _explained(outputs: np.ndarray, trials: Trials) -> float:
    error = np.mean((outputs - trials.targets) ** 2)
    return max(0.0, float(1 - error / np.var(trials.targets, axis=(0, 1)).mean()))
