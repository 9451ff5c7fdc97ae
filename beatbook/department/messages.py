"""Whom a department's runs write to: packets by mail, alerts by mail and webhook."""

from typing import Annotated

from pydantic import Field

from beatbook.department.settings import Settings

Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class MailSettings(Settings):
    """The mail server, and who receives what.

    A password is never in a file of the repository: ``password_variable`` names the environment
    variable that holds it.
    """

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: str = Field(default="starttls", pattern="^(starttls|tls|none)$")
    user: str | None = None
    password_variable: str | None = None
    sender: Address
    book: list[Address] = []
    packets: dict[str, list[Address]] = {}


class AlertSettings(Settings):
    """Who is told when a run fails or a check holds the book."""

    mail: list[Address] = []
    webhook: str | None = Field(default=None, pattern=r"^https?://")
