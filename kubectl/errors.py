"""What the user sees when something goes wrong: one sentence, on stderr, and an exit code, in kubectl's wording."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.errors import StatusError


class CliError(Exception):
    """A failure to tell the user about. `prefix` is what stands before the sentence."""

    def __init__(self, message: str, *, code: int = 1, prefix: str = "error: ") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.prefix = prefix

    def __str__(self) -> str:
        return f"{self.prefix}{self.message}"


class Exit(Exception):
    """Leave with this code; everything worth saying has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Unreachable(CliError):
    """No answer from the server: refused, timed out, not resolved, or its certificate is not trusted."""

    def __init__(self, message: str) -> None:
        super().__init__(message, prefix="")


def status_message(error: StatusError) -> str:
    """The text for an error Status, e.g. `Error from server (NotFound): pods "x" not found`."""
    if error.reason == "Invalid":
        return _invalid_message(error)
    if error.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({error.message})"
    reason = f" ({error.reason})" if error.reason else ""
    return f"Error from server{reason}: {error.message}"


def _invalid_message(error: StatusError) -> str:
    details = error.details or {}
    subject = "The request is invalid"
    if details.get("kind") or details.get("name"):
        subject = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    causes = [_cause(cause) for cause in details.get("causes") or ()]
    if not causes:
        return f"{subject}: {error.message}"
    if len(causes) == 1:
        return f"{subject}: {causes[0]}"
    return "\n".join([f"{subject}: ", *(f"* {cause}" for cause in causes)])


def _cause(cause: dict[str, str]) -> str:
    field, message = cause.get("field", ""), cause.get("message", "")
    return f"{field}: {message}" if field else message
