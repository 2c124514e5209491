"""Rate networks of layers that count into spiking networks: the choices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spikesim.checks import check_choice, check_number, check_whole
from spikesim.conversion.layers.codes import Code
from spikesim.conversion.layers.spiking import Schedule, SpikingLayers, check_inputs
from spikesim.conversion.layers.stages import Stage, calibrated, stages_of
from spikesim.names import named_options
from spikesim.rate.network import RateNetwork

STEPS = 64  # of rectified units, by default


@named_options()
def convert_layers(
    network: RateNetwork,
    *,
    steps: int | None = None,
    schedule: Schedule = "in_turn",
    calibrate: np.ndarray | None = None,
    percentile: float = 99.9,
    code: Code = "current",
    highest: float = 1.0,
    dt: float = 1.0,
) -> SpikingLayers:
    """Turn layers of rate units, and plain recurrent cells, into layers that count spikes.

    A rate y of a layer with the highest rate c becomes n spikes in a window of T steps,
    y = c n / T. A neuron that adds up p, the weighted sum of what arrives in a window, gives

        n = clip(floor(T p / c + 1/2), 0, T)

    spikes: its weights are scaled by the c of both layers, T b / c is its bias, it starts half a
    spike below threshold, and each spike takes from it what one spike is worth (soft reset [1]_).
    For `Quantised` units with T = L that is their activation itself [2]_. For rectified ones c is a
    percentile of the layer's rates [1]_. `McCullochPitts` cells are the case T = 1, with their
    thresholds.

    One step of the rate network takes one window. With the schedule "in_turn" a layer fires what it
    added up in the window before, while the next layer adds that up: each layer takes one window,
    and nothing is lost, whenever spikes come. Layers of `Quantised` units are then exact. So is a
    recurrent cell, r_t = f(w_rec r_(t-1) + w_in u_t + b), which adds up its own spikes of one
    window in the next: L small steps for one [3]_. With "at_once" layers fire while they add up;
    each takes one step, but a neuron may have fired before what inhibits it comes. The report of a
    run tells how much that changes: of four layers of 100 untrained units with 8 levels, a quarter
    of the last layer's rates.

    Parameters
    ----------
    network : RateNetwork
        Of `FeedForward`, `McCullochPitts` and, with tau = dt, `LeakyRNN` and `DaleRNN` cells;
        units are rectified or `Quantised`.
    steps : int
        T. Default: the levels L of quantised units, 1 for threshold units, else 64.
    schedule : "in_turn" or "at_once"
    calibrate : array (time, trials, inputs)
        For rectified units: inputs by which their highest rates are found.
    percentile : float
        Of all rates of a layer; what is above is cut.
    code : "current", "regular", "poisson" or "latency"
        How inputs come in: "current", as the constant current w_in x of the first layer; else as
        spikes of neurons of their own, which takes one step more. Of inputs from 0 to ``highest``
        "regular" gives a number of evenly spaced spikes, "poisson" one with the same probability in
        each step, "latency" one spike, the earlier the larger the input, whose weight arrives again
        in each step until the window ends [4]_.
    highest : float
        For spikes: the input that spikes in every step, or in the first.
    dt : float
        Step of the spiking network, ms.

    Returns
    -------
    SpikingLayers

    Raises
    ------
    ValueError
        If a cell, an activation or an option does not fit; the sentence says which and why.

    References
    ----------
    .. [1] Rueckauer B, Lungu I-A, Hu Y, Pfeiffer M, Liu S-C (2017) Conversion of continuous-valued
       deep networks to efficient event-driven networks for image classification. Front Neurosci
       11:682.
    .. [2] Bu T, Fang W, Ding J, Dai P, Yu Z, Huang T (2022) Optimal ANN-SNN conversion for
       high-accuracy and ultra-low-latency spiking neural networks. ICLR.
    .. [3] Su J, You K, Xu Z, Xu W, He Z (2024) Obtaining optimal spiking neural network in sequence
       learning via CRNN-SNN conversion. arXiv:2408.09403.
    .. [4] Rueckauer B, Liu S-C (2018) Conversion of analog to spiking neural networks using sparse
       temporal coding. ISCAS.

    Examples
    --------
    >>> import numpy as np
    >>> from spikesim.conversion import convert_layers
    >>> from spikesim.rate import FeedForward, Quantised, RateNetwork
    >>> network = RateNetwork([FeedForward([20, 10], Quantised(4))], 5, 2, dt=1.0, seed=1)
    >>> run = convert_layers(network).run(np.random.default_rng(1).random((1, 100, 5)))
    >>> run.report.differ
    (0.0, 0.0)
    """
    check_choice("schedule", schedule, ("in_turn", "at_once"))
    check_choice("code", code, ("current", "regular", "poisson", "latency"))
    check_number("percentile", percentile, above=0, most=100)
    check_number("highest", highest, above=0)
    check_number("dt", dt, above=0, unit="ms")
    stages = stages_of(network)
    steps = _steps(stages, steps)
    if schedule == "at_once" and any(stage.w_rec is not None for stage in stages):
        raise ValueError(
            "schedule is 'at_once'; recurrent cells need whole windows: it must be 'in_turn'."
        )
    if any(stage.cap == 0 for stage in stages):
        if calibrate is None:
            raise ValueError(
                "calibrate is None; rectified units have no highest rate, which is found by the "
                "inputs that it must be: an array (time, trials, inputs)."
            )
        stages = calibrated(
            stages, check_inputs("calibrate", calibrate, network.inputs), percentile
        )
    return SpikingLayers(network, tuple(stages), steps, schedule, code, float(highest), float(dt))


def _steps(stages: Sequence[Stage], steps: int | None) -> int:
    """Steps of a window: as given, or what the units have in common."""
    levels = {
        1 if stage.activation is None else stage.activation.levels
        for stage in stages
        if not stage.cap == 0
    }
    if steps is None:
        if len(levels) > 1:
            raise ValueError(
                f"steps is None; the units have {', '.join(map(str, sorted(levels)))} levels: give "
                "the steps of a window."
            )
        return levels.pop() if levels else STEPS
    check_whole("steps", steps)
    if steps != 1 and any(stage.activation is None for stage in stages):
        raise ValueError(f"steps is {steps}; with threshold units it must be 1.")
    return int(steps)
