"""How long do readouts take beside the packages that people use? ``python -m benchmarks analysis``.

Each case runs ours and a rival's in turns in one process of the environment ``analysis``, on as
many threads as each takes by itself. Rivals that would take minutes do a share of the work, and
their time is scaled.
"""

import click

from benchmarks import environments, results
from benchmarks.readouts import CASES

PACKAGES = ("elephant", "neurospatial", "pynapple", "pyspike", "spikeinterface")


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--against", default=",".join(PACKAGES), show_default=True, help="Packages, with commas."
)
def main(names: tuple[str, ...], against: str) -> None:
    """Readouts beside other packages: all, or those whose names hold one of NAMES."""
    wanted = [package.strip() for package in against.split(",")]
    unknown = [package for package in wanted if package not in PACKAGES]
    if unknown:
        raise click.UsageError(f"--against names {unknown[0]!r}; there are {', '.join(PACKAGES)}.")
    if not environments.installed(["analysis"]):
        return
    python, rows = str(environments.interpreter("analysis")), []
    for name, case in CASES.items():
        if names and not any(part in name for part in names):
            continue
        for package, rival in case.rivals.items():
            if package not in wanted:
                continue
            found = environments.ask([python, "-m", "benchmarks.readouts", name, package])
            row = dict(case=name, what=case.what, rival=package, least=rival.least, goal=rival.goal)
            rows.append({**row, **found})
            low, middle, high = found["ratio"]
            click.echo(
                f"{name}: ours {1000 * found['ours_s']:.4g} ms, {package} "
                f"{1000 * found['rival_s']:.5g} ms: {middle:.4g} times ({low:.4g} to {high:.4g}); "
                f"at least {rival.least}, goal {rival.goal}"
            )
    results.update("analysis", rows, ["case", "rival"], list(CASES))
