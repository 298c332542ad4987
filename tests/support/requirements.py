"""The packages of a layer, as its requirements name them."""

import re

from infra.layers.layer_builder import LAYERS


def pins(layer: str) -> dict[str, str]:
    """The exact version of every package of a layer by its normalised name."""
    lines = (LAYERS / layer / "requirements.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): pinned for name, pinned in pairs}


def normal(name: str) -> str:
    """The name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
