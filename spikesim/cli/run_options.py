"""What the options of ``spikesim run`` mean: texts become neurons, rates and traces."""

import math
from pathlib import Path
from typing import Any


def check_times(duration: float, discard: float) -> None:
    from spikesim.checks import check_number

    check_number("--duration", duration, above=0, unit="ms")
    if not 0 <= discard < duration:
        raise ValueError(
            f"--discard is {discard:g}; it must lie between 0 and --duration, {duration:g} ms."
        )


def check_trials(trials: int, out: Path | None, plot: Path | None) -> None:
    if trials < 1:
        raise ValueError(f"--trials is {trials}; it must be 1 or more.")
    if trials > 1 and (out or plot):
        raise ValueError(
            f"--trials is {trials}; --out and --plot keep the spikes of one trial: leave them out, "
            "or run one trial with another --seed."
        )


def trace(net: Any, text: str, out: Path | None) -> Any:
    from spikesim.description.recording import Trace

    parts = text.split(":")
    try:
        population, variable, every = parts[0], parts[1], float(parts[2])
        if len(parts) != 3:
            raise IndexError
    except (IndexError, ValueError):
        raise ValueError(
            f"--record is {text!r}; it must be POP:VAR:EVERY with EVERY in ms, such as exc:v:1."
        ) from None
    if population not in net.populations:
        known = ", ".join(net.populations)
        raise ValueError(f"--record {text}: unknown population {population!r}; known are {known}.")
    if out is None:
        raise ValueError(f"--record {text}: traces go to a file beside --out, which is missing.")
    return Trace(net.populations[population], variable, every)


def stimulus(text: str) -> dict[int, float]:
    """Neurons and their rate (Hz) in a text such as "0-20,25:200"."""
    numbers, _, rate = text.rpartition(":")
    try:
        hertz = float(rate)
        if not (math.isfinite(hertz) and hertz >= 0):
            raise ValueError
        return dict.fromkeys(_numbers(numbers), hertz)
    except ValueError:
        raise ValueError(
            f"--stimulate is {text!r}; it must be NEURONS:HZ, such as 0-20:200 or 3,17:100."
        ) from None


def neurons_of(net: Any, text: str) -> tuple[str, list[int]]:
    """A population and numbers of neurons in a text such as "exc:3,17-20"."""
    population, colon, numbers = text.rpartition(":")
    if not colon and len(net.populations) == 1:
        population = next(iter(net.populations))
    if population not in net.populations:
        raise ValueError(
            f"--silence is {text!r}; it must be POP:NEURONS with one of the populations "
            f"{', '.join(net.populations)}."
        )
    try:
        neurons = _numbers(numbers)
    except ValueError:
        raise ValueError(
            f"--silence is {text!r}; NEURONS must be numbers such as 3,17-20."
        ) from None
    net.view(population).places(neurons)
    return population, neurons


def _numbers(text: str) -> list[int]:
    """Whole numbers in a text such as "3,17-20"."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        numbers += range(int(first), int(last if dash else first) + 1)
    return numbers
