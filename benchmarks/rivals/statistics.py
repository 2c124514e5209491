"""Summary numbers of spike trains, the same for every simulator that is compared."""

import numpy as np

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
BIN_MS = 2.0
CORRELATED_NEURONS = 200


def summarise(
    times_ms: np.ndarray,
    neurons: np.ndarray,
    size: int,
    t_start: float,
    t_stop: float,
    seed: int,
) -> dict:
    """Rates, irregularity and pairwise correlations of one population.

    Parameters
    ----------
    times_ms : ndarray, shape (n_spikes,)
        Spike times in ms, in any order.
    neurons : ndarray of int, shape (n_spikes,)
        Index of the neuron that fired, in ``0 .. size - 1``.
    size : int
        Number of neurons of the population, silent ones included.
    t_start, t_stop : float
        Window in ms; spikes with ``t_start <= t < t_stop`` count.
    seed : int
        Seed of the draw of the neurons whose correlations are measured.

    Returns
    -------
    dict
        ``rate_hz``: over all neurons. ``cv_isi``: SD (divisor n) over mean of the inter-spike
        intervals, over the neurons with at least 3 spikes. ``correlation``: Pearson's r of spike
        counts in bins of 2 ms, over all pairs among 200 neurons drawn without replacement; a
        drawn neuron without a spike has no r and leaves its pairs out. Each holds ``n``,
        ``mean``, ``sd`` and ``quantiles`` (.1, .25, .5, .75, .9), None where n is 0.
    """
    rates, cvs, correlations = neuron_statistics(times_ms, neurons, size, t_start, t_stop, seed)
    return {
        "neurons": size,
        "spikes": round(float(rates.sum()) * (t_stop - t_start) / 1000.0),
        "silent_neurons": int(np.sum(rates == 0)),
        "rate_hz": _distribution(rates),
        "cv_isi": _distribution(cvs),
        "correlation": _distribution(correlations),
    }


def neuron_statistics(
    times_ms: np.ndarray,
    neurons: np.ndarray,
    size: int,
    t_start: float,
    t_stop: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rates (Hz) of the neurons, their CVs, and correlations of pairs; see `summarise`."""
    times_ms, neurons = np.asarray(times_ms, float), np.asarray(neurons, np.int64)
    inside = (times_ms >= t_start) & (times_ms < t_stop)
    times_ms, neurons = times_ms[inside], neurons[inside]
    counts = np.bincount(neurons, minlength=size)
    return (
        counts * 1000.0 / (t_stop - t_start),
        _cv(times_ms, neurons, size),
        _correlations(times_ms, neurons, size, t_start, t_stop, seed),
    )


def over_seeds(runs: list[dict]) -> dict:
    """Mean and SD (divisor n - 1) over runs of each population's mean rate, CV and correlation.

    Parameters
    ----------
    runs : list of dict
        One dict a seed, whose ``populations`` maps names to the dicts of `summarise`.

    Returns
    -------
    dict
        ``{population: {"rate_hz": {"mean": .., "sd": ..}, "cv_isi": .., "correlation": ..}}``;
        the SD of a single run is None.
    """
    spread = {}
    for name in runs[0]["populations"]:
        spread[name] = {}
        for number in ("rate_hz", "cv_isi", "correlation"):
            means = [run["populations"][name][number]["mean"] for run in runs]
            means = [mean for mean in means if mean is not None]
            spread[name][number] = {
                "mean": float(np.mean(means)) if means else None,
                "sd": float(np.std(means, ddof=1)) if len(means) > 1 else None,
            }
    return spread


def _distribution(values: np.ndarray) -> dict:
    if len(values) == 0:
        return {"n": 0, "mean": None, "sd": None, "quantiles": None}
    quantiles = np.quantile(values, QUANTILES)
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "sd": float(np.std(values)),
        "quantiles": {str(q): float(x) for q, x in zip(QUANTILES, quantiles, strict=True)},
    }


def _cv(times_ms: np.ndarray, neurons: np.ndarray, size: int) -> np.ndarray:
    order = np.lexsort((times_ms, neurons))
    times_ms, neurons = times_ms[order], neurons[order]
    follows = neurons[1:] == neurons[:-1]
    intervals, owner = np.diff(times_ms)[follows], neurons[1:][follows]
    n = np.bincount(owner, minlength=size)
    mean = np.bincount(owner, intervals, size) / np.maximum(n, 1)
    variance = np.bincount(owner, (intervals - mean[owner]) ** 2, size) / np.maximum(n, 1)
    enough = n >= 2
    return np.sqrt(variance[enough]) / mean[enough]


def _correlations(
    times_ms: np.ndarray,
    neurons: np.ndarray,
    size: int,
    t_start: float,
    t_stop: float,
    seed: int,
) -> np.ndarray:
    drawn = np.random.default_rng(seed).choice(size, min(size, CORRELATED_NEURONS), replace=False)
    row = np.full(size, -1)
    row[drawn] = np.arange(len(drawn))
    chosen = row[neurons] >= 0
    n_bins = int(np.ceil((t_stop - t_start) / BIN_MS))
    # The 1e-9 keeps a spike on a bin's edge in that bin whatever its rounding.
    column = np.floor((times_ms[chosen] - t_start) / BIN_MS + 1e-9).astype(np.int64)
    cells = row[neurons[chosen]] * n_bins + np.minimum(column, n_bins - 1)
    counts = np.bincount(cells, minlength=len(drawn) * n_bins).reshape(len(drawn), n_bins)
    active = counts[counts.any(axis=1)]
    if len(active) < 2:
        return np.empty(0)
    return np.corrcoef(active)[np.triu_indices(len(active), 1)]
