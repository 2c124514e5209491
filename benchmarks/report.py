"""Write the README's tables from the results, so that nobody edits a number by hand."""

import re
from pathlib import Path

import click

from benchmarks import results

README = Path(__file__).parent.parent / "README.md"


def networks(content: dict) -> str:
    """Times of the published networks."""
    lines = [
        "| network | neurons | synapses | rate | build | run / biological time | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['case']} | {row['neurons']:,} | {row['synapses']:,} | {row['rate']:.1f} Hz "
            f"| {row['build_s']:.2f} s | {row['rtf']:.3f} ({row['threads']} threads) "
            f"| {row['peak_rss_gb']:.2f} GB |"
        )
    return "\n".join(lines)


def precision(content: dict) -> str:
    """Single against double precision."""
    lines = [
        "| network | rate, single / double | CV, single / double "
        "| KS of rates: precisions / seeds | KS of CVs: precisions / seeds | time, single / double |",  # noqa: E501
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['case']} | {row['rate_single']:.3f} / {row['rate_double']:.3f} Hz "
            f"| {row['cv_single']:.3f} / {row['cv_double']:.3f} "
            f"| {row['ks_rates_between_precisions']:.3f} / {row['ks_rates_between_seeds']:.3f} "
            f"| {row['ks_cvs_between_precisions']:.3f} / {row['ks_cvs_between_seeds']:.3f} "
            f"| {row['run_s_single'] / row['run_s_double']:.2f} |"
        )
    return "\n".join(lines)


def note(content: dict) -> str:
    """Where and when a table was measured."""
    machine, versions = content["machine"], content["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured {content['date']} on {machine['cores']} cores of "
        f"{machine['processor']}; {told}; "
        "medians."
    )


@click.command()
def main() -> None:
    """Write the tables of all benchmarks that have results into README.md."""
    text = README.read_text(encoding="utf-8")
    for name, table in (("networks", networks), ("precision", precision)):
        content = results.read(name)
        if content is None:
            continue
        block = f"<!-- {name} -->\n{table(content)}\n\n{note(content)}\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, b=block: b, text, flags=re.S)
    README.write_text(text, encoding="utf-8")
