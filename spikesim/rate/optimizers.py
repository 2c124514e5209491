"""What turns gradients into new parameters: Adam, and gradient descent with momentum.

Settings are frozen objects and what an optimizer remembers is a dict of arrays, ``state``, so
that a training can be stored and goes on as if nothing had been. An update makes no arrays: the
gradients serve as its scratch paper and hold nothing useful afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_number
from spikesim.moved import renamed
from spikesim.names import named_options

Arrays = Mapping[str, np.ndarray]


def global_norm(gradients: Arrays) -> float:
    """Euclidean norm of all gradients taken as one vector; not finite if any entry is not."""
    return math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))


def clip_norm(gradients: Arrays, limit: float) -> float:
    """Scale all gradients, in place, so that their global norm is at most ``limit``.

    Returns
    -------
    float
        The norm before.

    References
    ----------
    .. [1] Pascanu R, Mikolov T, Bengio Y (2013) On the difficulty of training recurrent neural
       networks. ICML, PMLR 28:1310-1318.
    """
    norm = global_norm(gradients)
    if norm > limit:
        for gradient in gradients.values():
            gradient *= limit / norm
    return norm


@renamed(rate="learning_rate")
@named_options(lr="learning_rate")
@dataclass(frozen=True)
class Adam:
    """Steps of a size that hardly depends on that of the gradient g [1]_.

    Parameters
    ----------
    learning_rate : float
        Above 0; about the largest change of a parameter in one update.
    beta1, beta2 : float
        At least 0 and below 1: how much of the means of g and g^2 an update keeps.
    epsilon : float
        Above 0; keeps the steps finite where g has always been 0.

    Notes
    -----
    In update t::

        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        p <- p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    References
    ----------
    .. [1] Kingma DP, Ba J (2015) Adam: a method for stochastic optimization. ICLR.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_number("Adam: learning_rate", self.learning_rate, above=0)
        check_number("Adam: beta1", self.beta1, least=0, below=1)
        check_number("Adam: beta2", self.beta2, least=0, below=1)
        check_number("Adam: epsilon", self.epsilon, above=0)

    def start(self, parameters: Arrays) -> dict[str, np.ndarray]:
        """What is remembered before the first update."""
        return {
            "updates": np.zeros((), np.int64),
            **_zeros("m", parameters),
            **_zeros("v", parameters),
        }

    def update(
        self, state: Arrays, parameters: Arrays, gradients: Arrays, frozen: Collection[str] = ()
    ) -> None:
        """Change the parameters, but for the frozen ones, in place; the gradients are used up."""
        state["updates"][...] += 1
        t = int(state["updates"])
        for name, p in parameters.items():
            if name in frozen:
                continue
            g, m, v = gradients[name], state[f"m.{name}"], state[f"v.{name}"]
            g *= 1 - self.beta1
            m *= self.beta1
            m += g
            g *= g
            g *= (1 - self.beta2) / (1 - self.beta1) ** 2
            v *= self.beta2
            v += g
            np.sqrt(v, out=g)
            g /= math.sqrt(1 - self.beta2**t)
            g += self.epsilon
            np.divide(m, g, out=g)
            g *= self.learning_rate / (1 - self.beta1**t)
            p -= g


@renamed(rate="learning_rate")
@named_options(lr="learning_rate")
@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum [1]_: v <- momentum v + g, p <- p - learning_rate v.

    Parameters
    ----------
    learning_rate : float
        Above 0.
    momentum : float
        At least 0 and below 1.

    References
    ----------
    .. [1] Rumelhart DE, Hinton GE, Williams RJ (1986) Learning representations by
       back-propagating errors. Nature 323:533-536.
    """

    learning_rate: float = 1e-2
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_number("SGD: learning_rate", self.learning_rate, above=0)
        check_number("SGD: momentum", self.momentum, least=0, below=1)

    def start(self, parameters: Arrays) -> dict[str, np.ndarray]:
        """What is remembered before the first update."""
        return _zeros("v", parameters)

    def update(
        self, state: Arrays, parameters: Arrays, gradients: Arrays, frozen: Collection[str] = ()
    ) -> None:
        """Change the parameters, but for the frozen ones, in place; the gradients are used up."""
        for name, p in parameters.items():
            if name in frozen:
                continue
            g, v = gradients[name], state[f"v.{name}"]
            v *= self.momentum
            v += g
            np.multiply(v, self.learning_rate, out=g)
            p -= g


def _zeros(kind: str, parameters: Arrays) -> dict[str, np.ndarray]:
    return {f"{kind}.{name}": np.zeros_like(p) for name, p in parameters.items()}
