"""Steps of cells, one at a time, by the very passes that are trained."""

from __future__ import annotations

import numpy as np

from spikesim.moved import renamed
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.workspace import Workspace


@renamed(start="initial_parameters")
class StepByStep:
    """`initial_state`, `forward`, `step` and `jacobian` of a cell, of what it says of a pass.

    Nothing is constrained, unless the cell says so.

    A cell has

    - ``_before(parameters)``, the state before the first step, for each name (units,);
    - ``_run(parameters, x, state, dt, rng, workspace)``, the rates of all steps of x
      (time, trials, inputs) from a state, each (units,) or (trials, units);
    - ``_after(state, dt, workspace)``, the state (trials, units) after a run of one step, which
      began with ``state``;
    - ``_derivative(parameters, state, dt, workspace)``, that of the state after this step by the
      state before it, (trials, n, n).
    """

    def constrain(self, parameters: Arrays, dt: float) -> None:
        """Nothing: any values are allowed."""

    def initial_state(self, parameters: Arrays, trials: int) -> Arrays:
        """The state before the first step, for each name of `states` (trials, units)."""
        return {name: np.tile(a, (trials, 1)) for name, a in self._before(parameters).items()}

    def forward(
        self,
        parameters: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Rates (time, trials, units) to inputs (time, trials, inputs)."""
        return self._run(parameters, x, self._before(parameters), dt, rng, workspace)

    def step(
        self, parameters: Arrays, x: np.ndarray, state: Arrays, dt: float
    ) -> tuple[Arrays, np.ndarray]:
        """State and rates after one step without noise."""
        x, state, batch = self._by_trial(parameters, x, state)
        workspace = Workspace(x.dtype)
        output = self._run(parameters, x, state, dt, None, workspace)[0]
        after = self._after(state, dt, workspace)
        return (
            {name: array.reshape(*batch, array.shape[1]) for name, array in after.items()},
            output.reshape(*batch, self.units),
        )

    def jacobian(self, parameters: Arrays, x: np.ndarray, state: Arrays, dt: float) -> np.ndarray:
        """Derivative of the state after a step by that before it."""
        x, state, batch = self._by_trial(parameters, x, state)
        workspace = Workspace(x.dtype)
        self._run(parameters, x, state, dt, None, workspace)
        found = self._derivative(parameters, state, dt, workspace)
        return found.reshape(*batch, *found.shape[1:])

    def _by_trial(
        self, parameters: Arrays, x: np.ndarray, state: Arrays
    ) -> tuple[np.ndarray, Arrays, tuple[int, ...]]:
        """Inputs (1, trials, inputs) and states (trials, units), and what trials stand for."""
        dtype = next(iter(parameters.values())).dtype
        given = {name: np.shape(array)[-1:] for name, array in state.items()}
        if given != self.states:
            raise ValueError(
                f"{type(self).__name__}: state has {_told(given)}; it must have "
                f"{_told(self.states)}, after the axes of trials."
            )
        batch = np.broadcast_shapes(*(np.shape(a)[:-1] for a in (x, *state.values())))

        def flat(array: np.ndarray) -> np.ndarray:
            array = np.asarray(array, dtype)
            size = array.shape[-1]
            return np.broadcast_to(array, (*batch, size)).reshape(-1, size)

        x = np.ascontiguousarray(flat(x)[None])
        return x, {name: flat(state[name]) for name in self.states}, batch


class Timeless(StepByStep):
    """A cell without a state: what its units do at a step depends on the inputs then alone."""

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """None."""
        return {}

    def _before(self, parameters: Arrays) -> Arrays:
        return {}

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        return {}

    def jacobian(self, parameters: Arrays, x: np.ndarray, state: Arrays, dt: float) -> np.ndarray:
        """Empty: there is no state."""
        x, _, batch = self._by_trial(parameters, x, state)
        return np.zeros((*batch, 0, 0), x.dtype)


def _told(states: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} of shape {shape}" for name, shape in states.items()) or "nothing"


def on_diagonal(values: np.ndarray) -> np.ndarray:
    """Square matrices (trials, units, units) that have these values (trials, units) there."""
    return values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
