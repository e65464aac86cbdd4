"""The wheel and the source archive: complete, and the same whichever way they are built."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = ("kos", "packaging", "docs", "tests")
FILES = (
    "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md",
    "CONTRIBUTING.md", "SECURITY.md", "Makefile", "constraints.txt",
)  # fmt: skip
BUILD = "import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, tree: Path, target: Path) -> Path:
    """A distribution of a source tree, by the backend that pip would call."""
    target.mkdir()
    run(sys.executable, "-c", BUILD.format(kind=kind), target, cwd=tree)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources alone, so that nothing is built into the checkout."""
    target = tmp_path_factory.mktemp("distribution") / "tree"
    target.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for name in SOURCES:
        shutil.copytree(REPOSITORY / name, target / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(REPOSITORY / name, target / name)
    return target


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    return build("wheel", tree, tree.parent / "wheel")


def package_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.startswith("kos/")}


def test_the_wheel_has_every_file_of_the_package(tree: Path, wheel: Path) -> None:
    there = {str(file.relative_to(tree)) for file in (tree / "kos").rglob("*") if file.is_file()}
    assert package_files(wheel) == there


def test_the_wheel_says_what_it_needs_and_what_it_offers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        scripts = archive.read(f"{info}/entry_points.txt").decode()
    assert "kos = kos.__main__:main" in scripts
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert {"dev", "metrics", "socks", "telegram"} <= set(metadata.get_all("Provides-Extra", []))


def test_the_source_archive_builds_the_same_wheel(tree: Path, wheel: Path) -> None:
    archive = build("sdist", tree, tree.parent / "sdist")
    unpacked = tree.parent / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    assert (source / "packaging" / "kos.service").is_file()
    again = build("wheel", source, tree.parent / "again")
    assert package_files(again) == package_files(wheel)


def test_the_wheel_runs_from_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", fresh, cwd=tmp_path)
    python = fresh / "bin" / "python"
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index",
        "--no-deps", "--disable-pip-version-check", wheel, cwd=tmp_path,
    )  # fmt: skip
    # The packages that KOS needs come from where the tests run; nothing is downloaded.
    (own,) = fresh.glob("lib/python3.*/site-packages")
    (own / "present.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    kos = fresh / "bin" / "kos"
    version = run(kos, "version", cwd=tmp_path).strip()
    assert version
    assert f"kos_engine-{version}-" in wheel.name
    where = run(python, "-c", "import kos; print(kos.__file__)", cwd=tmp_path)
    assert where.startswith(str(fresh))
    found = run(
        kos, "calc", "qualifying", "--back-stake", "10", "--back-odds", "2.5",
        "--lay-odds", "2.54", "--commission", "0.02", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(found)
    assert f"ExecStart={kos} run" in run(kos, "service", "print", cwd=tmp_path)
    # It asks which shell started it, which must not depend on what started the tests.
    in_a_shell = f"{shlex.quote(str(kos))} --show-completion; exit $?"
    assert "_KOS_COMPLETE" in run("bash", "-c", in_a_shell, cwd=tmp_path)
