"""``python -m benchmarks COMMAND``; ``--help`` lists the commands."""

import click

from benchmarks import (
    agreement,
    analysis,
    conversion,
    environments,
    false_positives,
    kernels,
    large_file,
    latency,
    layers,
    learning,
    networks,
    precision,
    report,
    scaling,
    threads,
    training,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure, and write the README's tables from what was measured."""


main.add_command(agreement.main, "agreement")
main.add_command(analysis.main, "analysis")
main.add_command(conversion.main, "conversion")
main.add_command(kernels.main, "kernels")
main.add_command(large_file.main, "file")
main.add_command(latency.main, "latency")
main.add_command(layers.main, "layers")
main.add_command(learning.main, "learning")
main.add_command(networks.main, "networks")
main.add_command(false_positives.main, "nulls")
main.add_command(precision.main, "precision")
main.add_command(report.main, "report")
main.add_command(environments.main, "rivals")
main.add_command(scaling.main, "scaling")
main.add_command(threads.main, "threads")
main.add_command(training.main, "training")
main(prog_name="python -m benchmarks")
