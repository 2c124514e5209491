"""What to record beside spikes: small frozen objects; what they give is in data/signals.py."""

from dataclasses import dataclass, field

from spikesim.description.plausibility import check_ms
from spikesim.description.population import Population, View
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True, eq=False)
class Trace:
    """A quantity of some neurons, at the end of every ``every`` ms.

    ``variable`` is a state variable or a definition among the model's equations: of its own, the
    sum of all synaptic currents, ``i_syn``, or that of a receptor, such as ``i_nmda``. All are
    taken as of the end of the step, after the reset of a spike, as other neurons see them.
    """

    neurons: Population | View
    variable: str
    every: float = 1.0

    def __post_init__(self) -> None:
        _check_recorded(self)


@named_options()
@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of a quantity (see `Trace`) over some neurons, every ``every`` ms."""

    neurons: Population | View
    variable: str
    every: float = 1.0

    def __post_init__(self) -> None:
        _check_recorded(self)


@named_options()
@dataclass(frozen=True, eq=False)
class LFP:
    """Proxy of the local field potential: the mean of the sum of absolute synaptic currents.

    Every receptor's current counts by itself, so excitation and inhibition do not cancel; to be
    taken over the excitatory neurons. Among simple proxies the sum of absolute currents comes
    near the field of neurons with shape (Mazzoni et al. 2015, PLoS Comput Biol 11:e1004584).
    """

    neurons: Population | View
    every: float = 1.0
    variable: str = field(default="lfp", init=False)

    def __post_init__(self) -> None:
        _check_recorded(self)


def _check_recorded(given: Trace | Mean | LFP) -> None:
    kind = type(given).__name__
    if not isinstance(given.neurons, Population | View):
        raise TypeError(
            f"{kind}: neurons is {given.neurons!r}; it must be a population or a part of one."
        )
    check_ms(kind, "every", given.every)


@named_options()
@dataclass(frozen=True, eq=False)
class Rate:
    """The mean rate of a population, or of a part of one, in bins of ``bin`` ms.

    ``binned["exc"]`` holds the rate of all of a population, ``binned[exc[:100]]`` that of a part.
    """

    population: Population | View
    bin: float = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.population, Population | View):
            raise TypeError(
                f"Rate: population is {self.population!r}; it must be a population or a part of "
                "one."
            )
        check_ms("Rate", "bin", self.bin)


Recorded = Trace | Mean | LFP | Rate
