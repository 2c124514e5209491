"""A slow twin of the engine: NumPy, one step and one neuron's rule at a time, to be read.

It follows the timing rules in the docstring of `Simulation`, takes synapses from
`Build.synapses`, and shares with the engine nothing but the reading of a model's text.
"""

import ast
from dataclasses import dataclass

import numpy as np
from scipy import linalg

import spikesim as ss
from spikesim.description.equations import FUNCTIONS, affine, evaluate, is_condition, substitute


@dataclass
class Outcome:
    """What a twin run gave: per population spike steps and neurons, and the state at the end."""

    spikes: dict[str, tuple[np.ndarray, np.ndarray]]  # steps of the stamp (1, 2, ...), neurons
    state: dict[str, dict[str, np.ndarray]]
    closest: float  # that the two sides of any comparison came to each other


def rounded(times: object, dt: float) -> np.ndarray:
    """Times in steps, halves up."""
    return np.floor(np.asarray(times, float) / dt + 0.5).astype(int)


class _Twin:
    """One population."""

    def __init__(self, simulation: ss.Simulation, name: str, nudge: float) -> None:
        self.dt = simulation.build.dt
        self.population = simulation.network.populations[name]
        self.model, self.size = self.population.model, self.population.size
        self.dynamics = self.model.dynamics
        self.variables = list(self.dynamics.derivatives)
        self.receptors = list(self.dynamics.arrivals)
        start = {v: simulation.get(name, v) for v in self.variables}
        self.state = {v: x + nudge * (1 + abs(x)) for v, x in start.items()}
        self.values = {
            p: self.broadcast(simulation.get(name, p)).copy() for p in self.dynamics.defaults
        }
        for drive in simulation.network.inputs.values():
            if drive.target.population == name and isinstance(drive.input, ss.Current):
                self.values[self.model.current][drive.target.neurons] += drive.input.amplitude
        self.values |= {"dt": self.dt, "t": 0.0}
        self.closest = np.inf
        refractory = self.dynamics.refractory
        self.waits_while = refractory if refractory and is_condition(refractory) else None
        self.left = np.zeros(self.size, int)  # steps of refractoriness still to come
        self.refractory_steps = np.zeros(self.size, int)
        if self.waits_while:
            self.refractory_steps += 1  # then the condition is asked
        elif refractory:
            self.refractory_steps = self.broadcast(rounded(self.value(refractory, {}), self.dt))
        self.exact = self.model.method in ("", "exact")
        if self.exact:
            self.propagator = self.exponential(np.ones(self.size, bool))
            self.propagator_held = self.exponential(np.zeros(self.size, bool))

    def broadcast(self, value: object) -> np.ndarray:
        return np.broadcast_to(np.asarray(value), self.size)

    def value(self, node: ast.expr, names: dict) -> np.ndarray | float:
        """Of an expression, and how close it is to jumping."""
        names = {**self.values, "not_refractory": self.left == 0, **names}
        for part in ast.walk(node):
            match part:
                case ast.Compare(left, _, [right]):
                    gap = evaluate(left, names) - evaluate(right, names)
                case ast.BinOp(_, ast.Mod(), right):
                    rest, whole = evaluate(part, names), evaluate(right, names)
                    gap = np.minimum(abs(rest), abs(whole - rest))
                case _:
                    continue
            self.closest = min(self.closest, float(np.min(np.abs(gap))))
        return evaluate(node, names)

    def derivative(self, v: str, names: dict, active: np.ndarray) -> np.ndarray:
        """dv/dt; a variable that is held stands still."""
        return self.held(v, self.value(self.dynamics.derivatives[v], names), active)

    def held(self, v: str, slope: np.ndarray | float, active: np.ndarray) -> np.ndarray:
        """The slope of v, but for neurons in which it is held."""
        return np.where(active, slope, 0.0) if v in self.dynamics.held else self.broadcast(slope)

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
                new = self.value(statement.value, {**x, **slopes})
                x[v] = np.where(active, new, x[v]) if v in self.dynamics.held else new
            return {v: x[v] for v in self.variables}

        def f(state: dict, share: float) -> dict:
            names = {**arriving, **state, "t": self.values["t"] + share * dt}
            return {v: self.derivative(v, names, active) for v in self.variables}

        def moved(slopes: dict, share: float) -> dict:
            return {v: self.state[v] + share * dt * slopes[v] for v in self.variables}

        k1 = f(self.state, 0.0)
        match self.model.method:
            case "euler":
                return moved(k1, 1.0)
            case "rk2":
                return moved(f(moved(k1, 0.5), 0.5), 1.0)
            case "rk4":
                k2 = f(moved(k1, 0.5), 0.5)
                k3 = f(moved(k2, 0.5), 0.5)
                k4 = f(moved(k3, 1.0), 1.0)
                sums = {v: (k1[v] + 2 * k2[v] + 2 * k3[v] + k4[v]) / 6 for v in self.variables}
                return moved(sums, 1.0)
            case "exponential_euler":
                at_start = self.dynamics.derivatives
                return {v: self.grown(v, at_start[v], x, 1.0, active) for v in self.variables}
            case "exponential_midpoint":
                frozen = {v: _frozen(node, v) for v, node in self.dynamics.derivatives.items()}
                middle = {v: self.grown(v, frozen[v], x, 0.5, active) for v in self.variables}
                middle |= {**arriving, "t": self.values["t"] + 0.5 * dt}
                return {v: self.grown(v, frozen[v], middle, 1.0, active) for v in self.variables}
        raise AssertionError(self.model.method)

    def grown(
        self, v: str, node: ast.expr, at: dict, share: float, active: np.ndarray
    ) -> np.ndarray:
        """v after a share of a step of dv/dt = a v + b (b alone, if not linear), both as ``at``."""
        h, at = share * self.dt, {**at, f"{v}_": at[v]}
        if affine(node, [v]) is None:
            a, b = 0.0, self.held(v, self.value(node, at), active)
        else:
            b = self.held(v, self.value(node, {**at, v: 0.0}), active)
            a = self.held(v, self.value(node, {**at, v: 1.0}), active) - b
        return self.state[v] + h * (a * self.state[v] + b) * FUNCTIONS["exprel"](a * h)

    def step(self, n: int, weights: np.ndarray) -> np.ndarray:
        """Step ``n``, in which ``weights`` [receptor, neuron] arrive; which neurons spiked."""
        self.values["t"] = n * self.dt
        if self.waits_while:
            self.left = np.where(self.value(self.waits_while, self.state), self.left, 0)
        active = self.left == 0
        arriving = {f"w_{r}": w for r, w in zip(self.receptors, weights, strict=True)}
        self.state = {v: self.broadcast(x) for v, x in self.advance(arriving, active).items()}
        self.values["t"] = (n + 1) * self.dt
        for statements in self.dynamics.arrivals.values():
            self.assign(statements, arriving, active, hold=True)
        threshold = self.value(self.dynamics.threshold, self.state)
        spiked = self.broadcast(threshold) & active
        self.assign(self.dynamics.reset, {}, spiked, hold=False)
        passed = 0 if self.waits_while else 1
        self.left = np.where(spiked, self.refractory_steps, np.maximum(self.left - passed, 0))
        return np.flatnonzero(spiked)

    def assign(self, statements: list, arriving: dict, where: np.ndarray, hold: bool) -> None:
        """Carry out statements: in all neurons but for held variables, or only ``where``."""
        for statement in statements:
            v = statement.variable
            new = self.value(statement.value, {**self.state, **arriving})
            if not hold or v in self.dynamics.held:
                new = np.where(where, new, self.state[v])
            self.state = {**self.state, v: self.broadcast(new)}


def _frozen(node: ast.expr, v: str) -> ast.expr:
    """The expression with v called ``v_`` in what functions are given."""
    match node:
        case ast.Call():
            return substitute(node, {v: ast.Name(f"{v}_")})
        case ast.BinOp(left, op, right):
            return ast.BinOp(_frozen(left, v), op, _frozen(right, v))
        case ast.UnaryOp(op, operand):
            return ast.UnaryOp(op, _frozen(operand, v))
        case ast.IfExp(test, body, orelse):
            return ast.IfExp(*(_frozen(part, v) for part in (test, body, orelse)))
        case ast.Compare(left, ops, [right]):
            return ast.Compare(_frozen(left, v), ops, [_frozen(right, v)])
        case ast.BoolOp(op, parts):
            return ast.BoolOp(op, [_frozen(part, v) for part in parts])
    return node


def run_twin(simulation: ss.Simulation, duration: float, nudge: float = 0.0) -> Outcome:
    """Run what ``simulation``, which must not have run yet, would run for ``duration`` ms.

    Start values are moved by ``nudge``, relative and absolute.
    """
    assert simulation.time == 0
    dt, network = simulation.build.dt, simulation.network
    steps = rounded(duration, dt)
    twins = {name: _Twin(simulation, name, nudge) for name in network.populations}
    arriving = {
        name: np.zeros((steps, len(twin.receptors), twin.size)) for name, twin in twins.items()
    }
    for drive in network.inputs.values():
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
        elif isinstance(drive.input, ss.Sampled):
            receptor = twins[drive.target.population].receptors.index(drive.receptor)
            bins, length = len(drive.input.values), rounded(drive.input.every, dt)
            for step in range(steps):
                k = step // length
                k = k % bins if drive.input.repeat else min(k, bins - 1)
                sums = arriving[drive.target.population][step, receptor]
                sums[drive.target.neurons] += drive.input.values[k]
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
        fired = {name: twin.step(n, arriving[name][n]) for name, twin in twins.items()}
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
        min(twin.closest for twin in twins.values()),
    )


def assert_twins(simulation: ss.Simulation, duration: float, tolerance: float = 1e-9) -> int:
    """Run both; same spikes, same variables to a relative ``tolerance``. Returns the spikes."""
    twin = run_twin(simulation, duration)
    simulation.run(duration)
    return assert_same(simulation, twin, tolerance)


def assert_same(simulation: ss.Simulation, twin: Outcome, tolerance: float = 1e-9) -> int:
    """A simulation that ran as long as its twin did what the twin did. Returns the spikes."""
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
