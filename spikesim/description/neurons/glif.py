"""Generalised leaky integrate-and-fire neurons."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.checks import check_choice
from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import currents, linear_method, model
from spikesim.description.receptors import Receptor
from spikesim.names import named_options


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
    check_choice("GLIF: level", level, (1, 2, 3, 4, 5))
    rules, after, adapts = level in (2, 4, 5), level >= 3, level == 5
    parameters = {
        "c_m": "58.72 pF",
        "g_l": "9.43 nS",
        "e_l": "-78.85 mV",
        "v_th": "-51.68 mV",
        "t_ref": "3.75 ms",
        "i_offset": "0 pA",
    }
    more = " + i_1 + i_2" if after else ""
    equations = [f"dv/dt = (g_l * (e_l - v) + i_syn + i_offset{more}) / c_m : mV"]
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
    for j, delta, k in (("1", "-9.18 pA", "0.003"), ("2", "-198.94 pA", "0.1")) if after else ():
        parameters |= {f"f_i_{j}": "1 1", f"delta_i_{j}": delta, f"k_i_{j}": k}
        equations.append(f"di_{j}/dt = -k_i_{j} * i_{j} : pA")
        reset.append(f"i_{j} = f_i_{j} * i_{j} * exp(-k_i_{j} * t_ref) + delta_i_{j}")
        hold.append(f"i_{j}")
    if adapts:
        parameters |= {"a_v": "0.005", "b_v": "0.09"}
        equations.append("dtheta_v/dt = a_v * (v - e_l) - b_v * theta_v : mV")
        hold.append("theta_v")
        threshold += " + theta_v"
    arriving = currents() if receptors is None else receptors
    return model(
        f"GLIF{level}",
        parameters,
        values,
        equations="\n".join(equations),
        threshold=threshold,
        reset="; ".join(reset),
        refractory="t_ref",
        hold=tuple(hold),
        receptors=arriving,
        initial={"v": "e_l"},
        method=method or linear_method(arriving),
        current="i_offset",
    )
