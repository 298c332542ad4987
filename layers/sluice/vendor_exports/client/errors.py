"""Errors of the vendor's API.

    VendorError                     all of them
    ├── CredentialsRefusedError     the secret is wrong, rotated or revoked
    ├── VendorUnavailableError      no answer, or only transient errors, at all attempts
    ├── JobUnknownError             it does not know the job (any more)
    └── AnswerNotUnderstoodError    an answer that is not as its interface says

Messages name the slot and the step, what happened and what to do; they never hold a secret or a URL.
"""


class VendorError(Exception):
    """The vendor did not do what it was asked for."""

    def __init__(self, slot: str, step: str, happened: str, advice: str) -> None:
        """Make the message: the slot, the step, what happened, and what to do about it (`advice`)."""
        super().__init__(f"export {slot}, {step}: {happened}. {advice}")


class CredentialsRefusedError(VendorError):
    """The vendor does not accept the credentials of the secret."""


class VendorUnavailableError(VendorError):
    """The vendor could not be reached or had transient errors; a later attempt may succeed."""


class JobUnknownError(VendorError):
    """The vendor does not know the job."""


class AnswerNotUnderstoodError(VendorError):
    """The vendor's answer is not as its interface says."""
