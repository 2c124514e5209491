"""Ways to convert, as settings: one factor, calibrated, and calibrated with fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikesim.checks import check_number, check_numbers, check_whole
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True)
class OneFactor:
    """Each unit becomes one neuron, and all weights are divided by one factor [1]_.

    The factor is searched: the one whose networks answer most calibration trials as the rate
    network does. As in the paper the neurons rest at their threshold with noise of their own,
    inputs are not filtered, and the readout has the divided weights and no bias.

    Parameters
    ----------
    factors : sequence of float
        That are tried: spikes per second that stand for a rate of 1.
    trials : int
        That each is tried on.

    References
    ----------
    .. [1] Kim R, Li Y, Sejnowski TJ (2019) Simple framework for constructing functional spiking
       recurrent neural networks. PNAS 116:22811-22820.
    """

    factors: Sequence[float] = tuple(range(20, 80, 5))
    trials: int = 100

    name = "one-factor"

    def __post_init__(self) -> None:
        check_numbers(
            "OneFactor: factors", self.factors, "numbers, one or more", above=0, dimensions=(1,)
        )
        check_whole("OneFactor: trials", self.trials)


@named_options()
@dataclass(frozen=True)
class Calibrated:
    """Each unit becomes neurons whose f-I curve, together, is its activation.

    Gain, bias and the spread of thresholds over a unit's neurons are fitted so that their f-I
    curves add up to the activation, weighted by how often what drives it was met in calibration
    trials. Then the readout is fitted anew, with its bias, to filtered spikes of such trials.

    Parameters
    ----------
    rate : float, optional
        Mean rate of a neuron, Hz, by which the number of spikes that stand for a unit's rate of 1
        is chosen. Default: 9, or 18 if a unit is one neuron.
    trials : int
        Of calibration.
    delay : float, optional
        Of synapses, ms. Default: half a step of the rate network, which its rates are old on
        average when they act, less the rise of a synapse.
    trims : int
        How often the network is run to see what neurons make of their drive in it, and what their
        spikes stand for is changed by it.
    """

    rate: float | None = None
    trials: int = 64
    delay: float | None = None
    trims: int = 1

    name = "calibrated"

    def __post_init__(self) -> None:
        check_calibrated(self)


@named_options()
@dataclass(frozen=True)
class FineTuned:
    """`Calibrated`, of weights that were trained once more with the neurons' curve and noise.

    The rate network is trained for a while with the neurons' own f-I curve in place of its
    activation, and the noise that its spikes will make, to follow the rates and outputs of the
    network it was (the squared error over the variance, that of the rates times ``follow``).
    No labels are needed. Signs and zeros of the recurrent weights stay.

    Parameters
    ----------
    rate, trials, delay, trims
        As of `Calibrated`.
    updates, batch : int
        Of the training, and trials of each.
    learning_rate : float
        Of `Adam`.
    follow : float
        How much rates count beside outputs.
    """

    rate: float | None = None
    trials: int = 64
    delay: float | None = None
    trims: int = 1
    updates: int = 200
    batch: int = 32
    learning_rate: float = 2e-3
    follow: float = 0.3

    name = "fine-tuned"

    def __post_init__(self) -> None:
        check_calibrated(self)
        check_whole("FineTuned: updates", self.updates)
        check_whole("FineTuned: batch", self.batch)
        check_number("FineTuned: learning_rate", self.learning_rate, above=0)
        check_number("FineTuned: follow", self.follow, least=0)


Method = OneFactor | Calibrated | FineTuned


def check_calibrated(method: Calibrated | FineTuned) -> None:
    kind = type(method).__name__
    if method.rate is not None:
        check_number(f"{kind}: rate", method.rate, above=0, unit="Hz")
    check_whole(f"{kind}: trials", method.trials, least=4)
    check_whole(f"{kind}: trims", method.trims, least=0)
    if method.delay is not None:
        check_number(f"{kind}: delay", method.delay, above=0, unit="ms")
