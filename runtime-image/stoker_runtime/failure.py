"""Why weights cannot be had: a reason out of a closed list, and a sentence that names what was found and what to do."""

from enum import StrEnum


class Reason(StrEnum):
    """The operator's reasons of the same names have what they mean and what to do."""

    UNAUTHORIZED = "SourceUnauthorized"  # 401: no token, or a wrong one
    FORBIDDEN = "SourceForbidden"  # 403: the token may not read it, or the licence was not accepted
    NOT_FOUND = "SourceNotFound"  # 404: no such repository, revision, object or tag
    UNREACHABLE = "SourceUnreachable"  # no answer, or 429 and 5xx to the end of all patience
    UNSAFE_SOURCE = "UnsafeSource"  # addresses, paths, links or sizes that no honest source gives
    UNSAFE_FORMAT = "UnsafeFormat"  # pickle or code, which was not allowed
    NO_WEIGHTS = "NoWeightsFound"  # nothing that the engine can load
    DIGEST_MISMATCH = "DigestMismatch"  # the bytes are not those that the source lists
    SIZE_MISMATCH = "SizeMismatch"
    UNREADABLE = "WeightsUnreadable"  # headers or configuration that make no sense
    DISK_FULL = "DiskFull"
    VOLUME_NOT_WRITABLE = "VolumeNotWritable"
    BUSY = "WeightsBusy"  # another job writes the same revision, and did not end in time


class WeightsError(Exception):
    """Final: the same try again would end the same way, or patience is at its end."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message
