"""What a model is trained with, and which settings the search tries."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of alternating least squares on implicit feedback.

    Attributes:
        factors: Numbers that describe a track.
        regularization: The larger, the less single listens count.
        alpha: How much more a listen says than none.
        iterations: Rounds over users and tracks.
    """

    factors: int = 64
    regularization: float = 5.0
    alpha: float = 10.0
    iterations: int = 15

    def as_parameters(self) -> dict[str, float]:
        """Return the settings by name, as registries show them."""
        return asdict(self)


GRID = (
    Settings(),
    Settings(factors=128, regularization=10.0, alpha=5.0),
    Settings(factors=32, regularization=5.0, alpha=10.0),
    Settings(factors=32, regularization=1.0, alpha=2.0),
)
