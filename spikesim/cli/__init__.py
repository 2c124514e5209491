"""The command line, ``spikesim run | analyze | convert | info | plot | train``: one file a command.

A command's file is loaded when it is asked for, and its heavy imports wait for their use.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

import click

from spikesim import __version__

# Each in the file of its name, under its name.
COMMANDS = "analyze", "convert", "info", "plot", "run", "train"


class Commands(Mapping[str, click.Command]):
    """The commands by name, imported when they are asked for."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        return getattr(import_module(f"spikesim.cli.{name}"), name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@click.group(commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spikesim")
def main() -> None:
    """Spiking neural networks on the CPU: describe, run, keep the spikes."""
