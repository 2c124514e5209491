"""Exponential integrate-and-fire neurons, without and with adaptation."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.dynamics import Upswing
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in
from spikesim.description.receptors import Receptor

# Upswings in which 1 / dv/dt falls to 0 as v runs away.
EXPONENTIAL = Upswing(
    to="exp((v_t - v) / delta_t)",
    back="v_t - delta_t * log(x)",
    slope="-x / delta_t",
    stride="max(x, 1) / 2",
    above="v_t",
    steep="delta_t",
)


@built_in(
    equations="""
        i_spike = g_l * delta_t * exp((min(v, v_peak) - v_t) / delta_t) : pA
        dv/dt = (g_l * (e_l - v) + i_spike + i_syn + i_offset) / c_m : mV""",
    threshold="v >= v_peak",
    reset="v = v_reset",
    refractory="t_ref",
    hold=("v",),
    initial={"v": "e_l"},
    upswing=EXPONENTIAL,
    method="rk4",
    current="i_offset",
)
def EIF(
    *,
    c_m: Value = "100 pF",
    g_l: Value = "10 nS",
    e_l: Value = "-65 mV",
    v_t: Value = "-59.9 mV",
    delta_t: Value = "3.48 mV",
    v_reset: Value = "-68 mV",
    v_peak: Value = "0 mV",
    t_ref: Value = "1.7 ms",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Exponential integrate-and-fire neuron.

    c_m dv/dt = g_l (e_l - v) + g_l delta_t exp((v - v_t) / delta_t) + i_syn + i_offset; a spike
    where v >= v_peak sets v to v_reset and holds it there for t_ref.

    Integrated by rk4, and through spikes as `AdEx`; after t_ref v goes on at the same share of a
    step. At dt = 0.1 ms and a current of 150 pA v is right to 0.001 mV after 24 spikes.

    Parameters
    ----------
    c_m : pF
        With g_l, 1 uF and 0.1 mS per square centimetre of 10^-4 cm^2.
    g_l : nS
    e_l, v_t, v_reset, v_peak : mV
        Resting potential, threshold, reset, and where the upswing is cut off.
    delta_t : mV
        Sharpness of the threshold.
    t_ref : ms
    i_offset : pA
        Constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk4".

    References
    ----------
    Fourcaud-Trocme N, Hansel D, van Vreeswijk C, Brunel N (2003). How spike generation mechanisms
    determine the neuronal response to fluctuating inputs. J Neurosci 23:11628.
    """


@built_in(
    equations="""
        top = min(v, v_peak) : mV
        i_spike = g_l * delta_t * exp((top - v_t) / delta_t) : pA
        dv/dt = (g_l * (e_l - v) + i_spike - w + i_syn + i_offset) / c_m : mV
        dw/dt = (a * (top - e_l) - w) / tau_w : pA""",
    threshold="v >= v_peak",
    reset="v = v_reset; w += b",
    refractory="t_ref",
    hold=("v",),
    initial={"v": "e_l"},
    upswing=EXPONENTIAL,
    method="rk4",
    current="i_offset",
)
def AdEx(
    *,
    c_m: Value = "281 pF",
    g_l: Value = "30 nS",
    e_l: Value = "-70.6 mV",
    v_t: Value = "-50.4 mV",
    delta_t: Value = "2 mV",
    tau_w: Value = "144 ms",
    a: Value = "4 nS",
    b: Value = "80.5 pA",
    v_reset: Value = "-70.6 mV",
    v_peak: Value = "0 mV",
    t_ref: Value = "0 ms",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Adaptive exponential integrate-and-fire neuron.

    c_m dv/dt = g_l (e_l - v) + g_l delta_t exp((v - v_t) / delta_t) - w + i_syn + i_offset,
    tau_w dw/dt = a (v - e_l) - w; a spike where v >= v_peak sets v to v_reset, holds it there for
    t_ref, and adds b to w.

    Integrated by rk4. Near a spike steps are taken in a coordinate in which the upswing is smooth;
    where it passes v_peak within a step the neuron is reset and goes on, so that intervals are not
    biased by the step, though spikes are stamped with its end. At dt = 0.1 ms and a current of
    1.5 nA v is right to 0.001 mV after 22 spikes; the error that a spike adds falls with dt^2, that
    of the steps between with dt^4.

    Parameters
    ----------
    c_m : pF
    g_l, a : nS
        Leak, and coupling of the adaptation to the potential.
    e_l, v_t, v_reset, v_peak : mV
        Resting potential, threshold, reset, and where the upswing is cut off.
    delta_t : mV
        Sharpness of the threshold.
    tau_w, t_ref : ms
    b, i_offset : pA
        Adaptation at a spike; constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk4".

    References
    ----------
    Brette R, Gerstner W (2005). Adaptive exponential integrate-and-fire model as an effective
    description of neuronal activity. J Neurophysiol 94:3637.
    """
