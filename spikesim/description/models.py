"""The built-in neuron models, written as a user would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikesim.description.distributions import Value
from spikesim.description.dynamics import Upswing
from spikesim.description.neuron import NeuronModel
from spikesim.description.plausibility import warn_of_si
from spikesim.description.receptors import Exponential, Pulse, Receptor
from spikesim.names import named_options

# Upswings in which 1 / dv/dt falls to 0 as v runs away.
EXPONENTIAL = Upswing(
    to="exp((v_t - v) / delta_t)",
    back="v_t - delta_t * log(x)",
    slope="-x / delta_t",
    stride="max(x, 1) / 2",
    above="v_t",
    steep="delta_t",
)


def _quadratic(rest: str, unstable: str) -> Upswing:
    """Of models in which dv/dt grows as the square of v: linear below rest, 1 / v far above."""
    y = f"((2 * v - {rest} - {unstable}) / (abs({unstable} - {rest}) + 1))"
    return Upswing(
        to=f"sqrt(1 + {y}**2) - {y}",
        back=f"({rest} + {unstable} + (abs({unstable} - {rest}) + 1) * (1 / x - x) / 2) / 2",
        slope=f"-4 * x**2 / (1 + x**2) / (abs({unstable} - {rest}) + 1)",
        stride="1 / 4",
        above=f"max({rest}, {unstable})",
        steep=f"(abs({unstable} - {rest}) + 1) / 4",
    )


@named_options()
def LIF(
    *,
    tau_m: Value = 20.0,
    c_m: Value = 200.0,
    e_l: Value = -65.0,
    v_th: Value = -50.0,
    v_reset: Value = -65.0,
    t_ref: Value = 2.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Leaky integrate-and-fire neuron.

    dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m; a spike where v >= v_th sets v to v_reset
    and holds it there for t_ref.

    With current-based receptors (`Delta`, `Exponential`, `Alpha`, `DoubleExponential`) it is
    integrated exactly (Rotter & Diesmann 1999); with `Conductance` receptors by the exponential
    Euler method, than which ``method="exponential_midpoint"`` is more accurate.

    Parameters
    ----------
    tau_m, t_ref : ms
    c_m : pF
    e_l, v_th, v_reset : mV
        Resting, threshold and reset potential.
    i_offset : pA
        Constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel`, "exact" with currents alone. Default: "exact", with `Conductance`
        receptors "exponential_euler"; "exponential_midpoint" is then the more accurate.
    """
    receptors = _currents() if receptors is None else receptors
    return _model(
        name="LIF",
        equations="dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m : mV",
        threshold="v >= v_th",
        reset="v = v_reset",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "tau_m": "20 ms",
            "c_m": "200 pF",
            "e_l": "-65 mV",
            "v_th": "-50 mV",
            "v_reset": "-65 mV",
            "t_ref": "2 ms",
            "i_offset": "0 pA",
        },
        receptors=receptors,
        initial={"v": "e_l"},
        method=method or _linear_method(receptors),
        current="i_offset",
        values=dict(
            tau_m=tau_m,
            c_m=c_m,
            e_l=e_l,
            v_th=v_th,
            v_reset=v_reset,
            t_ref=t_ref,
            i_offset=i_offset,
        ),
    )


@named_options()
def Izhikevich(
    *,
    a: Value = 0.02,
    b: Value = 0.2,
    c: Value = -65.0,
    d: Value = 8.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Izhikevich's simple model (2003), with the scheme of its publication.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + i_syn + i_offset, du/dt = a (b v - u); a spike where v >= 30
    sets v to c and adds d to u. In each step v takes two half steps, then u one with the new v;
    the published results are at dt = 1 ms.

    Parameters
    ----------
    a, b, d : dimensionless
    c : mV
    i_offset : dimensionless
        Constant input, in the model's unit (mV/ms).
    receptors : mapping of name to receptor
        Default: "pulse", a current of one step.
    method : str
        Any of `NeuronModel` but "exact". Default: the scheme above.

    References
    ----------
    Izhikevich EM (2003). Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569.
    """
    return _model(
        name="Izhikevich",
        equations="""
            dv/dt = 0.04 * v**2 + 5 * v + 140 - u + i_syn + i_offset : mV
            du/dt = a * (b * v - u)""",
        threshold="v >= 30",
        reset="v = c; u += d",
        parameters={"a": "0.02", "b": "0.2", "c": "-65 mV", "d": "8", "i_offset": "0"},
        receptors={"pulse": Pulse("")} if receptors is None else receptors,
        initial={"v": "c", "u": "b * c"},
        method=method or "v += dt / 2 * dv; v += dt / 2 * dv; u += dt * du",
        current="i_offset",
        values=dict(a=a, b=b, c=c, d=d, i_offset=i_offset),
    )


@named_options()
def AdEx(
    *,
    c_m: Value = 281.0,
    g_l: Value = 30.0,
    e_l: Value = -70.6,
    v_t: Value = -50.4,
    delta_t: Value = 2.0,
    tau_w: Value = 144.0,
    a: Value = 4.0,
    b: Value = 80.5,
    v_reset: Value = -70.6,
    v_peak: Value = 0.0,
    t_ref: Value = 0.0,
    i_offset: Value = 0.0,
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
    return _model(
        name="AdEx",
        equations="""
            top = min(v, v_peak) : mV
            i_spike = g_l * delta_t * exp((top - v_t) / delta_t) : pA
            dv/dt = (g_l * (e_l - v) + i_spike - w + i_syn + i_offset) / c_m : mV
            dw/dt = (a * (top - e_l) - w) / tau_w : pA""",
        threshold="v >= v_peak",
        reset="v = v_reset; w += b",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "c_m": "281 pF",
            "g_l": "30 nS",
            "e_l": "-70.6 mV",
            "v_t": "-50.4 mV",
            "delta_t": "2 mV",
            "tau_w": "144 ms",
            "a": "4 nS",
            "b": "80.5 pA",
            "v_reset": "-70.6 mV",
            "v_peak": "0 mV",
            "t_ref": "0 ms",
            "i_offset": "0 pA",
        },
        receptors=_currents() if receptors is None else receptors,
        initial={"v": "e_l"},
        method=method or "rk4",
        upswing=EXPONENTIAL,
        current="i_offset",
        values=dict(
            c_m=c_m,
            g_l=g_l,
            e_l=e_l,
            v_t=v_t,
            delta_t=delta_t,
            tau_w=tau_w,
            a=a,
            b=b,
            v_reset=v_reset,
            v_peak=v_peak,
            t_ref=t_ref,
            i_offset=i_offset,
        ),
    )


@named_options()
def EIF(
    *,
    c_m: Value = 100.0,
    g_l: Value = 10.0,
    e_l: Value = -65.0,
    v_t: Value = -59.9,
    delta_t: Value = 3.48,
    v_reset: Value = -68.0,
    v_peak: Value = 0.0,
    t_ref: Value = 1.7,
    i_offset: Value = 0.0,
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
    return _model(
        name="EIF",
        equations="""
            i_spike = g_l * delta_t * exp((min(v, v_peak) - v_t) / delta_t) : pA
            dv/dt = (g_l * (e_l - v) + i_spike + i_syn + i_offset) / c_m : mV""",
        threshold="v >= v_peak",
        reset="v = v_reset",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "c_m": "100 pF",
            "g_l": "10 nS",
            "e_l": "-65 mV",
            "v_t": "-59.9 mV",
            "delta_t": "3.48 mV",
            "v_reset": "-68 mV",
            "v_peak": "0 mV",
            "t_ref": "1.7 ms",
            "i_offset": "0 pA",
        },
        receptors=_currents() if receptors is None else receptors,
        initial={"v": "e_l"},
        method=method or "rk4",
        upswing=EXPONENTIAL,
        current="i_offset",
        values=dict(
            c_m=c_m,
            g_l=g_l,
            e_l=e_l,
            v_t=v_t,
            delta_t=delta_t,
            v_reset=v_reset,
            v_peak=v_peak,
            t_ref=t_ref,
            i_offset=i_offset,
        ),
    )


@named_options()
def QIF(
    *,
    tau_m: Value = 10.0,
    c_m: Value = 200.0,
    e_l: Value = -65.0,
    v_t: Value = -50.0,
    v_reset: Value = -80.0,
    v_peak: Value = 20.0,
    t_ref: Value = 0.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Quadratic integrate-and-fire neuron.

    dv/dt = (v - e_l) (v - v_t) / (tau_m (v_t - e_l)) + (i_syn + i_offset) / c_m; a spike where
    v >= v_peak sets v to v_reset and holds it there for t_ref.

    Integrated by rk2, and through spikes within a step, as `AdEx`.

    Parameters
    ----------
    tau_m, t_ref : ms
        Time constant at rest; refractory time.
    c_m : pF
    e_l, v_t, v_reset, v_peak : mV
        Resting potential, the unstable point above it, reset, and where the upswing is cut off.
    i_offset : pA
        Constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk2".

    References
    ----------
    Latham PE, Richmond BJ, Nelson PG, Nirenberg S (2000). Intrinsic dynamics in neuronal networks.
    I. Theory. J Neurophysiol 83:808.
    """
    return _model(
        name="QIF",
        equations="""
            upswing = (v - e_l) * (v - v_t) / (tau_m * (v_t - e_l))
            dv/dt = upswing + (i_syn + i_offset) / c_m : mV""",
        threshold="v >= v_peak",
        reset="v = v_reset",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "tau_m": "10 ms",
            "c_m": "200 pF",
            "e_l": "-65 mV",
            "v_t": "-50 mV",
            "v_reset": "-80 mV",
            "v_peak": "20 mV",
            "t_ref": "0 ms",
            "i_offset": "0 pA",
        },
        receptors=_currents() if receptors is None else receptors,
        initial={"v": "e_l"},
        method=method or "rk2",
        upswing=_quadratic("e_l", "v_t"),
        current="i_offset",
        values=dict(
            tau_m=tau_m,
            c_m=c_m,
            e_l=e_l,
            v_t=v_t,
            v_reset=v_reset,
            v_peak=v_peak,
            t_ref=t_ref,
            i_offset=i_offset,
        ),
    )


@named_options()
def AdaptiveLIF(
    *,
    tau_m: Value = 20.0,
    c_m: Value = 200.0,
    e_l: Value = -65.0,
    v_th: Value = -50.0,
    v_reset: Value = -65.0,
    t_ref: Value = 2.0,
    tau_w: Value = 144.0,
    a: Value = 0.0,
    b: Value = 40.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Leaky integrate-and-fire neuron with an adaptation current.

    dv/dt = (e_l - v) / tau_m + (i_syn + i_offset - w) / c_m, tau_w dw/dt = a (v - e_l) - w; a spike
    where v >= v_th sets v to v_reset, holds it there for t_ref, and adds b to w.

    Integrated exactly, or with `Conductance` receptors by the exponential Euler method, as `LIF`.

    Parameters
    ----------
    tau_m, tau_w, t_ref : ms
    c_m : pF
    e_l, v_th, v_reset : mV
        Resting, threshold and reset potential.
    a : nS
        Coupling of the adaptation to the potential.
    b, i_offset : pA
        Adaptation at a spike; constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel`, "exact" with currents alone. Default: "exact", with `Conductance`
        receptors "exponential_euler"; "exponential_midpoint" is then the more accurate.

    References
    ----------
    Gerstner W, Kistler WM, Naud R, Paninski L (2014). Neuronal Dynamics, chapter 6. Cambridge
    University Press.
    """
    receptors = _currents() if receptors is None else receptors
    return _model(
        name="AdaptiveLIF",
        equations="""
            dv/dt = (e_l - v) / tau_m + (i_syn + i_offset - w) / c_m : mV
            dw/dt = (a * (v - e_l) - w) / tau_w : pA""",
        threshold="v >= v_th",
        reset="v = v_reset; w += b",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "tau_m": "20 ms",
            "c_m": "200 pF",
            "e_l": "-65 mV",
            "v_th": "-50 mV",
            "v_reset": "-65 mV",
            "t_ref": "2 ms",
            "tau_w": "144 ms",
            "a": "0 nS",
            "b": "40 pA",
            "i_offset": "0 pA",
        },
        receptors=receptors,
        initial={"v": "e_l"},
        method=method or _linear_method(receptors),
        current="i_offset",
        values=dict(
            tau_m=tau_m,
            c_m=c_m,
            e_l=e_l,
            v_th=v_th,
            v_reset=v_reset,
            t_ref=t_ref,
            tau_w=tau_w,
            a=a,
            b=b,
            i_offset=i_offset,
        ),
    )


@named_options()
def GLIF(
    level: int = 5,
    *,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
    **values: Value,
) -> NeuronModel:
    """Generalised leaky integrate-and-fire neurons of five levels of detail.

    c_m dv/dt = g_l (e_l - v) + i_syn + i_offset (+ i_1 + i_2); a spike where v >= v_th (+ theta_s)
    (+ theta_v). At a spike v, and what the level has beside it, is reset and held for t_ref.

    ===== ===================================== ============================================
    level has                                   reset of v
    ===== ===================================== ============================================
    1     v                                     v = v_reset
    2     v, theta_s                            v = e_l + f_v (v - e_l) - delta_v
    3     v, i_1, i_2                           v = v_reset
    4     v, theta_s, i_1, i_2                  as 2
    5     v, theta_s, i_1, i_2, theta_v         as 2
    ===== ===================================== ============================================

    =========================================== ============================================
    between spikes                              at a spike
    =========================================== ============================================
    dtheta_s/dt = -b_s theta_s                  theta_s = theta_s exp(-b_s t_ref) +
                                                delta_theta_s
    di_j/dt = -k_i_j i_j, j = 1, 2              i_j = f_i_j i_j exp(-k_i_j t_ref) + delta_i_j
    dtheta_v/dt = a_v (v - e_l) - b_v theta_v   as it was
    =========================================== ============================================

    What is left of earlier spikes thus decays while the neuron is refractory, and what a spike adds
    counts from the end of that time. v in the reset is that at the end of the step.

    Integrated exactly, or with `Conductance` receptors by the exponential Euler method, as `LIF`.

    Parameters
    ----------
    level : 1, 2, 3, 4 or 5
        LIF; with reset rules; with after-spike currents; with both; with an adapting threshold too.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel`, "exact" with currents alone. Default: "exact", with `Conductance`
        receptors "exponential_euler"; "exponential_midpoint" is then the more accurate.
    **values
        Values of the level's parameters, instead of the defaults in brackets: c_m (58.72 pF), g_l
        (9.43 nS), e_l (-78.85 mV), v_th (-51.68 mV), t_ref (3.75 ms), i_offset (0 pA); at levels 1
        and 3 v_reset (-78.85 mV); at 2, 4 and 5 f_v (0.2), delta_v (-18.51 mV), delta_theta_s
        (0.37 mV), b_s (0.009 / ms); from level 3 on f_i_1 and f_i_2 (1), delta_i_1 (-9.18 pA),
        delta_i_2 (-198.94 pA), k_i_1 (0.003 / ms), k_i_2 (0.1 / ms); at 5 a_v (0.005 / ms) and
        b_v (0.09 / ms).

    Raises
    ------
    ValueError
        Another level, or a parameter that the level does not have.

    References
    ----------
    Teeter C, Iyer R, Menon V, Gouwens N, Feng D, Berg J, et al. (2018). Generalized leaky
    integrate-and-fire models classify multiple neuron types. Nat Commun 9:709.
    """
    if level not in (1, 2, 3, 4, 5):
        raise ValueError(f"GLIF: level is {level!r}; it must be 1, 2, 3, 4 or 5.")
    rules, currents, adapts = level in (2, 4, 5), level >= 3, level == 5
    parameters = {
        "c_m": "58.72 pF",
        "g_l": "9.43 nS",
        "e_l": "-78.85 mV",
        "v_th": "-51.68 mV",
        "t_ref": "3.75 ms",
        "i_offset": "0 pA",
    }
    after = " + i_1 + i_2" if currents else ""
    equations = [f"dv/dt = (g_l * (e_l - v) + i_syn + i_offset{after}) / c_m : mV"]
    hold, threshold = ["v"], "v >= v_th"
    if rules:
        parameters |= {"f_v": "0.2 1", "delta_v": "-18.51 mV"}
        parameters |= {"delta_theta_s": "0.37 mV", "b_s": "0.009"}
        equations.append("dtheta_s/dt = -b_s * theta_s : mV")
        reset = ["v = e_l + f_v * (v - e_l) - delta_v"]
        reset.append("theta_s = theta_s * exp(-b_s * t_ref) + delta_theta_s")
        hold.append("theta_s")
        threshold += " + theta_s"
    else:
        parameters["v_reset"] = "-78.85 mV"
        reset = ["v = v_reset"]
    for j, delta, k in (("1", "-9.18 pA", "0.003"), ("2", "-198.94 pA", "0.1")) if currents else ():
        parameters |= {f"f_i_{j}": "1 1", f"delta_i_{j}": delta, f"k_i_{j}": k}
        equations.append(f"di_{j}/dt = -k_i_{j} * i_{j} : pA")
        reset.append(f"i_{j} = f_i_{j} * i_{j} * exp(-k_i_{j} * t_ref) + delta_i_{j}")
        hold.append(f"i_{j}")
    if adapts:
        parameters |= {"a_v": "0.005", "b_v": "0.09"}
        equations.append("dtheta_v/dt = a_v * (v - e_l) - b_v * theta_v : mV")
        hold.append("theta_v")
        threshold += " + theta_v"
    receptors = _currents() if receptors is None else receptors
    return _model(
        name=f"GLIF{level}",
        equations="\n".join(equations),
        threshold=threshold,
        reset="; ".join(reset),
        refractory="t_ref",
        hold=tuple(hold),
        parameters=parameters,
        receptors=receptors,
        initial={"v": "e_l"},
        method=method or _linear_method(receptors),
        current="i_offset",
        values=values,
    )


@named_options()
def Izhikevich2007(
    *,
    c_m: Value = 100.0,
    k: Value = 0.7,
    v_r: Value = -60.0,
    v_t: Value = -40.0,
    v_peak: Value = 35.0,
    a: Value = 0.03,
    b: Value = -2.0,
    c: Value = -50.0,
    d: Value = 100.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Izhikevich's simple model in physical units (2007); the defaults fire regularly.

    c_m dv/dt = k (v - v_r) (v - v_t) - u + i_syn + i_offset, du/dt = a (b (v - v_r) - u); a spike
    where v >= v_peak sets v to c and adds d to u.

    Integrated by rk2, and through spikes within a step, as `AdEx`. At dt = 0.1 ms and a current of
    300 pA v is right to 0.03 mV after 22 spikes.

    Parameters
    ----------
    c_m : pF
    k : nS/mV
    v_r, v_t, v_peak, c : mV
        Resting potential, the unstable point above it, cut-off, and reset.
    a : 1/ms
    b : nS
    d, i_offset : pA
        Step of u at a spike; constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk2".

    References
    ----------
    Izhikevich EM (2007). Dynamical Systems in Neuroscience, chapter 8. MIT Press.
    """
    return _model(
        name="Izhikevich2007",
        equations="""
            dv/dt = (k * (v - v_r) * (v - v_t) - u + i_syn + i_offset) / c_m : mV
            du/dt = a * (b * (v - v_r) - u) : pA""",
        threshold="v >= v_peak",
        reset="v = c; u += d",
        parameters={
            "c_m": "100 pF",
            "k": "0.7",
            "v_r": "-60 mV",
            "v_t": "-40 mV",
            "v_peak": "35 mV",
            "a": "0.03",
            "b": "-2 nS",
            "c": "-50 mV",
            "d": "100 pA",
            "i_offset": "0 pA",
        },
        receptors=_currents() if receptors is None else receptors,
        initial={"v": "v_r"},
        method=method or "rk2",
        upswing=_quadratic("v_r", "v_t"),
        current="i_offset",
        values=dict(
            c_m=c_m,
            k=k,
            v_r=v_r,
            v_t=v_t,
            v_peak=v_peak,
            a=a,
            b=b,
            c=c,
            d=d,
            i_offset=i_offset,
        ),
    )


@named_options()
def HodgkinHuxley(
    *,
    c_m: Value = 100.0,
    g_na: Value = 12000.0,
    g_k: Value = 3600.0,
    g_l: Value = 30.0,
    e_na: Value = 50.0,
    e_k: Value = -77.0,
    e_l: Value = -54.387,
    v_th: Value = 0.0,
    i_offset: Value = 0.0,
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
    return _model(
        name="HodgkinHuxley",
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
        parameters={
            "c_m": "100 pF",
            "g_na": "12000 nS",
            "g_k": "3600 nS",
            "g_l": "30 nS",
            "e_na": "50 mV",
            "e_k": "-77 mV",
            "e_l": "-54.387 mV",
            "v_th": "0 mV",
            "i_offset": "0 pA",
        },
        receptors=_currents() if receptors is None else receptors,
        initial={"v": -65.0, "m": 0.0529324853, "h": 0.5961207535, "n": 0.3176769141},
        method=method or "exponential_midpoint",
        current="i_offset",
        values=dict(
            c_m=c_m,
            g_na=g_na,
            g_k=g_k,
            g_l=g_l,
            e_na=e_na,
            e_k=e_k,
            e_l=e_l,
            v_th=v_th,
            i_offset=i_offset,
        ),
    )


@named_options()
def FitzHughNagumo(
    *,
    a: Value = 0.7,
    b: Value = 0.8,
    tau: Value = 12.5,
    v_th: Value = 1.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """FitzHugh and Nagumo's oscillator; its unit of time is taken as 1 ms.

    dv/dt = v - v^3 / 3 - w + i_syn + i_offset, tau dw/dt = v + a - b w. A spike is where v comes
    to be >= v_th; the equations go on.

    Integrated by rk4: the period at i_offset = 0.5 is right to 0.001 % at dt = 0.1 ms.

    Parameters
    ----------
    a, b, v_th, i_offset : dimensionless
    tau : ms
    receptors : mapping of name to receptor
        Default: "pulse", a dimensionless current of one step.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk4".

    References
    ----------
    FitzHugh R (1961). Impulses and physiological states in theoretical models of nerve membrane.
    Biophys J 1:445.

    Nagumo J, Arimoto S, Yoshizawa S (1962). An active pulse transmission line simulating nerve
    axon. Proc IRE 50:2061.
    """
    return NeuronModel(
        name="FitzHughNagumo",
        equations="""
            dv/dt = v - v**3 / 3 - w + i_syn + i_offset
            dw/dt = (v + a - b * w) / tau""",
        threshold="v >= v_th",
        reset="",
        refractory="v >= v_th",
        parameters={
            "a": "0.7",
            "b": "0.8",
            "tau": "12.5 ms",
            "v_th": "1",
            "i_offset": "0",
        },
        receptors={"pulse": Pulse("")} if receptors is None else receptors,
        initial={"v": -1.1994080352, "w": -0.6242600440},
        method=method or "rk4",
        current="i_offset",
        values=dict(a=a, b=b, tau=tau, v_th=v_th, i_offset=i_offset),
    )


def _model(**fields: Any) -> NeuronModel:
    """A model of this module, after a word on values that look like s, V, F, S or A."""
    units = {name: text.partition(" ")[2] for name, text in fields["parameters"].items()}
    given = {k: (value, units[k]) for k, value in fields["values"].items() if k in units}
    warn_of_si(fields["name"], given)
    for name, (value, unit) in given.items():
        if (name == "c_m" or name.startswith("tau")) and _least(value) <= 0:
            raise ValueError(f"{fields['name']}: {name} is {value!r} {unit}; it must be above 0.")
    return NeuronModel(**fields)


def _least(value: Any) -> float:
    """The smallest of numbers; 1 of what is drawn or, as others will say, no number."""
    try:
        return float(np.min(np.asarray(value, float), initial=1.0))
    except (TypeError, ValueError):
        return 1.0


def _currents() -> dict[str, Receptor]:
    return {"exc": Exponential(5.0, "positive"), "inh": Exponential(10.0, "negative")}


def _linear_method(receptors: Mapping[str, Receptor]) -> str:
    """Exact, unless a conductance multiplies the potential."""
    conductances = any(receptor.unit == "nS" for receptor in receptors.values())
    return "exponential_euler" if conductances else ""
