"""Whole numbers, however they were written: JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not."""

_EXACT = 2**53
"""Below, a parsed float is the very whole number that was written; here it may stand for a neighbour."""


class InexactError(Exception):
    """A whole number of 2^53 or more was written with a point or an exponent, so that parsing may have rounded it."""

    def __init__(self, pointer: str = "") -> None:
        """Keep the JSON pointer of the member it was found in."""
        super().__init__(pointer)
        self.pointer = pointer


def whole(number: float) -> int:
    """Return a valid integer as an int. Raises InexactError."""
    if type(number) is int:
        return number
    if abs(number) >= _EXACT:
        raise InexactError
    return int(number)
