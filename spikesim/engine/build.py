"""From a description to the arrays that kernels read.

A `Build` holds what a run only reads. It depends on the network, dt, precision and the number of
partitions; what is connected to what depends on the network alone.
"""

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from spikesim import display
from spikesim.checks import check_choice, check_number
from spikesim.codegen.kernel import Kernel
from spikesim.cores import cores
from spikesim.description.distributions import EXACT_LEVELS, WEIGHT_LEVELS, Distribution
from spikesim.description.network import Network
from spikesim.description.plausibility import warn_of_si
from spikesim.description.population import Population
from spikesim.description.projection import Projection
from spikesim.engine.clock.arrays import Wiring
from spikesim.engine.clock.assemble import Assembler, compile_wiring
from spikesim.engine.clock.layout import Layout, Precision, lay_out
from spikesim.engine.clock.steps import in_steps
from spikesim.engine.connectivity.gather import Gathered
from spikesim.engine.connectivity.rules import Connectivity, can_be_drawn
from spikesim.engine.connectivity.tables import DELAY_LEVELS
from spikesim.engine.decode import Synapses, decode
from spikesim.engine.memory import check_memory
from spikesim.engine.sums import Sums, choose_sums
from spikesim.engine.threads import build_seconds, check_threads, fastest_threads
from spikesim.names import named_options
from spikesim.random import generator

WORTH_A_BAR = 2.0  # seconds of a build


@dataclass(frozen=True, eq=False)
class Build:
    """A network wired and ready for any number of states; made by `build`."""

    network: Network
    threads: int
    layout: Layout
    wiring: Wiring
    sums: Sums
    values: dict[str, dict[str, Any]]  # parameters by population, drawn
    synapses_of: dict[str, int]  # by projection
    seconds: float
    compile_seconds: float
    kernels: dict[Any, Kernel] = field(default_factory=dict, repr=False)  # that states began with

    @property
    def dt(self) -> float:
        """Step (ms)."""
        return self.layout.dt

    @property
    def precision(self) -> Precision:
        return self.layout.precision

    @property
    def partitions(self) -> int:
        return self.layout.partitions

    @property
    def real(self) -> type:
        """Of variables and parameters."""
        return self.layout.real

    @property
    def integer(self) -> type:
        """Of sums of weights."""
        return self.layout.integer

    @property
    def units(self) -> dict[tuple[str, str], float]:
        """Weight of one unit of an input."""
        return self.sums.units

    @property
    def limits(self) -> dict[tuple[str, str], float]:
        """Largest sum of weights an input can hold."""
        return self.sums.limits

    @property
    def synapse_count(self) -> int:
        """Synapses of all projections."""
        return sum(self.synapses_of.values())

    @property
    def bytes_per_synapse(self) -> float:
        """Everything stored for connectivity, over the number of synapses."""
        w = self.wiring
        stored = w.words.nbytes + w.rows.nbytes + w.exact.nbytes + w.table.nbytes
        return stored / max(self.synapse_count, 1)

    def synapses(
        self, source: Population | str, target: Population | str, receptor: str | None = None
    ) -> Synapses:
        """What runs between two populations."""
        pre, post = self._population("source", source), self._population("target", target)
        names, receptors = self.layout.names, list(post.model.receptors)
        p = names.index(pre.name)
        if np.any(self.wiring.axons["drawn"][self.wiring.axons["population"] == p]):
            raise ValueError(
                f"the synapses of {pre.name!r} are not stored; to look at them, build with "
                "connectivity='stored'."
            )
        if receptor is not None and receptor not in receptors:
            known = ", ".join(map(repr, receptors))
            raise ValueError(f"receptor is {receptor!r}; {post.name!r} has {known}.")
        units = [self.units[post.name, name] for name in receptors]
        found = decode(self.wiring, p, names.index(post.name), units, self.dt)
        return found if receptor is None else found.at(receptors.index(receptor))

    def _population(self, word: str, which: Population | str) -> Population:
        name = which.name if isinstance(which, Population) else which
        if not isinstance(name, str) or name not in self.network.populations:
            known = ", ".join(map(repr, self.network.populations))
            raise ValueError(f"{word} is {which!r}; it must be a population: one of {known}.")
        return self.network.populations[name]

    def __repr__(self) -> str:
        return f"<Build of {self.network.name!r}: {self._told()}>"

    def _told(self) -> str:
        neurons = sum(p.size for p in self.network.populations.values())
        return (
            f"{display.number(neurons, 'neuron')}, "
            f"{display.number(self.synapse_count, 'synapse')}, dt {self.dt:g} ms, "
            f"{self.precision} precision, {display.number(self.threads, 'thread')}"
        )

    def _repr_html_(self) -> str:
        populations = [
            (p.name, f"{p.size:,}", p.model.name) for p in self.network.populations.values()
        ]
        synapses = [(name, f"{count:,}") for name, count in self.synapses_of.items()]
        return display.whole(
            f"Build of {self.network.name}: {self._told()}",
            display.table("populations", ["name", "neurons", "model"], populations),
            display.table("projections", ["name", "synapses"], synapses),
        )


@named_options()
def build(
    network: Network,
    *,
    dt: float = 0.1,
    threads: int | None = None,
    precision: Precision = "single",
    memory: float | None = None,
    weights: Literal["compact", "exact"] = "compact",
    connectivity: Connectivity = "stored",
    bar: bool = False,
) -> Build:
    """Wire a network.

    Parameters
    ----------
    network : Network
    dt : float
        Step (ms).
    threads : int
        Worker threads of the runs to come. Default: what suits the network on this machine. It
        changes no spike.
    precision : "single" or "double"
        Of variables and parameters. In double precision the weights that arrive in a step are
        summed in 64 bits, in a unit of at most 2^-61 of the largest sum that there can be: weights
        given as numbers or arrays, and samples, are then as good as doubles.
    memory : float
        Limit in GB; default: the memory available.
    weights : "compact" or "exact"
        Whether a weight drawn from a distribution is one of (at most) 1,024 equally likely values
        with the distribution's mean and variance, or one of 65,536; of a tail that holds much of
        the variance, many more. Every weight, drawn or given, is kept to 1e-3 of itself or to 1e-6
        of the mean of its projection or input; for that, in single precision, the weights that
        arrive in a step are summed in 32 bits, or in 64 where some are far smaller than others.
    connectivity : "stored" or "procedural"
        Whether synapses are kept, or drawn again whenever their source spikes, which takes no
        memory and more time; the spikes are the same. The outputs of a population can be drawn if
        all of them follow `FixedProbability`, `FixedOutDegree`, `FixedTotal` or `AllToAll` with
        weights and delays that are numbers or distributions; others are stored.
    bar : bool
        Whether to show, on stderr, how far a build is that takes more than about two seconds.

    Raises
    ------
    ValueError
        A delay below dt, weights so different that even 64 bits lose the smaller ones, or an
        argument out of range.
    MemoryError
        The network would need more than the limit; nothing has been allocated.
    """
    start = time.perf_counter()
    check_choice("weights", weights, ("compact", "exact"))
    check_build(network, dt, threads, precision, connectivity)
    warn_of_si("build", {"dt": (dt, "ms")})
    check_memory(network, precision, memory, connectivity, dt=dt, threads=threads)
    count = EXACT_LEVELS if weights == "exact" else WEIGHT_LEVELS
    sums = choose_sums(network, dt, precision == "single", count)
    threads = int(threads or fastest_threads(network, dt))
    if sums.wide:
        more = {"dt": dt, "threads": threads, "wide_sums": True}
        check_memory(network, precision, memory, connectivity, **more)
    values = {name: _draw_values(network, p) for name, p in network.populations.items()}

    # Without stored synapses, whose words have room for 16 bits, a row is drawn once a thread.
    drawn = connectivity == "procedural" and all(
        can_be_drawn(network, p) for p in network.projections.values()
    )
    layout = lay_out(network, threads, not drawn, sums.units, sums.wide, precision, dt)
    workers = min(layout.partitions, threads, cores())
    foreseen = build_seconds(network, workers, connectivity) if bar else 0.0
    with _bar(foreseen, bar) as shown:
        one_by_one = threading.Lock()

        def tell(seconds: float) -> None:  # foreseen, so that a little more or less may be done
            with one_by_one:
                shown.update(min(seconds, shown.total - shown.n))

        made = Gathered(network, lambda delays: in_steps(delays, dt), workers, tell)
        assembler = Assembler(made, layout, count)
        compile_start = time.perf_counter()
        compile_wiring(layout.integer, assembler.word)
        compile_seconds = time.perf_counter() - compile_start
        wiring = assembler.write(connectivity == "procedural")
        tell(math.inf)
    return Build(
        network=network,
        threads=threads,
        layout=layout,
        wiring=wiring,
        sums=sums,
        values=values,
        synapses_of=made.synapses_of,
        seconds=time.perf_counter() - start - compile_seconds,
        compile_seconds=compile_seconds,
    )


def synapses(
    network: Network, source: Population | str, target: Population | str, *, dt: float = 0.1
) -> Synapses:
    """What a build with this ``dt`` (ms) wires between two populations, as arrays."""
    return build(network, dt=dt).synapses(source, target)


def check_build(
    network: Network,
    dt: float,
    threads: int | None,
    precision: Precision,
    connectivity: Connectivity,
) -> None:
    """Hold the options of a build against the network."""
    if not isinstance(network, Network):
        raise TypeError(f"network is {network!r}; it must be a Network.")
    check_number("dt", dt, above=0, unit="ms")
    check_threads(threads)
    check_choice("precision", precision, ("single", "double"))
    check_choice("connectivity", connectivity, ("stored", "procedural"))
    if not network.populations:
        raise ValueError("the network has no population; add one with network.population(...).")
    for projection in network.projections.values():
        _check_delays(network, projection, dt)


def _bar(seconds: float, asked: bool) -> tqdm:
    """A bar of so many seconds of work, shown if it was asked for and is worth it."""
    return tqdm(
        total=seconds,
        desc="build",
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        disable=not asked or seconds < WORTH_A_BAR,
    )


def _draw_values(network: Network, population: Population) -> dict[str, Any]:
    """Every parameter's value: a number, or an array with one per neuron."""
    values: dict[str, Any] = dict(population.model.dynamics.defaults)
    for name, value in population.model.all_values.items():
        values[name] = drawn_values(
            value, population.size, network.seed, "parameter", population.name, name
        )
    return values


def drawn_values(value: Any, size: int, *key: object) -> float | np.ndarray:
    """A number or an array as it is; a distribution drawn for ``size`` neurons under a key."""
    if isinstance(value, Distribution):
        drawn = value.quantile(generator(*key).random(size))
        if not np.isfinite(drawn).all():
            raise ValueError(f"{value!r} gave a value that is not finite; give it bounds.")
        return drawn
    array = np.array(value, float)
    return float(array) if array.ndim == 0 else array


def _check_delays(network: Network, projection: Projection, dt: float) -> None:
    if np.size(projection.delay) == 0:
        return
    low, high = projection.delays(network.positions)
    if low < dt * (1 - 1e-9):
        raise ValueError(
            f"projection {projection.name!r}: delays run down to {low:g} ms; they must be at least "
            f"dt = {dt:g} ms (for a distribution, set its low)."
        )
    if high / dt >= DELAY_LEVELS - 1:
        raise ValueError(
            f"projection {projection.name!r}: delays run up to {high:g} ms; the longest at "
            f"dt = {dt:g} ms is {dt * (DELAY_LEVELS - 2):g} ms."
        )
