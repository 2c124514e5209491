"""``python -m benchmarks busy | networks | precision | report``."""

import click

from benchmarks import busy, networks, precision, report


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure, and write the README's tables from what was measured."""


main.add_command(busy.main, "busy")
main.add_command(networks.main, "networks")
main.add_command(precision.main, "precision")
main.add_command(report.main, "report")
main(prog_name="python -m benchmarks")
