"""What referees are made of: jars from Maven Central, packages from PyPI and npm, and the Java of this machine.

Everything is put under build/referees, by the registries' own clients, once.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

FOLDER = Path(__file__).parents[2] / "build" / "referees"

_BIN = Path(sys.executable).parent
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 1800  # seconds of a download: hundreds of megabytes
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>referees</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencyManagement><dependencies>{managed}</dependencies></dependencyManagement>
  <dependencies>{wanted}</dependencies>
</project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version><type>{}</type>{}</dependency>"
)


class NotHereError(Exception):
    """Something that a referee needs is not to be had on this machine."""


@dataclass(frozen=True, slots=True)
class Referee:
    """A judge: `fetch` gets what it is made of, unless that is there, or raises a NotHereError."""

    name: str
    version: str
    fetch: Callable[[], object]

    def or_skip(self) -> None:
        """Fetch what is missing; skip the test that asks where it cannot be had."""
        try:
            self.fetch()
        except NotHereError as error:
            pytest.skip(f"{self.name} is not to be had here: {error}")


def jars(name: str, *coordinates: str, managed_by: str = "") -> Path:
    """Return a folder of jars, `group:artifact:version` each, with all that they need to run.

    `managed_by` names a POM, the same way, that says which versions of those go together.
    """
    folder = FOLDER / name
    managed = _dependency(managed_by, "pom", "<scope>import</scope>") if managed_by else ""
    wanted = "".join(_dependency(each, "jar") for each in coordinates)
    document = _POM.format(name=name, managed=managed, wanted=wanted)

    def copy(new: Path) -> None:
        (new / "pom.xml").write_text(document)
        _run([_found("mvn"), "-q", "-B", "-U", _COPY, "-DoutputDirectory=.", "-DincludeScope=runtime"], new)

    return _once(folder, document, copy)


def environment(name: str, *requirements: str) -> Path:
    """Return the `bin` of a Python environment of its own, with packages from PyPI."""

    def install(new: Path) -> None:
        _run([_BIN / "uv", "venv", "-q", "--relocatable", "--python", sys.executable, new / "env"], new)
        _run([_BIN / "uv", "pip", "install", "-q", "--python", new / "env/bin/python", *requirements], new)

    return _once(FOLDER / name, "\n".join(requirements), install) / "env" / "bin"


def node_modules(name: str, *packages: str) -> Path:
    """Return the `node_modules` folder of packages from npm, `name@version` each."""

    def install(new: Path) -> None:
        (new / "package.json").write_text("{}")
        _run([_BIN / "npm", "install", "--loglevel=error", "--no-audit", "--no-fund", *packages], new)

    return _once(FOLDER / name, "\n".join(packages), install) / "node_modules"


def java(least: int) -> Path:
    """Return the `java` of the oldest JDK here that is at least of a version."""
    homes = [Path(os.environ.get("JAVA_HOME", "/nowhere")), *Path("/usr/lib/jvm").glob("*")]
    found = sorted((version, home) for home in homes if (version := java_version(home))[0] >= least)
    if not found:
        raise NotHereError(f"it needs Java {least} or newer (JAVA_HOME, /usr/lib/jvm)")
    return found[0][1] / "bin" / "java"


def java_version(home: Path) -> tuple[int, ...]:
    """Return the version of a JDK by its folder; nothing but a zero where there is none."""
    release = home / "release"
    found = re.search(r'^JAVA_VERSION="([\d.]+)', release.read_text(), re.M) if release.exists() else None
    return tuple(map(int, found[1].split("."))) if found else (0,)


def _dependency(coordinates: str, kind: str, more: str = "") -> str:
    return _DEPENDENCY.format(*map(escape, coordinates.split(":")), kind, more)


def _once(folder: Path, wanted: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that holds what is wanted; what was made by halves, or of something else, is made anew."""
    mark = folder / "made-of.txt"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        mark.write_text(wanted)
    return folder


def _found(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        raise NotHereError(f"{command} is not installed")
    return path


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST, check=False)
    if done.returncode:
        lines = _COLOURS.sub("", done.stdout + done.stderr).splitlines()
        telling = [line for line in lines if "ERROR" in line or "error" in line] or lines or ["no reason given"]
        raise NotHereError(f"{Path(command[0]).name} says: {telling[0].strip()[:300]}")
