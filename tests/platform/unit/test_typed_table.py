"""Settings changed by tables of TOML: what is taken, and how what is wrong is refused."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest

from infra.typed_table import Between, Matching, TableError, changed


class Flavour(StrEnum):
    SWEET = "sweet"
    SOUR = "sour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    width: Annotated[int, Between(1, 10)]
    height: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cake:
    name: str = field(default="cake", metadata={"in_file": False})
    size: Size = Size(width=2, height=3)
    spare: Size | None = None
    flavour: Flavour = Flavour.SWEET
    level: Literal["low", "high"] = "low"
    guests: tuple[Annotated[str, Matching(r"[A-Z]\w+", '"Ann"')], ...] = ()
    candles: int | None = 5
    share: Annotated[float, Between(0, 100)] = 50.0
    days: Annotated[int, Between(1, only=(1, 3))] = 1
    iced: bool = False

    def __post_init__(self) -> None:
        if self.iced and self.flavour is Flavour.SOUR:
            raise ValueError("iced: not when it is sour")


def test_only_what_is_given_changes() -> None:
    table = {
        "size": {"height": 7},
        "spare": {"width": 9},
        "flavour": "sour",
        "level": "high",
        "guests": ["Ann", "Bob"],
        "candles": False,
        "share": 3,
        "days": 3,
    }
    assert changed(Cake(iced=False), table, "cake") == Cake(
        size=Size(width=2, height=7),
        spare=Size(width=9),
        flavour=Flavour.SOUR,
        level="high",
        guests=("Ann", "Bob"),
        candles=None,
        share=3,
        days=3,
    )
    assert changed(Cake(), {}, "cake") == Cake()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"flavor": "sour"}, "cake.flavor is no setting; did you mean flavour?"),
        ({"oven": 1}, "cake.oven is no setting; there are candles, days, flavour,"),
        ({"name": "x"}, "cake.name is no setting"),
        ({"size": 3}, "cake.size: 3 is no table; write its settings below [cake.size]"),
        ({"size": {"width": 11}}, "cake.size.width: 11 is wrong; use at least 1 and at most 10"),
        ({"size": {"width": "2"}}, "cake.size.width: '2' is wrong; use a whole number"),
        ({"size": {"width": True}}, "cake.size.width: true is wrong; use a whole number"),
        ({"size": {"height": -1}}, "cake.size.height: -1 is wrong; use a number that is not negative"),
        ({"size": {"depth": 1}}, "cake.size.depth is no setting"),
        ({"spare": {"height": 1}}, "cake.spare: width must be given, too"),
        ({"flavour": "Sour"}, "cake.flavour: 'Sour' is wrong; use one of sweet, sour"),
        ({"flavour": ["sour"]}, "cake.flavour: ['sour'] is wrong"),
        ({"level": {}}, "cake.level: {} is wrong; use one of low, high"),
        ({"guests": "Ann"}, "cake.guests: 'Ann' is wrong; use a list"),
        ({"guests": ["Ann", "bob"]}, "cake.guests: 'bob' is wrong; write it like \"Ann\""),
        ({"candles": 1.5}, "cake.candles: 1.5 is wrong; use a whole number"),
        ({"share": float("nan")}, "cake.share: nan is wrong; use a number that is not negative"),
        ({"share": float("inf")}, "cake.share: inf is wrong"),
        ({"days": 2}, "cake.days: 2 is wrong; use one of 1, 3"),
        ({"iced": 1}, "cake.iced: 1 is wrong; use true or false"),
        ({"iced": True, "flavour": "sour"}, "cake: iced: not when it is sour"),
    ],
)
def test_what_is_wrong_is_refused_by_its_key_with_a_remedy(table: dict[str, Any], message: str) -> None:
    with pytest.raises(TableError) as refused:
        changed(Cake(), table, "cake")
    assert message in str(refused.value)
