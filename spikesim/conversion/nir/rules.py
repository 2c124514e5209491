"""What a NIR graph does not say: how the framework that wrote it takes a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from spikesim.checks import check_choice, check_number, check_whole
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True)
class NIRRules:
    """How the equations of NIR's nodes become steps.

    Of a node with time constant tau, k is what it keeps in a step; NIR means
    v_t = v_leak + k (v_(t-1) - v_leak) + r (1 - k) x_t, and frameworks write other numbers.

    Parameters
    ----------
    dt : float
        Step, s, the unit of NIR's time constants.
    decay : "euler" or "exact"
        Whether k is 1 - dt / tau or exp(-dt / tau).
    tau_times_dt : bool
        Whether what is stored as a time constant is dt times one.
    gain : "r" or "one"
        Whether v of a LIF or CubaLIF takes its input times r (1 - k), or as it is, whatever r says.
    integration : "r dt" or "r"
        By what an I or IF multiplies its input.
    synapse : "w_in (1 - k)", "w_in" or "w_in k"
        By what the current of a CubaLIF or CubaLI multiplies its input; k is that of tau_syn.
    reset : "value" or "subtract"
        Whether a spike sets v to v_reset, or takes the threshold from it.
    reset_late : bool
        Whether it does so in the next step, after v decayed and the input came.
    cuba_reset_late : bool, optional
        The same for a CubaLIF; by default as ``reset_late``.
    strict : bool
        Whether v on the threshold is not enough for a spike.
    spikes_late : bool
        Whether spikes are those of v before the step.
    most_spikes : int
        How many spikes a neuron may have in a step.
    refractory : float
        Time without another spike after one, s, rounded to steps.
    input_beside : bool
        Whether a subgraph's Input that leads to the weights of a recurrence leads to its neurons.
    start : "zero", "leak" or "reset"
        Whether v begins at 0, at v_leak or at v_reset, where a node has one.

    Raises
    ------
    ValueError
        If a value is none of these.
    """

    dt: float
    decay: Literal["euler", "exact"] = "euler"
    tau_times_dt: bool = False
    gain: Literal["r", "one"] = "r"
    integration: Literal["r dt", "r"] = "r dt"
    synapse: Literal["w_in (1 - k)", "w_in", "w_in k"] = "w_in (1 - k)"
    reset: Literal["value", "subtract"] = "value"
    reset_late: bool = False
    cuba_reset_late: bool | None = None
    strict: bool = True
    spikes_late: bool = False
    most_spikes: int = 1
    refractory: float = 0.0
    input_beside: bool = False
    start: Literal["zero", "leak", "reset"] = "zero"

    def __post_init__(self) -> None:
        check_number("NIRRules: dt", self.dt, above=0, unit="s")
        check_choice("NIRRules: decay", self.decay, ("euler", "exact"))
        check_choice("NIRRules: gain", self.gain, ("r", "one"))
        check_choice("NIRRules: integration", self.integration, ("r dt", "r"))
        choices = ("w_in (1 - k)", "w_in", "w_in k")
        check_choice("NIRRules: synapse", self.synapse, choices)
        check_choice("NIRRules: reset", self.reset, ("value", "subtract"))
        check_whole("NIRRules: most_spikes", self.most_spikes)
        check_number("NIRRules: refractory", self.refractory, least=0, unit="s")
        check_choice("NIRRules: start", self.start, ("zero", "leak", "reset"))


FRAMEWORKS: dict[str, dict[str, Any]] = {
    "nir": {},
    "snntorch": {"dt": 1e-4, "reset": "subtract", "reset_late": True},
    "norse": {
        "dt": 1e-3,
        "tau_times_dt": True,
        "integration": "r",
        "synapse": "w_in",
        "start": "leak",
    },
    "spikingjelly": {"dt": 1e-4, "strict": False, "start": "reset"},
    "sinabs": {
        "dt": 1.0,
        "decay": "exact",
        "integration": "r",
        "reset": "subtract",
        "strict": False,
        "most_spikes": 8,
    },
    "rockpool": {
        "decay": "exact",
        "gain": "one",
        "synapse": "w_in k",
        "reset": "subtract",
        "strict": False,
        "most_spikes": 8,
    },
    "spyx": {
        "dt": 1.0,
        "gain": "one",
        "integration": "r",
        "synapse": "w_in",
        "reset": "subtract",
        "reset_late": True,
        "cuba_reset_late": False,
        "spikes_late": True,
        "input_beside": True,
    },
    "lava": {"dt": 1e-4},
}


@named_options()
def nir_rules(framework: str, **changes: Any) -> NIRRules:
    """The rules by which a framework's graph gives that framework's own spikes.

    "nir" takes the equations as they stand, by Euler steps. The others are those of networks with
    the framework's defaults, each run against it, but for "lava", which is by its documentation
    alone. ``changes`` are fields of `NIRRules`, such as ``reset`` for networks that were not
    trained with the default, and ``dt`` (s) where the framework does not fix it.

    Parameters
    ----------
    framework : str
        "nir", "snntorch", "norse", "spikingjelly", "sinabs", "rockpool", "spyx" or "lava".
    **changes
        Fields of `NIRRules`.

    Returns
    -------
    NIRRules

    Raises
    ------
    ValueError
        A framework that is not known, or no dt.

    Notes
    -----
    snntorch: a graph does not tell its reset, by default subtracted a step late. For
    ``reset_mechanism="zero"`` give ``reset="value", reset_late=False``, but for a Synaptic
    ``reset="value"``, which loses the next step's input; for ``reset_delay=False``
    ``reset_late=False``, the same as long as v stays below twice the threshold.
    norse: time constants are stored times dt; ``v_reset`` is not.
    spikingjelly: v begins at ``v_reset``, and a spike needs no more than the threshold.
    sinabs: times are in steps. ``tau_syn``, ``min_v_mem`` and ``norm_input=False`` are not stored.
    rockpool: biases and recurrent weights are not stored. As in sinabs, neurons may have several
    spikes in a step.
    spyx: spikes are those of v before the step; the input of a recurrent layer is stored as if it
    went through the recurrent weights.
    """
    check_choice("framework", framework, tuple(FRAMEWORKS))
    settings = {**FRAMEWORKS[framework], **changes}
    if "dt" not in settings:
        raise ValueError(
            f"dt is missing: neither does a NIR graph tell its step nor {framework!r}; give dt (s)."
        )
    return replace(NIRRules(1.0), **settings)


def as_rules(rules: str | NIRRules, changes: dict[str, Any]) -> NIRRules:
    """Rules that are given, or those of a framework's name with changes."""
    if isinstance(rules, str):
        return nir_rules(rules, **changes)
    if not isinstance(rules, NIRRules):
        raise TypeError(f"rules is {rules!r}; it must be NIRRules or the name of a framework.")
    if changes:
        name = next(iter(changes))
        raise TypeError(f"{name} is a field of the rules that are given: change it there.")
    return rules
