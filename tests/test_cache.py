"""The folder of compiled kernels: where it is, when it is renewed, who may share it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spikesim as ss

PACKAGE = Path(ss.__file__).parent
RUN = """
import spikesim as ss
net = ss.Network(seed=1)
a = net.population("a", 200, ss.LIF(i_offset=300.0))
net.connect(a, a, ss.FixedInDegree(10), weight=30.0, delay=1.0, receptor="exc")
print(len(ss.simulate(net, 100.0).spikes["a"]))
from spikesim.kernels.cache import folder
print(folder())
"""


def start(root: Path, **environment: str) -> subprocess.Popen:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPIKESIM", "XDG"))}
    return subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=root,  # comes first on the path
        env={**kept, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> tuple[str, Path]:
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    spikes, folder = stdout.split()
    return spikes, Path(folder)


def test_two_processes_fill_one_cache(tmp_path):
    pair = [start(PACKAGE.parent, SPIKESIM_CACHE=str(tmp_path)) for _ in range(2)]
    (spikes, folder), (others, same) = map(finish, pair)
    assert spikes == others and int(spikes) > 100
    assert folder == same and folder.parent == tmp_path
    assert not list(folder.glob("*.draft"))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and homes are POSIX's here")
def test_a_read_only_install_and_a_missing_home_work(tmp_path):
    install = tmp_path / "site"
    shutil.copytree(PACKAGE, install / "spikesim", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*install.rglob("*"), install]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(install.rglob("*"))
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder would have to be")
    try:
        # For root every folder can be written, so the home is one that cannot be made.
        process = start(install, HOME=str(blocked / "home"), TMPDIR=str(tmp_path))
        spikes, folder = finish(process)
        assert int(spikes) > 100 and folder.is_relative_to(tmp_path)
        assert sorted(install.rglob("*")) == before
    finally:
        for path in [install, *install.rglob("*")]:
            path.chmod(0o755)


def test_an_edit_of_any_engine_source_renews_the_cache(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "spikesim")
    cache = tmp_path / "cache"
    _, before = finish(start(tmp_path, SPIKESIM_CACHE=str(cache)))
    keyed = tmp_path / "spikesim" / "kernels" / "keyed.py"
    keyed.write_text(keyed.read_text() + "\n# edited\n")
    _, after = finish(start(tmp_path, SPIKESIM_CACHE=str(cache)))
    assert before != after
