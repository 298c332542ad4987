"""Errors of the vendor's API: their messages name the slot, the step, what happened and what to do, never a secret."""


class VendorError(Exception):
    """The vendor did not do what it was asked for."""

    def __init__(self, slot: str, step: str, happened: str, advice: str) -> None:
        super().__init__(f"export {slot}, {step}: {happened}. {advice}")


class CredentialsRefusedError(VendorError):
    """The vendor does not accept the credentials of the secret: it is wrong, or was rotated or revoked."""


class VendorUnavailableError(VendorError):
    """The vendor could not be reached or had transient errors at all attempts; a later attempt may succeed."""


class JobUnknownError(VendorError):
    """The vendor does not know the job, or not any more."""


class AnswerNotUnderstoodError(VendorError):
    """The vendor's answer is not as its interface says."""
