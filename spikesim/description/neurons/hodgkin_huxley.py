"""Hodgkin and Huxley's squid axon."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in
from spikesim.description.receptors import Receptor


@built_in(
    equations="""
        x_m = (v + 40) / 10
        x_n = (v + 55) / 10
        alpha_m = 1 / exprel(-x_m)
        alpha_n = 0.1 / exprel(-x_n)
        alpha_h = 0.07 * exp(-(v + 65) / 20)
        beta_m = 4 * exp(-(v + 65) / 18)
        beta_n = 0.125 * exp(-(v + 65) / 80)
        beta_h = 1 / (1 + exp(-(v + 35) / 10))
        i_na = g_na * m**3 * h * (e_na - v) : pA
        i_k = g_k * n**4 * (e_k - v) : pA
        dv/dt = (i_na + i_k + g_l * (e_l - v) + i_syn + i_offset) / c_m : mV
        dm/dt = alpha_m * (1 - m) - beta_m * m
        dh/dt = alpha_h * (1 - h) - beta_h * h
        dn/dt = alpha_n * (1 - n) - beta_n * n""",
    threshold="v >= v_th",
    reset="",
    refractory="v >= v_th",
    initial={"v": -65.0, "m": 0.0529324853, "h": 0.5961207535, "n": 0.3176769141},
    method="exponential_midpoint",
    current="i_offset",
)
def HodgkinHuxley(
    *,
    c_m: Value = "100 pF",
    g_na: Value = "12000 nS",
    g_k: Value = "3600 nS",
    g_l: Value = "30 nS",
    e_na: Value = "50 mV",
    e_k: Value = "-77 mV",
    e_l: Value = "-54.387 mV",
    v_th: Value = "0 mV",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Hodgkin and Huxley's squid axon at 6.3 degrees, at rest at -65 mV.

    c_m dv/dt = g_na m^3 h (e_na - v) + g_k n^4 (e_k - v) + g_l (e_l - v) + i_syn + i_offset, and
    dx/dt = alpha_x (1 - x) - beta_x x for x = m, h, n, with the rates (1/ms)

    ======= ================================================  ========================
    x       alpha_x                                           beta_x
    ======= ================================================  ========================
    m       0.1 (v + 40) / (1 - exp(-(v + 40) / 10))          4 exp(-(v + 65) / 18)
    h       0.07 exp(-(v + 65) / 20)                          1 / (1 + exp(-(v + 35) / 10))
    n       0.01 (v + 55) / (1 - exp(-(v + 55) / 10))         0.125 exp(-(v + 65) / 80)
    ======= ================================================  ========================

    A spike is where v comes to be >= v_th; the equations go on.

    Integrated by the exponential midpoint method, which is stable at every step. At a current of
    1 nA the intervals are right to 0.9 % at dt = 0.1 ms and 0.01 % at 0.01 ms. "exponential_euler"
    is as stable, but its intervals are 5 % and 0.5 % too long. By "rk4" they are right to 0.002 %
    at dt = 0.05 ms, but at 0.1 ms it is not stable.

    Parameters
    ----------
    c_m : pF
        With the conductances, 1 uF per square centimetre of 10^-4 cm^2.
    g_na, g_k, g_l : nS
    e_na, e_k, e_l, v_th : mV
    i_offset : pA
        Constant current; 100 pA are 1 uA per square centimetre.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "exponential_midpoint".

    References
    ----------
    Hodgkin AL, Huxley AF (1952). A quantitative description of membrane current and its application
    to conduction and excitation in nerve. J Physiol 117:500.
    """
