"""What arriving weights do to a neuron: the receptor, and the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from spikesim.checks import check_numbers
from spikesim.description import units
from spikesim.description.distributions import Distribution, Value
from spikesim.description.plausibility import warn_of_si
from spikesim.names import named_options


@dataclass(frozen=True)
class Receptor:
    """What arriving weights do to a neuron.

    In every text ``{r}`` stands for the receptor's name in the model.

    Parameters
    ----------
    unit : str
        Unit of the weights.
    sign : "any", "positive" or "negative"
        Weights of the other sign are an error.
    equations : str
        Equations of the variables the receptor brings along.
    current : str
        What it adds to ``i_syn``. May use ``w_{r}``, the sum of the weights that arrive in the
        step, as a current that lasts for the step, and ``xi``, white noise of the receptor's own.
    arrival : str
        Statements at the end of the step, in which ``w`` is the sum of the weights that arrive.
    parameters : mapping
        Default and unit of each parameter, such as ``{"tau_{r}": "5 ms"}``.
    values : mapping
        Values of parameters instead of the defaults.
    initial : mapping
        Start values of its variables, as in `NeuronModel`.
    """

    unit: str
    sign: Literal["any", "positive", "negative"] = "any"
    equations: str = ""
    current: str = ""
    arrival: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    initial: Mapping[str, Value | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "unit", units.declared_in(self.unit, f"Receptor: unit is {self.unit!r}")
        )

    def check_weights(self, where: str, told: str, low: float, high: float) -> None:
        """Refuse weights, from ``low`` to ``high``, of a sign that the receptor does not take.

        ``where`` begins the sentence, in which the receptor is called ``told``.
        """
        if (self.sign == "positive" and low < 0) or (self.sign == "negative" and high > 0):
            raise ValueError(
                f"{where}: weights run from {low:g} to {high:g}; {told} takes {self.sign} ones "
                "only."
            )

    def check_noise(self, where: str, name: str) -> None:
        """Refuse to let noise arrive that would take what it adds to below 0."""
        if self.unit == "nS":
            raise ValueError(
                f"{where}: receptor {name!r} is a conductance, which noise would make negative; "
                "give the noise to a current."
            )


@named_options()
def Delta(sign: str = "any") -> Receptor:
    """Each arriving spike moves v by its weight (mV); while v is held it is lost.

    The jump can cause a spike in the step in which it arrives; in Brian2 it does so in the next, so
    delays of its ``on_pre="v += w"`` are one dt longer here.
    """
    return Receptor("mV", sign, arrival="v += w")


@named_options()
def Exponential(tau: Value = 5.0, sign: str = "any") -> Receptor:
    """Current that jumps by the weight (pA) and decays: di/dt = -i / tau (ms)."""
    _positive("Exponential", tau=tau)
    return Receptor(
        "pA",
        sign,
        equations="di_{r}/dt = -i_{r} / tau_{r} : pA",
        current="i_{r}",
        arrival="i_{r} += w",
        parameters={"tau_{r}": "5 ms"},
        values={"tau_{r}": tau},
    )


@named_options()
def Alpha(tau: Value = 2.0, sign: str = "any") -> Receptor:
    """Current w e (t/tau) exp(-t/tau), which peaks at the weight (pA) after tau (ms)."""
    _positive("Alpha", tau=tau)
    return Receptor(
        "pA",
        sign,
        equations="""
            di_{r}/dt = (x_{r} - i_{r}) / tau_{r} : pA
            dx_{r}/dt = -x_{r} / tau_{r} : pA""",
        current="i_{r}",
        arrival="x_{r} += exp(1) * w",
        parameters={"tau_{r}": "2 ms"},
        values={"tau_{r}": tau},
    )


@named_options()
def DoubleExponential(tau_rise: Value = 1.0, tau_decay: Value = 5.0, sign: str = "any") -> Receptor:
    """Current w n (exp(-t/tau_decay) - exp(-t/tau_rise)), n such that it peaks at w (pA).

    With a = tau_rise / tau_decay, n = 1 / (a^(a/(1-a)) - a^(1/(1-a))).
    """
    _two_times("DoubleExponential", tau_rise, tau_decay)
    return Receptor(
        "pA",
        sign,
        **_rise_and_decay("i_{r}", "pA"),
        current="i_{r}",
        parameters={"tau_rise_{r}": "1 ms", "tau_decay_{r}": "5 ms"},
        values={"tau_rise_{r}": tau_rise, "tau_decay_{r}": tau_decay},
    )


@named_options()
def Conductance(tau: Value = 5.0, reversal: Value = 0.0) -> Receptor:
    """Conductance that jumps by the weight (nS) and decays with tau (ms).

    dg/dt = -g / tau; its current is g (reversal - v), reversal in mV.
    """
    _positive("Conductance", tau=tau)
    warn_of_si("Conductance", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        equations="dg_{r}/dt = -g_{r} / tau_{r} : nS",
        current="g_{r} * (e_{r} - v)",
        arrival="g_{r} += w",
        parameters={"tau_{r}": "5 ms", "e_{r}": "0 mV"},
        values={"tau_{r}": tau, "e_{r}": reversal},
    )


@named_options()
def DoubleExponentialConductance(
    tau_rise: Value = 1.0, tau_decay: Value = 5.0, reversal: Value = 0.0
) -> Receptor:
    """Conductance w n (exp(-t/tau_decay) - exp(-t/tau_rise)) that peaks at its weight w (nS).

    n is as in `DoubleExponential`; its current is g (reversal - v), times in ms, reversal in mV.
    """
    _two_times("DoubleExponentialConductance", tau_rise, tau_decay)
    warn_of_si("DoubleExponentialConductance", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        **_rise_and_decay("g_{r}", "nS"),
        current="g_{r} * (e_{r} - v)",
        parameters={"tau_rise_{r}": "1 ms", "tau_decay_{r}": "5 ms", "e_{r}": "0 mV"},
        values={"tau_rise_{r}": tau_rise, "tau_decay_{r}": tau_decay, "e_{r}": reversal},
    )


@named_options()
def NMDA(
    tau_rise: Value = 2.0,
    tau_decay: Value = 100.0,
    reversal: Value = 0.0,
    magnesium: Value = 1.0,
) -> Receptor:
    """Conductance that magnesium blocks at low potentials; its current is b(v) g (reversal - v).

    b(v) = 1 / (1 + [Mg] / 3.57 exp(-0.062 v)), v in mV and [Mg] in mM. g is as in
    `DoubleExponentialConductance` and peaks at the weight (nS), the conductance without a block.
    Spikes add up linearly: saturation of the receptors is not modelled.

    Take the method "exponential_midpoint": b is not linear in v, so "exponential_euler" moves v by
    plain Euler steps.

    References
    ----------
    Jahr CE, Stevens CF (1990). Voltage dependence of NMDA-activated macroscopic conductances
    predicted by single-channel kinetics. J Neurosci 10:3178.
    """
    _two_times("NMDA", tau_rise, tau_decay)
    _positive("NMDA", zero=True, magnesium=magnesium)
    warn_of_si("NMDA", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        **_rise_and_decay("g_{r}", "nS"),
        current="g_{r} * (e_{r} - v) / (1 + mg_{r} / 3.57 * exp(-0.062 * v))",
        parameters={
            "tau_rise_{r}": "2 ms",
            "tau_decay_{r}": "100 ms",
            "e_{r}": "0 mV",
            "mg_{r}": "1",
        },
        values={
            "tau_rise_{r}": tau_rise,
            "tau_decay_{r}": tau_decay,
            "e_{r}": reversal,
            "mg_{r}": magnesium,
        },
    )


def _rise_and_decay(variable: str, unit: str) -> dict[str, str]:
    """Equations of a variable that peaks at the weight after it arrived."""
    ratio = "(tau_rise_{r} / tau_decay_{r})"
    peak = f"({ratio} ** ({ratio} / (1 - {ratio})) - {ratio} ** (1 / (1 - {ratio})))"
    into = "x_{r} * (1 / tau_rise_{r} - 1 / tau_decay_{r})"
    return {
        "equations": f"d{variable}/dt = -{variable} / tau_decay_{{r}} + {into} : {unit}\n"
        f"dx_{{r}}/dt = -x_{{r}} / tau_rise_{{r}} : {unit}",
        "arrival": f"x_{{r}} += (1 / {peak}) * w",
    }


@named_options()
def OrnsteinUhlenbeck(sd: Value, tau: Value, mean: Value = 0.0) -> Receptor:
    """Coloured noise, another for each neuron: a current at which nothing arrives.

    di/dt = (mean - i) / tau + sd sqrt(2 / tau) xi, with sd and mean in pA and tau in ms. It starts
    from its stationary distribution: mean, standard deviation sd, autocorrelation exp(-t / tau).
    The methods "exact" and both exponential ones give it so at any dt.

    References
    ----------
    Uhlenbeck GE, Ornstein LS (1930). On the theory of the Brownian motion. Phys Rev 36:823.
    """
    _positive("OrnsteinUhlenbeck", tau=tau)
    _positive("OrnsteinUhlenbeck", zero=True, sd=sd)
    return Receptor(
        "pA",
        equations="di_{r}/dt = (mean_{r} - i_{r}) / tau_{r} + sd_{r} * sqrt(2 / tau_{r}) * xi : pA",
        current="i_{r}",
        parameters={"sd_{r}": "0 pA", "tau_{r}": "5 ms", "mean_{r}": "0 pA"},
        values={"sd_{r}": sd, "tau_{r}": tau, "mean_{r}": mean},
        initial={"i_{r}": "mean_{r} + sd_{r} * xi"},
    )


@named_options()
def WhiteCurrent(density: Value) -> Receptor:
    """White noise, another for each neuron: a current at which nothing arrives.

    The current is density xi, density in pA sqrt(ms). What it does to v does not depend on dt: it
    lets v of a `LIF` spread by density / c_m sqrt(tau_m / 2).
    """
    _positive("WhiteCurrent", zero=True, density=density)
    return Receptor(
        "pA",
        current="density_{r} * xi",
        parameters={"density_{r}": "0"},
        values={"density_{r}": density},
    )


def _positive(kind: str, *, zero: bool = False, **given: Value) -> None:
    """Refuse numbers and arrays that are not positive, or 0 where that may be."""
    for name, value in given.items():
        if not isinstance(value, Distribution):
            bound = {"least": 0} if zero else {"above": 0}
            check_numbers(f"{kind}: {name}", value, "a number, array or distribution", **bound)
    warn_of_si(kind, {n: (tau, "ms") for n, tau in given.items() if n.startswith("tau")})


def _two_times(kind: str, tau_rise: Value, tau_decay: Value) -> None:
    _positive(kind, tau_rise=tau_rise, tau_decay=tau_decay)
    numbers = not any(isinstance(tau, Distribution) for tau in (tau_rise, tau_decay))
    if numbers and np.any(np.equal(tau_rise, tau_decay)):
        raise ValueError(
            f"{kind}: tau_rise is {tau_rise!r} and tau_decay is {tau_decay!r}; they must differ."
        )


@named_options()
def Pulse(unit: str = "pA", sign: str = "any") -> Receptor:
    """Current that lasts for the one step in which weights arrive, and equals their sum."""
    return Receptor(unit, sign, current="w_{r}")
