"""Published networks, each a file with one function ``network()`` that describes it."""

NAMES = (  # of the files
    "cuba",
    "coba",
    "brunel",
    "microcircuit",
    "izhikevich",
    "patterns",
    "hodgkin_huxley",
    "flybrain",
)
