"""Runs go on with as many threads as are faster, with the same spikes."""

import pytest

import spikesim as ss
from spikesim.engine import pace
from spikesim.engine.pace import Pace


def spent(decider: Pace, speeds: dict[int, float], seconds: float) -> dict[int, float]:
    """Wall time by number of threads, if a thread number makes so many steps a second."""
    used = dict.fromkeys(speeds, 0.0)
    while seconds > 0:
        threads, spell = decider.next()
        decider.tell(round(speeds[threads] * spell), spell)
        used[threads] += spell
        seconds -= spell
    return used


@pytest.mark.parametrize("fastest", [1, 2, 4])
def test_the_fastest_number_of_threads_is_found_and_kept(fastest):
    speeds = {n: 2e4 if n == fastest else 1e4 for n in (4, 2, 1)}
    used = spent(Pace(4), speeds, 60.0)
    assert used[fastest] > 0.9 * 60


def test_a_change_is_noticed():
    decider = Pace(2)
    spent(decider, {2: 2e4, 1: 1e4}, 10.0)
    assert decider.best == 2
    spent(decider, {2: 5e3, 1: 1e4}, 5.0)
    assert decider.best == 1


def test_activity_that_falls_during_trials_favours_nobody():
    decider, time = Pace(2), 0.0
    while decider._pause < 0.1:  # until the first decision
        threads, spell = decider.next()
        speed = (1.5e4 if threads == 2 else 1e4) * (1 + 100 * time)  # steps become cheaper
        decider.tell(round(speed * spell), spell)
        time += spell
    assert decider.best == 2


def test_one_thread_tries_nothing():
    assert Pace(1).next() == (1, pace.SPELL_SECONDS)


def test_changing_the_threads_changes_no_spike(monkeypatch):
    net = ss.Network(seed=2)
    a = net.population("a", 500, ss.LIF())
    net.connect(a, a, ss.FixedInDegree(50), weight=20.0, delay=ss.Uniform(0.1, 3), receptor="exc")
    net.drive(a, ss.Poisson(2000.0, 60.0), receptor="exc")
    build = ss.build(net, threads=2)
    plain = ss.Simulation(build, threads=1)
    plain.run(2000.0)
    for name, seconds in (("TRIAL_SECONDS", 1e-3), ("FIRST_TRIAL", 1e-3), ("TRIAL_EVERY", 1e-3)):
        monkeypatch.setattr(pace, name, seconds)
    used = set()
    monkeypatch.setattr(
        Pace, "next", lambda self, old=Pace.next: (used.add(old(self)[0]), old(self))[1]
    )
    restless = ss.Simulation(build, threads=2)
    restless.run(2000.0)
    assert used == {1, 2}
    assert restless.spikes["a"] == plain.spikes["a"] and len(plain.spikes["a"]) > 1000
