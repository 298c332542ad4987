"""What can go wrong with the vendor.

    VendorError                     any of them
    ├── CredentialsRefusedError     the secret is wrong, rotated or revoked
    ├── VendorUnavailableError      no answer, or only excuses, however often it was asked
    ├── JobUnknownError             it does not know the job, or not any more
    └── AnswerNotUnderstoodError    an answer that follows no rule we know

Messages say which step, of which slot, what happened and what to do; they never hold a secret or an address.
"""


class VendorError(Exception):
    """The vendor did not do what was asked."""

    def __init__(self, slot: str, step: str, happened: str, advice: str) -> None:
        """Say what happened (`happened`) in which step, and what to do about it (`advice`)."""
        super().__init__(f"export {slot}, {step}: {happened}. {advice}")


class CredentialsRefusedError(VendorError):
    """The vendor accepts the credentials of the secret no longer, or not yet."""


class VendorUnavailableError(VendorError):
    """The vendor could not be reached or did not manage to answer; later it may."""


class JobUnknownError(VendorError):
    """The vendor does not know the job we ask about."""


class AnswerNotUnderstoodError(VendorError):
    """The vendor answered with something its interface does not know."""
