"""Surrogates: slopes that stand for that of a spike, the step function, in the backward pass."""

import math
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_number
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True)
class FastSigmoid:
    """psi(u) = 1 / (1 + beta |u|)^2.

    References
    ----------
    Zenke F, Ganguli S (2018). SuperSpike: supervised learning in multilayer spiking neural
    networks. Neural Comput 30:1514.
    """

    beta: float = 10.0

    def __post_init__(self) -> None:
        check_number(f"{type(self).__name__}: beta", self.beta, above=0)

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.abs(u, out=out)
        out *= self.beta
        out += 1
        np.multiply(out, out, out=out)
        np.reciprocal(out, out=out)


@named_options()
@dataclass(frozen=True)
class Triangle:
    """psi(u) = height max(0, 1 - |u| / width).

    A height below 1 damps errors that pass many spikes on their way back.

    References
    ----------
    Bellec G, Salaj D, Subramoney A, Legenstein R, Maass W (2018). Long short-term memory and
    learning-to-learn in networks of spiking neurons. NeurIPS 31.
    """

    height: float = 0.3
    width: float = 1.0

    def __post_init__(self) -> None:
        check_number(f"{type(self).__name__}: height", self.height, above=0)
        check_number(f"{type(self).__name__}: width", self.width, above=0)

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.abs(u, out=out)
        out *= -self.height / self.width
        out += self.height
        np.maximum(out, 0, out=out)


@named_options()
@dataclass(frozen=True)
class Gaussian:
    """psi(u), the density of a normal distribution of mean 0 and this standard deviation.

    References
    ----------
    Yin B, Corradi F, Bohte SM (2021). Accurate and efficient time-domain classification with
    adaptive spiking recurrent neural networks. Nat Mach Intell 3:905.
    """

    sigma: float = 0.5

    def __post_init__(self) -> None:
        check_number(f"{type(self).__name__}: sigma", self.sigma, above=0)

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.multiply(u, u, out=out)
        out *= -0.5 / self.sigma**2
        np.exp(out, out=out)
        out *= 1 / (math.sqrt(2 * math.pi) * self.sigma)


Surrogate = FastSigmoid | Triangle | Gaussian
