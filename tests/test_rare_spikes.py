"""Trains so slow that 32 random bits a step do not hold their rate; very late steps."""

import numpy as np
import pytest
from numba import njit

import spikesim as ss
from spikesim.engine.clock.renewal import dead_time_hazards
from spikesim.kernels import keyed

SIZE = 130
DT = 0.001
CHANCES = 10.0 ** np.arange(-12, -1, 0.5)  # of a spike in a step


def driven(given, **options) -> ss.Simulation:
    """Neurons that count what arrives."""
    receptor = ss.Receptor("", arrival="n += w")
    model = ss.NeuronModel("dn/dt = 0 * n", "n < 0", "", receptors={"s": receptor})
    net = ss.Network(seed=5)
    net.drive(net.population("a", SIZE, model), given, name="x")
    return ss.Simulation(net, dt=DT, **options)


def tables(simulation: ss.Simulation):
    """The row of the only input, and the limits on draws as integers of Python."""
    inputs = simulation.state.arrays.inputs
    return inputs.table[0], inputs.limits.astype(np.int64)


def share(beyond: int, fine: int) -> float:
    """Of 32-bit draws so many, and of one more a second draw below ``fine``."""
    return (beyond + fine / 2.0**32) / 2.0**32


def poisson_chance(simulation: ss.Simulation, bin: int = 0, block: int = 0, lane: int = 0) -> float:
    row, limits = tables(simulation)
    first = row["thresholds"] + bin * row["threshold_bin"] + block * row["threshold_stride"]
    fine = limits[64 * (first + row["levels"]) + lane] if row["fine"] else 0
    return share(2**32 - 1 - limits[64 * first + lane], fine)


@pytest.mark.parametrize("chance", CHANCES)
def test_slow_trains_have_their_rate(chance):
    """A probability of 1e-8 a step, .01 Hz at a dt of .001 ms, was off by 2.2 per cent."""
    rate, at_least_one = 1000 * chance / DT, -np.expm1(-chance)
    found = {
        "alike": poisson_chance(driven(ss.Poisson(rate, 1.0))),
        "each": poisson_chance(driven(ss.Poisson(np.full(SIZE, rate), 1.0)), 0, 1, 7),
        "in time": poisson_chance(driven(ss.PoissonRates([rate, 2 * rate], 1.0, 1.0))),
        "mother": poisson_chance(driven(ss.CorrelatedPoisson(rate / 2, 0.5, 1.0))),
    }
    for name, probability in found.items():
        assert probability == pytest.approx(at_least_one, rel=5e-4), name
    mean = 1000 / rate / DT
    row, limits = tables(driven(ss.PoissonDeadTime(rate, 2 * DT, 1.0)))
    exact = dead_time_hazards(mean, 2)
    for age, hazard in enumerate(exact):
        fine = limits[age + row["fine"]] if row["fine"] else 0
        assert share(limits[age], fine) == pytest.approx(hazard, rel=5e-4)


def test_fast_neurons_beside_slow_ones_keep_their_limits():
    rates = np.where(np.arange(SIZE) % 2, 1e-4, 50.0)
    slow, fast = driven(ss.Poisson(rates, 1.0)), driven(ss.Poisson(50.0, 1.0))
    assert poisson_chance(slow, 0, 1, 6) == poisson_chance(fast)
    assert poisson_chance(slow, 0, 1, 7) == pytest.approx(1e-10, rel=1e-6)


@njit
def lanes_at(block, step, stream, key):
    out = np.empty(64, np.uint32)
    keyed.draw_lanes(out, block, np.uint64(step), np.uint64(stream), np.uint64(key))
    return out


def words(simulation: ss.Simulation, step: int) -> np.ndarray:
    """The draws of all neurons in a step [block, lane]."""
    row, key = tables(simulation)[0], simulation.state.arrays.key
    return np.stack([lanes_at(b, step, int(row["stream"]), key) for b in range(-(-SIZE // 64))])


@pytest.mark.parametrize("kind", ["Poisson", "dead time"])
def test_a_draw_on_the_limit_is_a_spike_by_a_second_draw(kind):
    """As many limits are put where the draws will be; of these spikes half are let pass."""
    rate = 1e-4 * (1 + np.arange(SIZE))  # a table each
    given = ss.Poisson(rate, 1.0) if kind == "Poisson" else ss.PoissonDeadTime(rate, 0.0, 1.0)
    simulation = driven(given)
    inputs = simulation.state.arrays.inputs
    row = inputs.table[0]
    for step in range(5):
        draws, again = words(simulation, step), words(simulation, step | 1 << 62)
        if kind == "Poisson":
            lines = inputs.limits[64 * row["thresholds"] :].reshape(-1, row["levels"] + 1, 64)
            lines[:, 0], lines[:, -1] = draws, 2**31
        else:
            age, first, last = (inputs.ages.reshape(-1, 3, 64)[:, k] for k in range(3))
            place = first + np.minimum(age, last)
            inputs.limits[place.ravel()[:SIZE]] = draws.ravel()[:SIZE]
            inputs.limits[place + row["fine"]] = 2**31
        before = simulation.get("a", "n")
        simulation.run(DT)
        found = simulation.get("a", "n") - before
        np.testing.assert_array_equal(found, (again < 2**31).ravel()[:SIZE])
        assert 30 < found.sum() < 100


def test_copies_of_one_step_are_not_those_of_a_later_one():
    """With 2^40 steps between them the second of two mother spikes was drawn like the first."""
    steps = [0, 1 << 40, 1 << 41, (1 << 53) - 1]
    found = []
    for step in steps:
        simulation = driven(ss.CorrelatedPoisson(5e5, 0.5, 1.0), precision="double")
        inputs = simulation.state.arrays.inputs
        row = inputs.table[0]
        inputs.limits[64 * row["thresholds"] :] = 2**32 - 1
        inputs.limits[64 * (row["thresholds"] + np.arange(3))] = 0  # three mother spikes a step
        simulation.state.step = step
        simulation.run(DT)
        found.append(simulation.get("a", "n"))
        # The copies of each mother spike are drawn by its number and the step.
        low, high = step % (1 << 40), step >> 40
        draws = [words(simulation, low | k << 40 | high << 50) for k in range(3)]
        expected = sum((each < 2**31).ravel()[:SIZE].astype(int) for each in draws)
        np.testing.assert_array_equal(found[-1], expected)
    for k, one in enumerate(found):
        for other in found[:k]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.35
