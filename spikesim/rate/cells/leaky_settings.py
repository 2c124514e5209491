"""Settings of leaky cells: their checks, the parameters that they begin with, what is kept."""

from typing import Any

import numpy as np

from spikesim.checks import check_choice, check_number, check_shape, check_whole
from spikesim.rate.activations import named
from spikesim.rate.cells.contract import Arrays


def initial_leaky(cell: Any, inputs: int, rng: np.random.Generator) -> Arrays:
    p = {
        "w_in": rng.standard_normal((cell.units, inputs)) / np.sqrt(inputs),
        "b": np.zeros(cell.units),
        # Not 0: units that rectify would be silent, and of slope 0, until an input arrives.
        f"{cell.form}0": np.full(cell.units, 0.1),
    }
    if cell.train_tau:
        p["log_tau"] = np.log(np.broadcast_to(cell.tau, cell.units).astype(float))
    return p


def scaled(w: np.ndarray, radius: float) -> np.ndarray:
    """A matrix scaled to a spectral radius; without loops it has none to scale."""
    found = np.abs(np.linalg.eigvals(w)).max()
    return w * (radius / found) if found > 1e-6 * np.abs(w).max(initial=0) else w


def keep_connections(cell: Any, w_rec: np.ndarray) -> None:
    if cell.mask is not None:
        w_rec *= cell.mask
    if cell.fixed is not None:
        np.copyto(w_rec, cell.fixed, where=cell.fixed != 0)


def check_leaky(cell: Any) -> None:
    """What all leaky cells have."""
    kind = type(cell).__name__
    check_whole(f"{kind}: units", cell.units)
    check_number(f"{kind}: noise", cell.noise, least=0)
    if cell.noise_tau is not None:
        check_number(f"{kind}: noise_tau", cell.noise_tau, above=0)
    check_choice(f"{kind}: form", cell.form, ("r", "x"))
    object.__setattr__(cell, "activation", named(cell.activation))
    tau = np.asarray(cell.tau, float)
    check_shape(f"{kind}: tau", tau, (), (cell.units,))
    if not (np.isfinite(tau) & (tau > 0)).all():
        raise ValueError(f"{kind}: tau is {cell.tau!r}; it must be above 0 ms and finite.")
    object.__setattr__(cell, "tau", tau if tau.ndim else float(tau))
    if cell.tau_range is not None:
        _check_range(kind, cell)


def _check_range(kind: str, cell: Any) -> None:
    told = f"{kind}: tau_range is {cell.tau_range!r}"
    try:
        least, most = map(float, cell.tau_range)
    except (TypeError, ValueError):
        raise ValueError(f"{told}; it must be two time constants, ms.") from None
    if not 0 < least <= most < np.inf:
        raise ValueError(f"{told}; it must be two time constants above 0 ms, the shorter first.")
    if not cell.train_tau:
        raise ValueError(f"{told}; it is for time constants that are trained: train_tau.")
    if np.min(cell.tau) < least or np.max(cell.tau) > most:
        raise ValueError(
            f"{told}; tau, from {np.min(cell.tau):g} to {np.max(cell.tau):g} ms, must lie in it."
        )
    object.__setattr__(cell, "tau_range", (least, most))


def check_connections(cell: Any) -> None:
    """Mask, fixed weights and radius."""
    kind, shape = type(cell).__name__, (cell.units, cell.units)
    check_number(f"{kind}: radius", cell.radius, above=0)
    for name in ("mask", "fixed"):
        if getattr(cell, name) is None:
            continue
        given = np.array(getattr(cell, name), float)
        check_shape(f"{kind}: {name}", given, shape)
        if not np.isfinite(given).all():
            raise ValueError(f"{kind}: {name} holds what is not finite; all of it must be finite.")
        object.__setattr__(cell, name, given)
    if cell.mask is not None:
        _check_mask(kind, cell.mask)
    if cell.mask is not None and cell.fixed is not None and (cell.fixed[cell.mask == 0] != 0).any():
        raise ValueError(f"{kind}: fixed has weights where mask is 0; there it must be 0 as well.")


def _check_mask(kind: str, mask: np.ndarray) -> None:
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(f"{kind}: mask has other values than 0 and 1; it must have these alone.")
    deaf = np.flatnonzero(~mask.any(axis=1))
    if deaf.size:
        raise ValueError(
            f"{kind}: mask leaves unit {deaf[0]} without input ({deaf.size} of {len(mask)} units); "
            "every row must hold a 1."
        )
