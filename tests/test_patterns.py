"""The 20 patterns of Izhikevich (2004): what each is named for, and the steps of its figure."""

import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim import plots
from spikesim.networks import patterns

ROOT = Path(__file__).parent.parent
PATTERNS = {pattern.name: pattern for pattern in patterns.PATTERNS}
COUNTS = {  # spikes that the figure shows
    "tonic_spiking": 5,
    "phasic_spiking": 1,
    "tonic_bursting": 28,
    "phasic_bursting": 6,
    "mixed_mode": 6,
    "spike_frequency_adaptation": 6,
    "class_1": 10,
    "class_2": 14,
    "spike_latency": 1,
    "subthreshold_oscillation": 1,
    "resonator": 1,
    "integrator": 1,
    "rebound_spike": 1,
    "rebound_burst": 7,
    "threshold_variability": 1,
    "bistability": 5,
    "depolarising_after-potential": 1,
    "accommodation": 1,
    "inhibition-induced_spiking": 3,
    "inhibition-induced_bursting": 12,
}


def simulated(precision: str) -> ss.Simulation:
    net = patterns.network()
    traces = [
        ss.Trace(net.populations[name], v, every=p.tau)
        for name, p in PATTERNS.items()
        for v in "vu"
    ]
    s = ss.Simulation(net, dt=patterns.DT, precision=precision, record=traces)
    s.run(400.0)
    return s


@pytest.fixture(scope="module")
def double() -> ss.Simulation:
    return simulated("double")


@pytest.fixture(scope="module")
def single() -> ss.Simulation:
    return simulated("single")


@pytest.fixture(params=["single", "double"])
def spikes(request):
    """A function: spike times of a pattern."""
    s = request.getfixturevalue(request.param)
    return lambda name: s.spikes[name].restrict(0.0, PATTERNS[name].duration).times


@pytest.fixture
def potential(double):
    """A function: the potential of a pattern at given times."""

    def read(name: str, times: np.ndarray) -> np.ndarray:
        found = double.traces[name, "v"]
        return np.interp(times, found.times, found.values[:, 0])

    return read


def bursts(times: np.ndarray, gap: float) -> list[int]:
    """Numbers of spikes between silences longer than the gap."""
    return [len(part) for part in np.split(times, np.flatnonzero(np.diff(times) > gap) + 1)]


def published(pattern: patterns.Pattern) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """v and u after each step of the figure's program, and the times of its spikes."""
    v, u = pattern.v, -16 if pattern.name == "accommodation" else pattern.b * pattern.v
    slope, rest = (4.1, 108) if pattern.name in ("class_1", "integrator") else (5, 140)
    states, times = [], []
    for k, current in enumerate(pattern.samples):
        v = v + pattern.tau * (0.04 * v**2 + slope * v + rest - u + current)
        if pattern.name == "accommodation":
            u = u + pattern.tau * pattern.a * (pattern.b * (v + 65))
        else:
            u = u + pattern.tau * pattern.a * (pattern.b * v - u)
        if v > 30:
            v, u = pattern.c, u + pattern.d
            times.append((k + 1) * pattern.tau)
        states.append((v, u))
    return *np.array(states).T, np.array(times)


@pytest.mark.parametrize("name", PATTERNS)
def test_neurons_take_the_steps_of_the_figure(name, double):
    v, u, times = published(PATTERNS[name])
    found = double.spikes[name].restrict(0.0, PATTERNS[name].duration)
    np.testing.assert_allclose(found.times, times, atol=1e-9)
    for variable, wanted in (("v", v), ("u", u)):
        values = double.traces[name, variable].values[: wanted.size, 0]
        # In 300 ms at its bifurcation, class 2 makes more than 1e-3 of a rounding of 1e-15.
        np.testing.assert_allclose(values, wanted, atol=0.05 if name == "class_2" else 1e-9)


def test_a_neuron_moves_at_the_ends_of_its_own_steps_alone():
    net = patterns.network()
    names = ("depolarising_after-potential", "accommodation")  # steps of 0.1 and 0.5 ms
    traces = [ss.Trace(net.populations[name], "v", every=patterns.DT) for name in names]
    s = ss.Simulation(net, dt=patterns.DT, record=traces)
    s.run(400.0)
    for name, duration in zip(names, (50, 200), strict=True):
        found = s.traces[name, "v"]
        moved = found.times[1:][np.diff(found.values[:, 0]) != 0]
        assert moved.size > 100
        steps = moved[moved < duration] / PATTERNS[name].tau
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)


def test_every_pattern_fires_as_often_as_in_the_figure(spikes):
    assert list(COUNTS) == list(PATTERNS)
    assert {name: len(spikes(name)) for name in PATTERNS} == COUNTS


def test_tonic_spiking_is_regular(spikes):
    intervals = np.diff(spikes("tonic_spiking"))[2:]
    assert np.ptp(intervals) < 0.02 * intervals.mean()


def test_phasic_neurons_fall_silent_under_a_lasting_current(spikes):
    assert PATTERNS["phasic_spiking"].samples[-1] == 0.5
    assert 20 < spikes("phasic_spiking")[0] < 50
    times = spikes("phasic_bursting")
    assert bursts(times, 15.0) == [6] and times[-1] < 100


def test_tonic_bursts_repeat(spikes):
    found = bursts(spikes("tonic_bursting"), 20.0)
    assert len(found) == 4 and min(found) >= 5


def test_mixed_mode_is_a_burst_and_then_single_spikes(spikes):
    assert bursts(spikes("mixed_mode"), 20.0) == [3, 1, 1, 1]


def test_adapting_intervals_grow(spikes):
    intervals = np.diff(spikes("spike_frequency_adaptation"))
    assert np.all(np.diff(intervals) > 0) and intervals[-1] > 10 * intervals[0]


def test_class_1_starts_at_a_low_rate_and_class_2_at_a_high_one(spikes):
    rates_1, rates_2 = (1000 / np.diff(spikes(name)) for name in ("class_1", "class_2"))
    assert np.all(np.diff(rates_1) > 0) and rates_1[0] < 26 and rates_1[-1] > 2.5 * rates_1[0]
    assert rates_2[0] > 45 and rates_2[-1] < 2 * rates_2[0]


def test_latency_is_longer_than_the_pulse(spikes):
    assert 23 < spikes("spike_latency")[0] < 30  # the pulse ends at 13 ms


def test_a_subthreshold_oscillation_follows_the_spike(spikes, potential):
    assert 20 < spikes("subthreshold_oscillation")[0] < 30
    v = potential("subthreshold_oscillation", np.arange(30.0, 200.0, 0.25))
    turns = np.flatnonzero(np.diff(np.sign(np.diff(v)))) + 1
    assert turns.size >= 4 and np.all(np.diff(np.abs(np.diff(v[turns]))) < 0)


def test_the_resonator_answers_the_slow_pair_and_the_integrator_the_fast_one(spikes):
    assert 320 < spikes("resonator")[0] < 345  # pairs begin at 40 (20 ms apart) and 280 (40 ms)
    assert 14 < spikes("integrator")[0] < 22  # pairs begin at 9 (5 ms apart) and 70 (10 ms)


def test_release_from_inhibition_makes_a_spike_and_a_burst(spikes, potential):
    assert spikes("rebound_spike")[0] > 25
    assert potential("rebound_spike", 24.0) < -75
    burst = spikes("rebound_burst")
    assert burst[0] > 25 and bursts(burst, 10.0) == [7]


def test_a_weak_pulse_fires_only_after_inhibition(spikes):
    current = PATTERNS["threshold_variability"].samples
    np.testing.assert_array_equal(current[41:59], current[321:339])  # at 10 and at 80 ms
    assert current.min() == -6
    assert 80 < spikes("threshold_variability")[0] < 100


def test_one_pulse_starts_the_bistable_neuron_and_one_stops_it(spikes):
    times = spikes("bistability")
    assert 37.5 < times[0] < 50 and 200 < times[-1] < 216
    assert np.ptp(np.diff(times)) < 1


def test_a_depolarised_potential_follows_the_spike(spikes, potential):
    time = spikes("depolarising_after-potential")[0]
    after, late = potential("depolarising_after-potential", [time + 3, 45.0])
    assert after > -55 and late == pytest.approx(-70, abs=0.5)


def test_a_slow_ramp_is_accommodated_and_a_fast_one_is_not(spikes):
    current = PATTERNS["accommodation"].samples
    assert current[:400].max() > 1.9 * current[600:].max()
    assert 300 < spikes("accommodation")[0] < 313


def test_inhibition_induces_spikes_and_bursts(spikes):
    for name, groups in (
        ("inhibition-induced_spiking", [1, 1, 1]),
        ("inhibition-induced_bursting", [7, 5]),
    ):
        times = spikes(name)
        assert bursts(times, 20.0) == groups
        assert times[0] > 50 and times[-1] < 250


# The figure


def test_responses_draw_each_potential_above_its_current():
    times = np.arange(10.0)
    panels = {f"p{k}": (times, np.sin(times) * k, times * k) for k in range(5)}
    figure = plots.responses(panels)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == 10
    titles = [axes.get_title() for axes in shown]
    for name, (_, v, current) in panels.items():
        above = shown[titles.index(name)]
        np.testing.assert_array_equal(above.lines[0].get_xydata(), np.c_[times, v])
        (below,) = (
            axes
            for axes in shown
            if axes is not above
            and axes.lines[0].get_ydata() is not None
            and np.array_equal(axes.lines[0].get_ydata(), current)
            and axes.get_title() == ""
        )
        (x0, y0), (x1, y1) = (axes.get_position().p0 for axes in (below, above))
        assert x0 == pytest.approx(x1) and y0 < y1
    assert len({axes.get_ylim() for axes in shown if axes.get_title()}) == 1


def test_responses_draw_one_flat_panel_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.responses({"flat": ([1.0], [2.0], [0.0])}).savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("panels", "told"),
    [
        ({}, "at least one panel"),
        ({"a": ([0.0, 1.0], [0.0], [0.0])}, r"panels\['a'\].*\(2,\), \(1,\), \(1,\)"),
        ({"a": ([], [], [])}, r"panels\['a'\].*not empty"),
        ({"a": ([0.0], [0.0])}, r"panels\['a'\] must hold times, potential and current"),
    ],
)
def test_responses_check_their_panels(panels, told):
    with pytest.raises(ValueError, match=told):
        plots.responses(panels)


def test_the_example_draws_them(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "patterns.py"), str(tmp_path / "p.png")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "tonic_bursting: 28 spikes in 220 ms" in done.stdout
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
