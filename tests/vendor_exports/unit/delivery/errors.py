"""What errors may not hold."""

from tests.vendor_exports.unit.client.script import texts


def assert_no_address(error: BaseException, url: str) -> None:
    """Nothing of an address but its host may be in an error, or in those before it."""
    said = " ".join(texts(error))
    path = url.partition("://")[2].partition("/")[2]
    assert [part for part in (*path.split("?"), "signature", "SIMSIGNATURE", "://") if part in said] == []
