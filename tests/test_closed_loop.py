"""A function that is called as the run goes on."""

import numpy as np
import pytest

import spikesim as ss


def plain() -> ss.Network:
    network = ss.Network(seed=4)
    a = network.population("a", 300, ss.LIF())
    network.connect(a, a, ss.FixedInDegree(20), weight=-20.0, delay=1.0, receptor="inh")
    network.drive(a, ss.Poisson(1000.0, 60.0), receptor="exc", name="p")
    return network


def test_looking_on_changes_nothing():
    alone = ss.simulate(plain(), 200.0)
    seen = []
    watched = ss.Simulation(plain())
    watched.run(200.0, every=0.7, then=lambda s: seen.append(float(s.time)))
    assert watched.spikes["a"] == alone.spikes["a"] and len(alone.spikes["a"]) > 500
    np.testing.assert_allclose(seen, np.append(0.7 * np.arange(1, 286), 200.0))


def test_a_rate_can_be_controlled():
    """The input rate is lowered while the population fires above 10 Hz, else raised."""
    simulation = ss.Simulation(plain())
    state = {"count": 0, "rate": 1000.0}

    def control(s: ss.Simulation) -> None:
        fired = (s.counts["a"] - state["count"]) / 300 / 0.005
        state["count"] = s.counts["a"]
        state["rate"] = float(np.clip(state["rate"] - 2.0 * (fired - 10.0), 0, 5000))
        s.set("p", rate=state["rate"])

    simulation.run(3000.0, every=5.0, then=control)
    assert simulation.spikes["a"].restrict(1000.0, 3000.0).rate == pytest.approx(10.0, abs=0.5)


def test_an_error_in_the_function_leaves_what_was_recorded(tmp_path):
    def fail(s: ss.Simulation) -> None:
        if s.time >= 50:
            raise ZeroDivisionError("mine")

    with ss.Simulation(plain(), out=tmp_path / "x.h5") as simulation:
        with pytest.raises(ZeroDivisionError, match="mine"):
            simulation.run(200.0, every=10.0, then=fail)
        assert simulation.time == 50.0
    spikes = ss.open_spikes(tmp_path / "x.h5")["a"]
    assert spikes == ss.simulate(plain(), 50.0).spikes["a"] and spikes.t_stop == 50.0


def test_a_rate_that_is_not_a_number_is_refused():
    simulation = ss.Simulation(plain())
    with pytest.raises(ValueError, match="rate is nan"):
        simulation.run(10.0, every=1.0, then=lambda s: s.set("p", rate=np.nan))
    assert simulation.time == 1.0


def test_every_and_then_belong_together():
    simulation = ss.Simulation(plain())
    for options in (dict(every=1.0), dict(then=print)):
        with pytest.raises(ValueError, match="belong together"):
            simulation.run(1.0, **options)
    with pytest.raises(ValueError, match=r"every is 0\.25 ms"):
        simulation.run(1.0, every=0.25, then=print)
