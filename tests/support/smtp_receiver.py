"""A mail server on loopback, just large enough to take mails: HELO, MAIL, RCPT, DATA, QUIT."""

import email
import email.message
import socketserver
import threading
from typing import NamedTuple


class Mail(NamedTuple):
    """One that was taken."""

    sender: str
    recipients: list[str]
    message: email.message.Message


class SmtpReceiver:
    """`mails` in the order they came, on `port` (0: any that is free). A context manager."""

    def __init__(self, port: int = 0) -> None:
        mails: list[Mail] = []
        self.mails = mails

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sender, recipients = "", []
                self.say("220 ready")
                while line := self.rfile.readline().decode().strip():
                    verb, address = line[:4].upper(), line.partition("<")[2].partition(">")[0]
                    if verb == "MAIL":
                        sender = address
                    elif verb == "RCPT":
                        recipients.append(address)
                    elif verb == "DATA":
                        self.say("354 go on")
                        mails.append(Mail(sender, recipients, self.body()))
                    self.say("221 bye" if verb == "QUIT" else "250 ok")
                    if verb == "QUIT":
                        return

            def body(self) -> email.message.Message:
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                return email.message_from_bytes(b"".join(lines))

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> "SmtpReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
