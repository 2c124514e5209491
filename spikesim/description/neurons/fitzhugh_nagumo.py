"""FitzHugh and Nagumo's oscillator."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in, pulse
from spikesim.description.receptors import Receptor


@built_in(
    equations="""
        dv/dt = v - v**3 / 3 - w + i_syn + i_offset
        dw/dt = (v + a - b * w) / tau""",
    threshold="v >= v_th",
    reset="",
    refractory="v >= v_th",
    initial={"v": -1.1994080352, "w": -0.6242600440},
    receptors=pulse,
    method="rk4",
    current="i_offset",
)
def FitzHughNagumo(
    *,
    a: Value = "0.7",
    b: Value = "0.8",
    tau: Value = "12.5 ms",
    v_th: Value = "1",
    i_offset: Value = "0",
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
