"""The rivals' environments: ``python -m benchmarks rivals`` makes one for each simulator.

They lie in ``benchmarks/.rivals/NAME``, or in the folder that SPIKESIM_RIVALS names.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
# Versions of Python that have wheels of all that is pinned, and what is pinned.
RIVALS = {
    "brian2": (("3.13", "3.14"), ["brian2==2.11.0"]),
    "nest": (("3.13", "3.12", "3.11"), ["nest-simulator==3.10.0"]),
    "brainpy": (
        ("3.12", "3.13"),
        ["brainpy==2.9.0", "brainevent[cpu]==0.3.0", "jax==0.12.0.1", "numba==0.68.1"],
    ),
    "analysis": (
        ("3.11", "3.12", "3.13"),
        [
            *("elephant==1.2.1", "neo==0.14.6", "neurospatial==0.6.0", "pynapple==0.11.4"),
            *("pyspike==0.9.0", "spikeinterface==0.105.3", "numba==0.68.1", "scipy", "h5py"),
            *("click", "tqdm", "psutil", "platformdirs", "lazy_loader", "matplotlib"),
        ],
    ),
    "torch": (("3.13", "3.12", "3.11"), ["torch==2.13.0", "snntorch==1.0.0", "numpy"]),
}
# NEST's threads wait for each other in every step; if they spin, they lose more than they gain
# beside any other program.
ENVIRONMENT = {"nest": {"OMP_WAIT_POLICY": "PASSIVE", "PYNEST_QUIET": "1"}}


def interpreter(rival: str) -> Path:
    """Python of a rival's environment, there or not."""
    folder = Path(os.environ.get("SPIKESIM_RIVALS") or ROOT / "benchmarks" / ".rivals") / rival
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installed(names: list[str]) -> list[str]:
    """Those that have an environment; of the others, a sentence says that they are left out."""
    for name in names:
        if not interpreter(name).exists():
            click.echo(f"{name} is left out: `python -m benchmarks rivals` installs it.", err=True)
    return [name for name in names if interpreter(name).exists()]


def command(rival: str, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """The call of a rival's script of measurement, and its environment variables."""
    call = [str(interpreter(rival)), "-m", f"benchmarks.rivals.{rival}_speed", *arguments]
    return call, {**os.environ, **ENVIRONMENT.get(rival, {})}


def run(call: list[str], environment: dict[str, str] | None = None) -> str:
    """What a process prints in the root of the project; if it fails, its last line tells why."""
    done = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise click.ClickException(f"`{' '.join(call)}` failed: {_last(done.stderr)}")
    return done.stdout


def ask(call: list[str], environment: dict[str, str] | None = None) -> dict:
    """The JSON object that a process prints last."""
    return json.loads(run(call, environment).strip().splitlines()[-1])


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def python(versions: tuple[str, ...]) -> str | None:
    """An interpreter of one of these versions, the first that is found."""
    for version in versions:
        candidates = [sys.executable, shutil.which(f"python{version}")]
        candidates += (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
        for candidate in filter(None, candidates):
            told = subprocess.run([candidate, "--version"], capture_output=True, text=True)
            if told.stdout.startswith(f"Python {version}."):
                return str(candidate)
    return None


def install(rival: str) -> str:
    """Make the environment of a rival; a sentence says what came of it."""
    if interpreter(rival).exists():
        return f"{rival} is there: {interpreter(rival)}"
    versions, requirements = RIVALS[rival]
    base = python(versions)
    if base is None:
        return f"{rival} is missing: it needs Python {' or '.join(versions)}, which was not found."
    folder = interpreter(rival).parent.parent
    steps = (
        [base, "-m", "venv", str(folder)],
        [str(interpreter(rival)), "-m", "pip", "install", "--quiet", *requirements],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            return f"{rival} is missing: {_last(done.stderr)}"
    return f"{rival} was installed with {base}: {interpreter(rival)}"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(RIVALS)))
def main(names: tuple[str, ...]) -> None:
    """Install NAMES (all rivals if none is given), each into an environment of its own."""
    for name in names or RIVALS:
        click.echo(install(name))
    if shutil.which("g++") is None and shutil.which("clang++") is None and os.name != "nt":
        click.echo("Brian2 needs a C++ compiler, which was not found.")
