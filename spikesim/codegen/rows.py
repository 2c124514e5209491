"""Names in generated text that are not the model's: they begin with an underscore, its do not.

So no text of a model can meet them. What belongs to something of the model is called after it,
``_NAME_what``, and ``what`` holds no underscore: no two such names are the same, whatever a model
calls its own. Here are those that others than the generator ask for: rows of the state, and the
constants that depend on a receptor's unit.
"""

REFRACTORY = "_refractory"  # what neurons are refractory by
RESUME = "_resume"  # the share of a step at which a neuron spiked
STEEP = "_steep"  # of a block, in its first lane: whether a slope is beyond what `gentle` takes


def carry_of(variable: str) -> str:
    """The row of what rounding loses of a variable."""
    return f"_{variable}_carry"


def seen_of(quantity: str) -> str:
    """The row of something that is observed."""
    return f"_{quantity}_seen"


def unit_of(receptor: str) -> str:
    """The constant by which what arrives at a receptor, in whole numbers, becomes a weight."""
    return f"_{receptor}_unit"


def array_of(row: str) -> str:
    """The array of a row of the block at hand."""
    return f"_{row}_row"


def lane_of(row: str) -> str:
    """What a row holds of the neuron at hand."""
    return f"{array_of(row)}[_j]"
