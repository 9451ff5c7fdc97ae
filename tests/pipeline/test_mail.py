"""Mail goes out over SMTP as the settings say, or a sentence says why it did not."""

import datetime as dt
import ipaddress
import ssl

import pytest

from beatbook.department.messages import MailSettings
from pipelines import mail


def settings(office, **changes):
    return MailSettings(**office.settings(**changes))


def note(to=("chief@police.example",), subject="Book", text="Attached.\n", attachments=()):
    return mail.compose(
        MailSettings(host="x", sender="beatbook@police.example"), to, subject, text, attachments
    )


@pytest.fixture
def certificate(tmp_path):
    """A self-made certificate of 127.0.0.1, and the server's side of it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path, secret = tmp_path / "server.pem", tmp_path / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return path, context


def knows(user, password):
    from aiosmtpd.smtp import AuthResult

    def check(_server, _session, _envelope, _mechanism, given):
        told = (given.login.decode(), given.password.decode())
        return AuthResult(success=told == (user, password), handled=False)

    return check


def test_a_message_arrives_with_its_letters_and_its_file(post_office, tmp_path):
    packet = tmp_path / "3.pdf"
    packet.write_bytes(b"%PDF-1.7 \x00\xff")
    message = note(["a@police.example", "b@police.example"], "Woche läuft\nBcc: x@y",
                   "Übersicht, 12 %\n", [packet])  # fmt: skip

    assert mail.send(message, settings(post_office)) == {}

    (got,) = post_office.messages
    assert post_office.receivers == [["a@police.example", "b@police.example"]]
    # A line break in a subject must not become a header of its own.
    assert got["Subject"] == "Woche läuft Bcc: x@y" and got["Bcc"] is None
    assert got["From"] == "beatbook@police.example" and got["Date"]
    assert got["Message-ID"].endswith("@police.example>")
    assert got.get_body().get_content().strip() == "Übersicht, 12 %"
    (attached,) = got.iter_attachments()
    assert attached.get_filename() == "3.pdf" and attached.get_content_type() == "application/pdf"
    assert attached.get_content() == packet.read_bytes()


def test_an_address_that_is_refused_is_named_and_the_others_receive(post_office):
    post_office.unknown = {"gone@police.example"}
    message = note(["gone@police.example", "here@police.example"])
    assert mail.send(message, settings(post_office)) == {
        "gone@police.example": "no such mailbox here"
    }
    assert post_office.receivers == [["here@police.example"]]

    with pytest.raises(mail.MailError, match=r"refused every address: gone@.* no such mailbox"):
        mail.send(note(["gone@police.example"]), settings(post_office))


def test_the_connection_is_encrypted_and_the_password_checked(
    open_post_office, certificate, monkeypatch
):
    path, context = certificate
    office = open_post_office(
        tls_context=context, require_starttls=True, auth_required=True,
        authenticator=knows("beatbook", "correct horse"),
    )  # fmt: skip
    wanted = settings(
        office, security="starttls", user="beatbook", password_variable="POST_PASSWORD"
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(mail.NoMailServer, match="set the environment variable POST_PASSWORD"):
        mail.send(note(), wanted)

    monkeypatch.setenv("POST_PASSWORD", "wrong")
    with pytest.raises(
        mail.NoMailServer, match=r"refused the user beatbook.*POST_PASSWORD"
    ) as told:
        mail.send(note(), wanted)
    assert "wrong" not in str(told.value)
    assert office.messages == []

    monkeypatch.setenv("POST_PASSWORD", "pässword")
    with pytest.raises(mail.NoMailServer, match="plain letters"):
        mail.send(note(), wanted)

    monkeypatch.setenv("POST_PASSWORD", "correct horse")
    assert mail.send(note(), wanted) == {}
    assert len(office.messages) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(open_post_office, certificate):
    office = open_post_office(tls_context=certificate[1], require_starttls=True)
    with pytest.raises(mail.NoMailServer, match=r"not trusted.*SSL_CERT_FILE"):
        mail.send(note(), settings(office, security="starttls"))
    assert office.messages == []


def test_encryption_from_the_start(open_post_office, certificate, monkeypatch):
    path, context = certificate
    office = open_post_office(ssl_context=context)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert mail.send(note(), settings(office, security="tls")) == {}
    assert len(office.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_without_encryption_is_sent_nothing(post_office, security):
    with pytest.raises(mail.NoMailServer, match=r"mail.security"):
        mail.send(note(), settings(post_office, security=security))
    assert post_office.messages == []


def test_a_server_that_is_not_there_is_told(dead_port):
    gone = MailSettings(
        host="127.0.0.1", port=dead_port, security="none", sender="beatbook@police.example"
    )
    with pytest.raises(mail.NoMailServer, match=rf"127.0.0.1:{dead_port} could not be reached"):
        mail.send(note(), gone)


def test_a_server_that_says_nothing_is_not_waited_for_long():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = MailSettings(
            host="127.0.0.1", port=silent.getsockname()[1], security="none",
            sender="beatbook@police.example",
        )  # fmt: skip
        with pytest.raises(mail.NoMailServer, match="did not answer in time"):
            mail.send(note(), mute, timeout=0.2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"security": "none", "password_variable": "P"}, "the password would travel readable"),
        ({"security": "tls"}, "mail.password_variable"),
    ],
)
def test_a_password_is_never_sent_in_the_clear_nor_guessed(changes, said):
    wanted = MailSettings(
        host="mail.police.example", user="beatbook", sender="b@police.example", **changes
    )
    with pytest.raises(mail.NoMailServer, match=said):
        mail.send(note(), wanted)
