"""A NATS server as a Windows host and a Linux one share it: TLS, and users with passwords."""

from pathlib import Path

import trustme

from core.sections import BusSettings
from tests.support.servers import NatsServer

USER, PASSWORD = "desk", "correct horse"
_MORE = """
tls {{ cert_file: "{certificate}", key_file: "{key}" }}
authorization {{ users: [{{ user: "{user}", password: "{password}" }}] }}
"""


class TlsServer(NatsServer):
    """As NatsServer; `settings` are those of somebody who may use it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        authority, certificate = trustme.CA(), directory / "server.pem"
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        authority.cert_pem.write_to_path(str(directory / "ca.pem"))
        trustme.CA().cert_pem.write_to_path(str(directory / "other.pem"))
        with (directory / "nats.conf").open("a") as file:
            file.write(
                _MORE.format(certificate=certificate, key=certificate, user=USER, password=PASSWORD)
            )
        self.settings = BusSettings(
            url=f"tls://127.0.0.1:{self.port}", user=USER, password=PASSWORD,
            ca=str(directory / "ca.pem"),
        )  # fmt: skip
        self.wrong_ca = str(directory / "other.pem")
