"""The five levels of GLIF against a solver with events and against exact steps in NumPy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import spikesim as ss
from spikesim.description.equations import EquationError
from spikesim.description.neurons.glif import GLIF

DT = 0.1
LEVELS = (1, 2, 3, 4, 5)
VALUES = dict(c_m=60.0, g_l=9.0, e_l=-78.0, v_th=-51.0, t_ref=3.8)
RESET = dict(v_reset=-77.0)
RULES = dict(f_v=0.3, delta_v=-9.0, delta_theta_s=2.5, b_s=0.03)
AFTER = dict(
    **dict(f_i_1=0.9, delta_i_1=-20.0, k_i_1=0.01),
    **dict(f_i_2=0.7, delta_i_2=-110.0, k_i_2=0.1),
)
ADAPTS = dict(a_v=0.02, b_v=0.09)


def values_of(level: int) -> dict[str, float]:
    """Parameters of a level; what it does not have is so set that it does nothing."""
    given = dict(VALUES)
    given |= RULES if level in (2, 4, 5) else RESET
    given |= AFTER if level >= 3 else {}
    given |= ADAPTS if level == 5 else {}
    return given


def simulation(model: ss.NeuronModel, size: int = 1, **options) -> ss.Simulation:
    network = ss.Network()
    network.population("a", size, model)
    return ss.Simulation(network, **{"precision": "double", "dt": DT, **options})


class Reference:
    """All of level 5, with parameters that are 0 where a level has less; v, i_1, i_2, s, u."""

    def __init__(self, level: int, current: float) -> None:
        p = self.p = {**dict.fromkeys({**RULES, **AFTER, **ADAPTS}, 0.0), **values_of(level)}
        self.level, c = level, p["c_m"]
        self.matrix = np.zeros((6, 6))  # the last column is the constant
        self.matrix[0] = [
            *(-p["g_l"] / c, 1 / c, 1 / c, 0, 0),
            (p["g_l"] * p["e_l"] + current) / c,
        ]
        self.matrix[1, 1], self.matrix[2, 2] = -p["k_i_1"], -p["k_i_2"]
        self.matrix[3, 3] = -p["b_s"]
        self.matrix[4] = [p["a_v"], 0, 0, 0, -p["b_v"], -p["a_v"] * p["e_l"]]
        self.start = np.array([p["e_l"], 0, 0, 0, 0, 1.0])
        self.wait = round(p["t_ref"] / DT)

    def above(self, y: np.ndarray) -> float:
        return y[0] - self.p["v_th"] - y[3] - y[4]

    def reset(self, y: np.ndarray) -> np.ndarray:
        p, (v, i, j, s, u, one) = self.p, y
        rules = self.level in (2, 4, 5)
        v = p["e_l"] + p["f_v"] * (v - p["e_l"]) - p["delta_v"] if rules else p["v_reset"]
        i = p["f_i_1"] * i * np.exp(-p["k_i_1"] * p["t_ref"]) + p["delta_i_1"]
        j = p["f_i_2"] * j * np.exp(-p["k_i_2"] * p["t_ref"]) + p["delta_i_2"]
        s = s * np.exp(-p["b_s"] * p["t_ref"]) + p["delta_theta_s"]
        return np.array([v, i, j, s, u, one])

    def by_events(self, duration: float) -> list[int]:
        """Steps at whose end it spikes: those in which a solver finds that the threshold is met."""

        def met(t, y):
            return self.above(y)

        met.terminal, met.direction = True, 1
        t, y, steps = 0.0, self.start, []
        while True:
            solution = solve_ivp(
                lambda t, y: self.matrix @ y,
                (t, duration),
                y,
                "DOP853",
                events=met,
                rtol=1e-11,
                atol=1e-11,
            )
            if not len(solution.t_events[0]):
                return steps
            t, y = solution.t[-1], solution.y[:, -1]
            steps.append(int(np.ceil(t / DT - 1e-9)))
            y = self.reset(expm(self.matrix * (steps[-1] * DT - t)) @ y)
            t = (steps[-1] + self.wait) * DT

    def by_steps(self, count: int) -> tuple[list[int], np.ndarray]:
        """Steps at whose end it spikes, and the state after each."""
        step, y, left = expm(self.matrix * DT), self.start, 0
        spikes, states = [], []
        for n in range(count):
            if left:
                left -= 1
            else:
                y = step @ y
                if self.above(y) >= 0:
                    spikes.append(n + 1)
                    y, left = self.reset(y), self.wait
            states.append(y[:5])
        return spikes, np.array(states)


@pytest.mark.parametrize("level", LEVELS)
def test_spikes_are_in_the_steps_in_which_a_solver_finds_them(level):
    for current in (260.0, 420.0, 900.0):
        s = simulation(GLIF(level, i_offset=current, **values_of(level)))
        s.run(300.0)
        found = np.rint(s.spikes["a"].times / DT).astype(int)
        wanted = Reference(level, current).by_events(300.0 - DT / 2)
        assert list(found) == wanted and (len(wanted) > 5 or current < 300)


@pytest.mark.parametrize("level", LEVELS)
def test_all_variables_follow_exact_steps(level):
    names = {"v": 0, "i_1": 1, "i_2": 2, "theta_s": 3, "theta_v": 4}
    model = GLIF(level, i_offset=500.0, **values_of(level))
    network = ss.Network()
    a = network.population("a", 1, model)
    own = [v for v in model.dynamics.derivatives if v in names]
    record = [ss.Trace(a, v, every=DT) for v in own]
    s = ss.Simulation(network, dt=DT, precision="double", record=record)
    s.run(200.0)
    spikes, states = Reference(level, 500.0).by_steps(2000)
    assert list(np.rint(s.spikes["a"].times / DT).astype(int)) == spikes and len(spikes) > 8
    assert len(own) == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}[level]
    for v in own:
        found = s.traces["a", v].values[:, 0]
        np.testing.assert_allclose(found, states[:, names[v]], rtol=1e-9, atol=1e-9)
        assert np.ptp(found) > 1


@pytest.mark.parametrize("level", LEVELS)
def test_parameters_may_differ_between_neurons(level):
    """Each neuron of a population does what it does alone."""
    currents = np.linspace(200.0, 800.0, 70)
    given = values_of(level)
    v_th = np.linspace(-55.0, -48.0, 70)
    changed = {name: value * np.linspace(0.8, 1.2, 70) for name, value in given.items()}
    changed |= {"v_th": v_th, "t_ref": given["t_ref"], "e_l": given["e_l"]}
    s = simulation(GLIF(level, i_offset=currents, **changed), 70)
    s.run(150.0)
    for n in (0, 33, 69):
        one = {k: float(np.broadcast_to(v, 70)[n]) for k, v in changed.items()}
        alone = simulation(GLIF(level, i_offset=currents[n], **one))
        alone.run(150.0)
        np.testing.assert_array_equal(s.spikes["a"][n], alone.spikes["a"][0])
    assert len(s.spikes["a"].times) > 300


def test_after_spike_currents_and_thresholds_slow_firing_down():
    counts = []
    for level in LEVELS:
        s = simulation(GLIF(level, i_offset=400.0))
        s.run(1000.0)
        counts.append(len(s.spikes["a"].times))
        intervals = np.diff(s.spikes["a"].times)
        assert intervals[-1] > intervals[0] + 0.5 or level == 1
    assert counts[2] < counts[0] and counts[3] < counts[1] and counts[4] < counts[3]


def test_first_level_is_a_lif():
    lif = ss.LIF(
        tau_m=60 / 9, c_m=60.0, e_l=-78.0, v_th=-51.0, v_reset=-77.0, t_ref=3.8, i_offset=400.0
    )
    runs = [simulation(model) for model in (lif, GLIF(1, i_offset=400.0, **VALUES, **RESET))]
    for s in runs:
        s.run(300.0)
    np.testing.assert_array_equal(runs[0].spikes["a"].times, runs[1].spikes["a"].times)
    assert runs[0].get("a", "v")[0] == pytest.approx(runs[1].get("a", "v")[0], rel=1e-10)


@pytest.mark.parametrize("level", LEVELS)
def test_levels_are_exact_unless_conductances_are_there(level):
    assert GLIF(level).linear and GLIF(level).method == ""
    model = GLIF(level, receptors={"g": ss.Conductance()})
    assert model.method == "exponential_euler"
    s = simulation(model, 3, precision="single")
    s.set("a", g_g=50.0)
    s.run(50.0)
    assert len(s.spikes["a"].times) > 0 and np.all(np.isfinite(s.get("a", "v")))


@pytest.mark.parametrize("level", [0, 6, "5", 2.5, None])
def test_there_are_five_levels(level):
    with pytest.raises(ValueError, match=f"GLIF: level is {level!r}; it must be 1, 2, 3, 4 or 5"):
        GLIF(level)


@pytest.mark.parametrize(("level", "name"), [(1, "f_v"), (2, "v_reset"), (3, "b_s"), (4, "a_v")])
def test_a_level_has_its_own_parameters_alone(level, name):
    with pytest.raises(EquationError, match=f"GLIF{level}: unknown parameter '{name}'"):
        GLIF(level, **{name: 1.0})
