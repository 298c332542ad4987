"""Names of people, bands and songs, as a music application has them: with accents, apostrophes and commas."""

import unicodedata
from random import Random

GENRES = (
    *("Pop", "Rock", "Indie", "Hip-Hop", "R&B", "Soul", "Jazz", "Blues", "Classical", "Techno", "House", "Ambient"),
    *("Metal", "Punk", "Folk", "Country", "Reggae", "Latin", "Afrobeat", "Chanson"),
)

_FIRST = (
    *("Ana", "Zoë", "José", "Marie-Ève", "Liam", "Chloé", "Björn", "Łukasz", "Noor", "Aïcha", "Kenji", "Mei", "Olu"),
    *("Ivan", "Søren", "Emma", "Lucas", "Fatima", "Diego", "Priya", "Tomás", "Grace", "Yusuf", "Hana", "Nia", "Max"),
)
_LAST = (
    *("O'Connor", "Müller", "García", "Nguyễn", "D'Angelo", "Tremblay", "Okafor", "Kowalski", "Åkesson", "Sato", "Li"),
    *("van der Berg", "Silva", "Haddad", "Novák", "Smith", "Dubois", "Kaya", "Petrov", "Mensah", "Rossi", "Chan"),
)
_HOW = (
    *("Silver", "Midnight", "Broken", "Golden", "Paper", "Electric", "Quiet", "Lost", "Neon", "Velvet", "Second"),
    *("Wild", "Été", "Slow", "Burning", "Invisible", "Northern", "Sweet", "Blue", "Crystal", "Hollow", "Last"),
)
_WHAT = (
    *("Harbour", "Hearts", "Train", "Rain", "Mirror", "City", "Garden", "Signal", "Summer", "Ghost", "Letters"),
    *("Señorita", "Machine", "Ocean", "Fire", "Moon", "Roads", "Café", "Echo", "Dance", "Winter", "Fever"),
)
_BANDS = ("The {how} {what}", "{how} {what}", "{last} & the {what}", "{first} {last}", "DJ {first}", '"{what}" {last}')
_TITLES = ("{how} {what}", "{what}", "{how} {what} (feat. {first})", "{what}, {how}", "{how} {what} - Remastered 2011")
_GENDERS = ("Female", "Male", "Non-binary", "Prefer not to say")
_SHARES = (0.48, 0.95, 0.98, 1.0)


def _one(rng: Random, words: tuple[str, ...]) -> str:
    return words[int(rng.random() * len(words))]


def first_name(rng: Random) -> str:
    """Return a first name."""
    return _one(rng, _FIRST)


def last_name(rng: Random) -> str:
    """Return a last name."""
    return _one(rng, _LAST)


def full_name(rng: Random) -> str:
    """Return first and last name."""
    return f"{_one(rng, _FIRST)} {_one(rng, _LAST)}"


def band(rng: Random) -> str:
    """Return the name of an artist."""
    return _written(rng, _BANDS)


def title(rng: Random) -> str:
    """Return the name of a song or an album."""
    return _written(rng, _TITLES)


def gender(rng: Random) -> str:
    """Return what a user chose in a list."""
    chance = rng.random()
    return next(word for word, share in zip(_GENDERS, _SHARES, strict=True) if chance < share)


def email(first: str, last: str, number: int) -> str:
    """Return an e-mail address, which no other user has."""
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    return f"{''.join(letter for letter in plain if letter.isalnum() or letter in '.-')}{number}@example.com"


def _written(rng: Random, forms: tuple[str, ...]) -> str:
    words = {"how": _one(rng, _HOW), "what": _one(rng, _WHAT), "first": _one(rng, _FIRST), "last": _one(rng, _LAST)}
    return _one(rng, forms).format_map(words)
