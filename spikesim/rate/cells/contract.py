"""What a network, training and analyses ask of a cell."""

from typing import Protocol

import numpy as np

from spikesim.rate.workspace import Workspace

Arrays = dict[str, np.ndarray]


class Cell(Protocol):
    """Units that turn inputs into rates, step by step.

    A cell is a frozen object of settings. What is learned are its ``parameters``, arrays by name,
    which are handed to every method; so is ``dt``, the step in ms. Arrays of a pass are
    (time, trials, units), weights are (to, from), and the type of the parameters is that of
    everything.

    All that the future of the units depends on is their ``state``, arrays by name. `forward` runs
    a trial from the state that the parameters begin with; `step` is the same equations, one step
    from any state.
    """

    @property
    def units(self) -> int:
        """Number of units, which is that of the rates."""

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """Names of what the state consists of, and the shape of each for one trial."""

    def check(self, inputs: int, dt: float) -> None:
        """Refuse settings that fit neither the number of inputs nor dt, before anything is made.

        Raises
        ------
        ValueError
            In a sentence that names class, setting, value and what is allowed.
        """

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        """Values of the parameters before training, in double precision."""

    def initial_state(self, parameters: Arrays, trials: int) -> Arrays:
        """The state before the first step: for each name of `states` (trials, units)."""

    def forward(
        self,
        parameters: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Rates of all steps.

        Parameters
        ----------
        parameters : dict of str to array
        x : array (time, trials, inputs)
            Contiguous, and of the type of the parameters.
        dt : float
            ms.
        rng : Generator, optional
            Of the noise; without it there is none.
        workspace : Workspace
            Where the pass keeps what `backward` needs; the same one for every pass of a cell, so
            that a second pass makes no arrays.

        Returns
        -------
        array (time, trials, units)
            Of the workspace, and written over by the next pass.
        """

    def backward(
        self,
        parameters: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        gradients: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        """Derivatives of a loss, after `forward` with the same parameters, inputs and workspace.

        Parameters
        ----------
        dy : array (time, trials, units)
            Derivative of the loss by the rates; may be written over.
        gradients : dict of str to array
            By the names of the parameters; the derivatives are added.
        dx : array (time, trials, inputs), optional
            Takes the derivative by the inputs.
        """

    def constrain(self, parameters: Arrays, dt: float) -> None:
        """Put back, in place, what an update may have broken."""

    def step(
        self, parameters: Arrays, x: np.ndarray, state: Arrays, dt: float
    ) -> tuple[Arrays, np.ndarray]:
        """One step without noise.

        Parameters
        ----------
        parameters : dict of str to array
        x : array (..., inputs)
        state : dict of str to array (..., units)
            By the names of `states`. Whatever stands before the last axis, such as trials, is
            broadcast between inputs and states.
        dt : float
            ms.

        Returns
        -------
        state : dict of str to array (..., units)
            After the step.
        output : array (..., units)
            The rates.

        Raises
        ------
        ValueError
            If the state has other names or shapes than `states`.
        """

    def jacobian(self, parameters: Arrays, x: np.ndarray, state: Arrays, dt: float) -> np.ndarray:
        """Derivative of the state after a step by that before it.

        Arguments and errors as of `step`.

        Returns
        -------
        array (..., n, n)
            (after, before); n counts the numbers of all states, in the order of `states`. Where a
            spike is the step function of something, its slope is the cell's surrogate, whatever
            is detached in training; how long a unit stays refractory is taken as given, so that
            rows and columns of that count are 0.
        """
