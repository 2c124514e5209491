"""Published networks, each a file with one function ``network()`` that describes it."""

NAMES = (
    *("cuba", "coba", "brunel", "microcircuit", "izhikevich"),
    *("patterns", "hodgkin_huxley", "flybrain"),
)
