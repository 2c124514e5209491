"""What training makes small: a number, and its derivative written into an array or added to one."""

from typing import Literal

import numpy as np

from spikesim.checks import check_choice

_FAINT = 1e-15  # a norm below which squares near the end of float32's range


def _weights(outputs: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The mask divided by its sum, (time, trials, 1) or (time, trials, outputs)."""
    mask = np.ones(outputs.shape[:2], outputs.dtype) if mask is None else np.asarray(mask)
    if mask.shape not in (outputs.shape, outputs.shape[:2]):
        raise ValueError(
            f"mask has shape {mask.shape}; with outputs of shape {outputs.shape} it must be of "
            f"that shape or {outputs.shape[:2]}."
        )
    total = mask.sum(dtype=float)
    if not total > 0 or mask.min() < 0:
        raise ValueError(
            f"mask has the sum {total:g} and values from {mask.min():g}; the sum must be above 0 "
            "and no value below."
        )
    mask = (mask / total).astype(outputs.dtype)
    return mask[..., None] if mask.ndim == 2 else mask


def squared(
    outputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None, d_out: np.ndarray
) -> float:
    """Mean squared error, sum(mask (z - z*)^2) / sum(mask).

    Parameters
    ----------
    outputs, targets : array (time, trials, outputs)
    mask : array (time, trials) or (time, trials, outputs), or None
        Weights of the entries, such as 0 where the outputs do not matter.
    d_out : array (time, trials, outputs)
        Takes the derivative by the outputs.

    Raises
    ------
    ValueError
        If shapes do not fit, or the mask is 0 everywhere.
    """
    if np.shape(targets) != outputs.shape:
        raise ValueError(
            f"targets have shape {np.shape(targets)}; the outputs have shape {outputs.shape}."
        )
    weights = _weights(outputs, mask)
    if weights.shape != outputs.shape:
        weights = weights / outputs.shape[-1]
    np.subtract(outputs, targets, out=d_out)
    loss = np.sum(weights * d_out * d_out, dtype=float)
    d_out *= 2 * weights
    return float(loss)


def _one_hot(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    targets = np.asarray(targets)
    if targets.shape == outputs.shape:
        return targets
    if targets.shape != outputs.shape[:2]:
        raise ValueError(
            f"targets have shape {targets.shape}; with outputs of shape {outputs.shape} they must "
            f"be of that shape or {outputs.shape[:2]}."
        )
    classes = outputs.shape[-1]
    if targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= classes:
        raise ValueError(
            f"targets are of type {targets.dtype}, from {targets.min()} to {targets.max()}; they "
            f"must be whole numbers from 0 to {classes - 1}."
        )
    return np.eye(classes, dtype=outputs.dtype)[targets]


def cross_entropy(
    outputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None, d_out: np.ndarray
) -> float:
    """Cross-entropy of the softmax of the outputs, -sum(mask log p(target)) / sum(mask).

    Parameters
    ----------
    outputs : array (time, trials, classes)
        Before the softmax, as `RateNetwork.forward` gives them.
    targets : array (time, trials) of int, or (time, trials, classes)
        The class, or the probability of each.
    mask : array (time, trials), or None
        Weights of the steps.
    d_out : array (time, trials, classes)
        Takes the derivative by the outputs.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no such class, or the mask is 0 everywhere.
    """
    targets = _one_hot(outputs, targets)
    if mask is not None and np.ndim(mask) != 2:
        raise ValueError(
            f"mask has shape {np.shape(mask)}; with outputs of shape {outputs.shape} it must be "
            f"{outputs.shape[:2]}."
        )
    weights = _weights(outputs, mask)
    z = outputs - outputs.max(axis=-1, keepdims=True)
    np.exp(z, out=d_out)
    total = d_out.sum(axis=-1, keepdims=True)
    loss = -np.sum(weights * targets * (z - np.log(total)), dtype=float)
    d_out *= targets.sum(axis=-1, keepdims=True) / total
    d_out -= targets
    d_out *= weights
    return float(loss)


def l1(weights: np.ndarray, strength: float, d_weights: np.ndarray) -> float:
    """strength mean(abs(weights)); its derivative is added to d_weights."""
    d_weights += (strength / weights.size) * np.sign(weights)
    return float(strength * np.abs(weights).mean(dtype=float))


def l2(weights: np.ndarray, strength: float, d_weights: np.ndarray) -> float:
    """strength mean(weights^2); its derivative is added to d_weights."""
    d_weights += (2 * strength / weights.size) * weights
    return float(strength * np.square(weights).mean(dtype=float))


def metabolic(
    rates: np.ndarray, strength: float, d_rates: np.ndarray, power: Literal[1, 2] = 2
) -> float:
    """Cost of being active: strength mean(abs(rates)^power) over time, trials and units.

    The derivative is added to d_rates, (time, trials, units) as the rates are.
    """
    check_choice("power", power, (1, 2))
    cost = l1 if power == 1 else l2
    return cost(rates, strength, d_rates)


def vanishing(gradient: np.ndarray, back: np.ndarray, strength: float, d_back: np.ndarray) -> float:
    """Regulariser against gradients that vanish or explode on their way back in time.

    It is strength times the mean over steps and trials of (|g_(t+1) J_t| / |g_(t+1)| - 1)^2,
    in which g is the derivative of the loss by the state and J_t = d state_(t+1) / d state_t
    [1]_ [2]_. Steps where |g_(t+1)| is not above 1e-15 do not count.

    Only what J owes to the weights directly is differentiated: g, and the states at which slopes
    are taken, are held constant. The derivative by the weights is thus not the full one of this
    number, but needs no second pass.

    Parameters
    ----------
    gradient : array (time, trials, units)
        g_(t+1).
    back : array (time, trials, units)
        g_(t+1) J_t.
    strength : float
    d_back : array (time, trials, units)
        Takes the derivative by ``back``; may be ``back``.

    References
    ----------
    .. [1] Pascanu R, Mikolov T, Bengio Y (2013) On the difficulty of training recurrent neural
       networks. ICML, PMLR 28:1310-1318.
    .. [2] Song HF, Yang GR, Wang X-J (2016) Training excitatory-inhibitory recurrent neural
       networks for cognitive tasks. PLoS Comput Biol 12:e1004792.
    """
    norm, norm_back = (np.sqrt(np.einsum("tbn,tbn->tb", v, v)) for v in (gradient, back))
    counted = norm > _FAINT
    size = max(np.count_nonzero(counted), 1)
    ratio = np.divide(norm_back, norm, out=np.ones_like(norm), where=counted)
    slope = np.zeros_like(norm)
    scale = 2 * strength / size * (ratio - 1)
    np.divide(scale, norm * norm_back, out=slope, where=counted & (norm_back > _FAINT))
    np.multiply(back, slope[..., None], out=d_back)
    return float(strength / size * np.sum(np.square(ratio - 1)))


def firing_rate_cost(
    spikes: np.ndarray, target: float, strength: float, dt: float, d_spikes: np.ndarray
) -> float:
    """What it costs that units fire at other rates than wanted: strength mean_j (f_j - target)^2.

    f_j is the rate of unit j over all steps and trials, Hz. Its derivative by every spike is added
    to d_spikes.

    Parameters
    ----------
    spikes, d_spikes : array (time, trials, units)
    target : float
        Hz.
    strength : float
        Per Hz^2.
    dt : float
        ms.
    """
    steps, trials, units = spikes.shape
    hertz = 1000 / (steps * trials * dt)  # of one spike of one unit
    off = hertz * spikes.sum(axis=(0, 1), dtype=np.float64) - target
    d_spikes += (2 * strength * hertz / units * off).astype(d_spikes.dtype)
    return float(strength * np.mean(off**2))
