"""A slow twin of the engine: NumPy, one step and one neuron's rule at a time, to be read.

It follows the timing rules in the docstring of `Simulation`, takes synapses from
`Build.synapses`, and shares with the engine nothing but the reading of a model's text.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

import spikesim as ss
from spikesim.equations import affine, evaluate


@dataclass
class Outcome:
    """What a twin run gave: per population spike steps and neurons, and the state at the end."""

    spikes: dict[str, tuple[np.ndarray, np.ndarray]]  # steps of the stamp (1, 2, ...), neurons
    state: dict[str, dict[str, np.ndarray]]


def rounded(times: object, dt: float) -> np.ndarray:
    """Times in steps, halves up."""
    return np.floor(np.asarray(times, float) / dt + 0.5).astype(int)


class _Twin:
    """One population."""

    def __init__(self, simulation: ss.Simulation, name: str) -> None:
        self.dt = simulation.build.dt
        self.population = simulation.network.populations[name]
        self.model, self.size = self.population.model, self.population.size
        self.dynamics = self.model.dynamics
        self.variables = list(self.dynamics.derivatives)
        self.receptors = list(self.dynamics.arrivals)
        self.state = {v: simulation.get(name, v) for v in self.variables}
        self.values = {
            p: self.broadcast(simulation.get(name, p)).copy() for p in self.dynamics.defaults
        }
        for drive in simulation.network.drives.values():
            if drive.target.population == name and isinstance(drive.input, ss.Current):
                self.values[self.model.current][drive.target.neurons] += drive.input.amplitude
        self.values["dt"] = self.dt
        self.refractory_steps = np.zeros(self.size, int)
        if self.dynamics.refractory is not None:
            t_ref = evaluate(self.dynamics.refractory, self.values)
            self.refractory_steps = self.broadcast(rounded(t_ref, self.dt))
        self.left = np.zeros(self.size, int)  # steps of refractoriness still to come
        self.exact = self.model.method in ("", "exact")
        if self.exact:
            self.propagator = self.exponential(np.ones(self.size, bool))
            self.propagator_held = self.exponential(np.zeros(self.size, bool))

    def broadcast(self, value: object) -> np.ndarray:
        return np.broadcast_to(np.asarray(value), self.size)

    def derivative(self, v: str, names: dict, active: np.ndarray) -> np.ndarray:
        """dv/dt; a variable that is held stands still."""
        slope = self.broadcast(evaluate(self.dynamics.derivatives[v], {**self.values, **names}))
        return np.where(active, slope, 0.0) if v in self.model.hold else slope

    def exponential(self, active: np.ndarray) -> np.ndarray:
        """exp(M dt), where d/dt of (variables, arriving weights, 1) is M times that vector."""
        order = [*self.variables, *(f"w_{r}" for r in self.receptors)]
        zero = dict.fromkeys(order, np.zeros(self.size))
        m = np.zeros((self.size, len(order) + 1, len(order) + 1))
        for i, v in enumerate(self.variables):
            m[:, i, -1] = self.derivative(v, zero, active)
            for j, x in enumerate(order):
                at_one = {**zero, x: np.ones(self.size)}
                m[:, i, j] = self.derivative(v, at_one, active) - m[:, i, -1]
        distinct, which = np.unique(m, axis=0, return_inverse=True)
        return np.array([linalg.expm(one * self.dt) for one in distinct])[which.ravel()]

    def advance(self, arriving: dict[str, np.ndarray], active: np.ndarray) -> dict:
        """The variables after one step of the equations."""
        dt, x = self.dt, {**self.state, **arriving}
        if self.exact:
            p = np.where(active[:, None, None], self.propagator, self.propagator_held)
            vector = np.stack([*x.values(), np.ones(self.size)], axis=1)
            return dict(zip(self.variables, np.einsum("nij,nj->in", p, vector), strict=False))
        if self.dynamics.scheme:
            for statement in self.dynamics.scheme:
                v = statement.variable
                slopes = {f"d{u}": self.derivative(u, x, active) for u in self.variables}
                new = evaluate(statement.value, {**self.values, **x, **slopes})
                x[v] = np.where(active, new, x[v]) if v in self.model.hold else new
            return {v: x[v] for v in self.variables}

        def f(state: dict) -> dict:
            return {v: self.derivative(v, {**arriving, **state}, active) for v in self.variables}

        def moved(slopes: dict, share: float) -> dict:
            return {v: self.state[v] + share * dt * slopes[v] for v in self.variables}

        k1 = f(self.state)
        match self.model.method:
            case "euler":
                return moved(k1, 1.0)
            case "rk2":
                return moved(f(moved(k1, 0.5)), 1.0)
            case "rk4":
                k2 = f(moved(k1, 0.5))
                k3 = f(moved(k2, 0.5))
                k4 = f(moved(k3, 1.0))
                sums = {v: (k1[v] + 2 * k2[v] + 2 * k3[v] + k4[v]) / 6 for v in self.variables}
                return moved(sums, 1.0)
            case "exponential_euler":
                new = {}
                for v in self.variables:
                    growth = dt
                    if affine(self.dynamics.derivatives[v], [v]) is not None:
                        rate = self.derivative(v, {**x, v: np.ones(self.size)}, active)
                        rate = rate - self.derivative(v, {**x, v: np.zeros(self.size)}, active)
                        safe = np.where(rate == 0, 1.0, rate)
                        growth = np.where(rate == 0, dt, np.expm1(rate * dt) / safe)
                    new[v] = self.state[v] + growth * k1[v]
                return new
        raise AssertionError(self.model.method)

    def step(self, weights: np.ndarray) -> np.ndarray:
        """One step in which ``weights`` [receptor, neuron] arrive; which neurons spiked."""
        active = self.left == 0
        arriving = {f"w_{r}": w for r, w in zip(self.receptors, weights, strict=True)}
        self.state = {v: self.broadcast(x) for v, x in self.advance(arriving, active).items()}
        for statements in self.dynamics.arrivals.values():
            self.assign(statements, arriving, active, hold=True)
        threshold = evaluate(self.dynamics.threshold, {**self.values, **self.state})
        spiked = self.broadcast(threshold) & active
        self.assign(self.dynamics.reset, {}, spiked, hold=False)
        self.left = np.where(spiked, self.refractory_steps, np.maximum(self.left - 1, 0))
        return np.flatnonzero(spiked)

    def assign(self, statements: list, arriving: dict, where: np.ndarray, hold: bool) -> None:
        """Carry out statements: in all neurons but for held variables, or only ``where``."""
        for statement in statements:
            v = statement.variable
            new = evaluate(statement.value, {**self.values, **self.state, **arriving})
            if not hold or v in self.model.hold:
                new = np.where(where, new, self.state[v])
            self.state = {**self.state, v: self.broadcast(new)}


def run_twin(simulation: ss.Simulation, duration: float) -> Outcome:
    """Run what ``simulation``, which must not have run yet, would run for ``duration`` ms."""
    assert simulation.time == 0
    dt, network = simulation.build.dt, simulation.network
    steps = rounded(duration, dt)
    twins = {name: _Twin(simulation, name) for name in network.populations}
    arriving = {
        name: np.zeros((steps, len(twin.receptors), twin.size)) for name, twin in twins.items()
    }
    for drive in network.drives.values():
        if isinstance(drive.input, ss.Spikes):
            twin = twins[drive.target.population]
            receptor = twin.receptors.index(drive.receptor)
            weights = np.broadcast_to(drive.input.weight, drive.target.size)
            for neuron, train, weight in zip(
                drive.target.neurons, drive.input.trains, weights, strict=True
            ):
                for time in train:
                    step = max(int(np.ceil(time / dt - 1e-6)) - 1, 0)  # the step that ends next
                    if step < steps:
                        arriving[drive.target.population][step, receptor, neuron] += weight
        elif not isinstance(drive.input, ss.Current):
            raise NotImplementedError(f"the twin draws no {type(drive.input).__name__}")
    synapses = {}
    for pre in network.populations:
        for post in network.populations:
            s = simulation.build.synapses(pre, post)
            if len(s):
                synapses[pre, post] = s, rounded(s.delays, dt)
    spikes = {name: ([], []) for name in twins}
    for n in range(steps):
        fired = {name: twin.step(arriving[name][n]) for name, twin in twins.items()}
        for name, neurons in fired.items():
            spikes[name][0].extend([n + 1] * len(neurons))
            spikes[name][1].extend(neurons)
        for (pre, post), (s, delays) in synapses.items():
            ours = np.flatnonzero(np.isin(s.sources, fired[pre]) & (n + delays < steps))
            at = n + delays[ours], s.receptors[ours], s.targets[ours]
            np.add.at(arriving[post], at, s.weights[ours])
    return Outcome(
        {name: (np.array(a, int), np.array(b, int)) for name, (a, b) in spikes.items()},
        {name: dict(twin.state) for name, twin in twins.items()},
    )


def assert_twins(simulation: ss.Simulation, duration: float, tolerance: float = 1e-9) -> int:
    """Run both; same spikes, same variables to a relative ``tolerance``. Returns the spikes."""
    twin = run_twin(simulation, duration)
    simulation.run(duration)
    total = 0
    for name, (steps, neurons) in twin.spikes.items():
        ours = simulation.spikes[name]
        total += len(steps)
        found = list(zip(rounded(ours.times, simulation.build.dt), ours.neurons, strict=True))
        wanted = list(zip(steps, neurons, strict=True))
        assert found == wanted, f"spikes of {name}: {_difference(found, wanted)}"
        for variable, values in twin.state[name].items():
            np.testing.assert_allclose(
                simulation.get(name, variable),
                values,
                rtol=tolerance,
                atol=tolerance,
                err_msg=f"{variable} of {name}",
            )
    return total


def _difference(found: list, wanted: list) -> str:
    extra, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    return (
        f"{len(found)} instead of {len(wanted)}; first that should not be (step, neuron): "
        f"{extra[:1]}, first that is missing: {missing[:1]}"
    )
