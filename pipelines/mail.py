"""Send a message by the department's mail server, or say in a sentence why it was not sent."""

import os
import smtplib
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from beatbook.department.messages import MailSettings
from beatbook.errors import BeatbookError

TIMEOUT_S = 30.0
"""How long a silent server is waited for; a busy one answers within a few seconds."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class MailError(BeatbookError):
    """A message could not be sent."""


class NoMailServer(MailError):
    """No message at all can be sent: the server, the password or the settings are at fault."""


def compose(
    settings: MailSettings,
    to: Iterable[str],
    subject: str,
    text: str,
    attachments: Iterable[Path] = (),
) -> EmailMessage:
    """Put a message together: plain text in UTF-8, and files as they are.

    Parameters
    ----------
    settings
        Its ``sender`` is the message's From.
    to
        Who receives it; everybody named sees the others.
    subject, text
        May hold any letters; a line break in the subject becomes a space.
    attachments
        Files that exist; sent under their own names, PDF as ``application/pdf``.
    """
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate(localtime=False)
    # Named after the sender's domain: this machine's name is nobody's business.
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
    message.set_content(text)
    for path in attachments:
        kind = ("application", "pdf") if path.suffix == ".pdf" else ("application", "octet-stream")
        message.add_attachment(
            path.read_bytes(), maintype=kind[0], subtype=kind[1], filename=path.name
        )
    return message


def send(
    message: EmailMessage, settings: MailSettings, *, timeout: float = TIMEOUT_S
) -> dict[str, str]:
    """Send one message over SMTP.

    Parameters
    ----------
    message
        As :func:`compose` makes it.
    settings
        The server. ``security``: ``starttls`` (the connection is encrypted before anything is
        said), ``tls`` (from the start) or ``none``. The certificate is checked against the
        system's authorities; a department with its own authority sets ``SSL_CERT_FILE``. With
        ``user``, the password is read from the environment variable ``password_variable``.
    timeout
        Seconds to wait for each answer of the server (default 30).

    Returns
    -------
    dict
        The addresses that the server refused, with what it said; empty if it took them all.

    Raises
    ------
    NoMailServer
        If the server is not there, its certificate is not trusted, it refused the password, or
        the settings would send a password in the clear. The message says what to look at.
    MailError
        If the server refused the message or every address.
    """
    where = f"{settings.host}:{settings.port}"
    password = _password(settings)
    try:
        with _connect(settings, timeout) as server:
            if settings.user is not None:
                server.login(settings.user, password)
            refused = server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise NoMailServer(
            f"The mail server {where} refused the user {settings.user}: {_said(error.smtp_error)}. "
            f"Check mail.user and the environment variable {settings.password_variable}."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        told = "; ".join(f"{who}: {_said(said)}" for who, (_, said) in error.recipients.items())
        raise MailError(f"The mail server {where} refused every address: {told}.") from None
    except smtplib.SMTPNotSupportedError as error:
        raise NoMailServer(
            f"The mail server {where} does not offer what is asked of it ({error}). "
            f"mail.security is {settings.security}; ask who runs the server which it should be."
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise NoMailServer(
            f"The certificate of the mail server {where} is not trusted: {error.verify_message}. "
            "If your department has an authority of its own, set the environment variable "
            "SSL_CERT_FILE to its certificate file (PEM)."
        ) from None
    except ssl.SSLError as error:
        raise NoMailServer(
            f"The mail server {where} could not be spoken to with encryption ({error.reason}). "
            "Port 587 goes with mail.security: starttls, port 465 with tls."
        ) from None
    except smtplib.SMTPResponseException as error:
        raise MailError(
            f"The mail server {where} did not take the message: {error.smtp_code} "
            f"{_said(error.smtp_error)}."
        ) from None
    except UnicodeEncodeError:
        raise NoMailServer(
            f"The password in {settings.password_variable} holds letters that mail servers cannot "
            "be sent; give the account one of plain letters, digits and signs."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        # smtplib tells a silent server as one that hung up.
        silent = isinstance(error, TimeoutError) or "timed out" in str(error)
        why = "it did not answer in time" if silent else str(error)
        raise NoMailServer(
            f"The mail server {where} could not be reached: {why}. "
            "Check mail.host and mail.port, and that this machine may connect to it."
        ) from None
    return {who: _said(said) for who, (_, said) in refused.items()}


def _connect(settings: MailSettings, timeout: float) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=timeout, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(settings.host, settings.port, timeout=timeout)
    if settings.security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _password(settings: MailSettings) -> str:
    if settings.user is None:
        return ""
    if settings.security == "none" and settings.host not in _LOOPBACK:
        raise NoMailServer(
            "mail.security is none: the password would travel readable. Set it to starttls or "
            "tls, or use a server that needs no mail.user."
        )
    if not settings.password_variable:
        raise NoMailServer(
            "mail.user is set, but not mail.password_variable: the name of the environment "
            "variable that holds the password."
        )
    password = os.environ.get(settings.password_variable)
    if not password:
        raise NoMailServer(
            f"The password of {settings.user} is not there: set the environment variable "
            f"{settings.password_variable} for the account that runs beatbook."
        )
    return password


def _said(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split()).rstrip(".")
