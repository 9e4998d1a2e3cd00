"""Real phones: baresip 1.0 without sound card or display, driven over its control socket.

Owns one phone's folder, process and control connection (netstrings with JSON). What the phone reports is
an event, and a test waits for events. The phone plays its own tune and records what it hears.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from . import music
from .codecs import PCMU, Codec
from .message import Address
from .ports import Ports, block, wait_bound
from .program import Program, WireError

MODULES = "/usr/lib/baresip/modules"

_CONFIG = """\
module_path {modules}
sip_listen {host}:{sip}
net_interface {host}
rtp_ports {rtp}-{rtp_last}
audio_source aufile,{tune}
audio_player aubridge,nil
audio_alert aubridge,nil
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path {recordings}
ringback_disabled yes
opus_stereo no
opus_sprop_stereo no
module g711.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app contact.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
{tls}
"""


class Baresip:
    """One phone. Times are seconds; `tune` is what it plays, `media` where it receives RTP and sends it from.

    `codecs` are those that it offers, best first; its log is a trace of every SIP message. By TLS it believes whom the
    file `believes` names. Its messages go to the user that it `writes_to`.
    """

    def __init__(
        self,
        user: str,
        password: str,
        server: Address,
        folder: Path,
        *,
        transport: Literal["udp", "tcp", "tls"] = "udp",
        answers: bool = False,
        host: str = "127.0.0.1",
        seconds: float = 20.0,
        codecs: Sequence[Codec] = (PCMU,),
        account: str = "",
        believes: str = "",
        writes_to: str = "",
    ) -> None:
        self.user = user
        self._transport = transport
        self._believes = believes
        self.folder = folder / f"baresip-{user}"
        self._server = server
        self._recordings = self.folder / "recordings"
        self._recordings.mkdir(parents=True)
        self.tune = self.folder / "tune.wav"
        music.write_tune(self.tune, user, seconds)
        sip = block(32, host)
        self.address = Address(host, sip)
        self.media = Ports(host, sip + 4, sip + 30)
        offered = ";audio_codecs=" + ",".join(codec.phone for codec in codecs)
        self._write_files(password, transport, answers, offered + account, writes_to or user)
        self._events: list[dict[str, object]] = []
        self._replies: dict[str, dict[str, object]] = {}
        self._buffer = b""
        self._commands = 0
        self.program = Program(["baresip", "-f", str(self.folder), "-s"], self.folder / "log")
        try:
            wait_bound(self.program, host, self._control_port, "tcp")
            self._socket = socket.create_connection((host, self._control_port), 5.0)
        except (WireError, OSError):
            self.program.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """End the phone: it hangs up and unregisters by itself."""
        self._socket.close()
        self.program.stop()

    def kill(self) -> None:
        """End the phone without a word: its connections close, nothing is unregistered."""
        self._socket.close()
        self.program.stop(sent=signal.SIGKILL)

    def wait(self, event: str, timeout: float = 10.0) -> dict[str, object]:
        """Return the next event of that type that no earlier wait returned, or passed over.

        Events before it are passed over. Raises WireError, with what came instead, after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        passed: list[str] = []
        while True:
            while self._events:
                found = self._events.pop(0)
                if found.get("type") == event:
                    return found
                passed.append(f"{found.get('type')} {found.get('param', '')}".strip())
            if not self._read(deadline):
                came = f"no {event} in {timeout:g} s, but {passed or 'nothing'}"
                raise WireError(f"baresip {self.user}: {came}\n{self.program.tail()}")

    def command(self, command: str, params: str = "", timeout: float = 5.0) -> str:
        """Run one of baresip's commands and return what it printed; WireError when it refuses."""
        self._commands += 1
        token = f"t{self._commands}"
        message = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._socket.sendall(b"%d:%s," % (len(message), message))
        deadline = time.monotonic() + timeout
        while token not in self._replies:
            if not self._read(deadline):
                raise WireError(
                    f"baresip {self.user}: no answer to {command!r} in {timeout:g} s\n{self.program.tail()}"
                )
        reply = self._replies.pop(token)
        if not reply.get("ok"):
            raise WireError(f"baresip {self.user}: {command} {params} refused: {reply.get('data')}")
        return str(reply.get("data", ""))

    def dial(self, number: str) -> None:
        """Call a number or name at our server."""
        by = ";transport=tls" if self._transport == "tls" else ""
        self.command("dial", f"sip:{number}@{self._server}{by}")

    def write(self, text: str) -> None:
        """Send a message to whom this phone writes to."""
        self.command("message", text)

    def hang_up(self) -> None:
        """End the call, or refuse it while it rings here, or give up calling."""
        self.command("hangup")

    def wait_registered(self, timeout: float = 10.0) -> None:
        """Return when the registrar has taken this phone; the log has it, for it may be before any event."""
        self.program.wait_line(r"200 OK .*\[\d+ bindings?\]", timeout)

    def wait_heard(self, seconds: float, timeout: float = 15.0) -> None:
        """Return when this phone has recorded that much sound: the file's growth is polled."""
        deadline = time.monotonic() + timeout
        while (got := self._heard_seconds()) < seconds:
            if time.monotonic() > deadline:
                raise WireError(
                    f"baresip {self.user} heard {got:.1f} s of sound, not {seconds:g}\n{self.program.tail()}"
                )
            time.sleep(0.02)

    def likeness(self, other: Baresip, *, start: float = 0.5) -> float:
        """Return how much what was heard from `start` seconds on is the other phone's tune: 0 to 1."""
        # Both began with the call: what is heard is not far from where it stands in the tune.
        near = music.read(other.tune)[: int((start + 2.0) * music.RATE)]
        return music.likeness(self.heard(), near, start=start)

    def heard(self) -> music.Sound:
        """Return what was heard in the last call, up to its first hold: there the phone stops recording."""
        return music.read(self._recording())

    def _recording(self) -> Path:
        found = sorted(self._recordings.glob("*-dec.wav"))
        if not found:
            raise WireError(f"baresip {self.user} recorded nothing\n{self.program.tail()}")
        return found[-1]

    def _heard_seconds(self) -> float:
        found = sorted(self._recordings.glob("*-dec.wav"))
        return music.seconds(found[-1]) if found else 0.0

    @property
    def _control_port(self) -> int:
        return self.address.port + 2

    def _write_files(self, password: str, transport: str, answers: bool, account: str, contact: str) -> None:
        host, sip = self.address
        values: Mapping[str, object] = {
            "modules": MODULES,
            "host": host,
            "sip": sip,
            "control": self._control_port,
            "rtp": self.media.first,
            "rtp_last": self.media.last,
            "tune": self.tune,
            "recordings": self._recordings,
            "tls": f"sip_cafile {self._believes}" if self._believes else "",
        }
        (self.folder / "config").write_text(_CONFIG.format_map(values), encoding="utf-8")
        line = f"<sip:{self.user}@{self._server};transport={transport}>;auth_pass={password};regint=60"
        line += (";answermode=auto" if answers else "") + account
        (self.folder / "accounts").write_text(line + "\n", encoding="utf-8")
        (self.folder / "contacts").write_text(f'"{contact}" <sip:{contact}@{self._server}>\n', encoding="utf-8")

    def _read(self, deadline: float) -> bool:
        """Take in one event or reply; False when the time is over."""
        while True:
            head, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(head):
                self._buffer = rest[int(head) + 1 :]
                # The phone leaves raw control characters in its strings.
                message = json.loads(rest[: int(head)], strict=False)
                if message.get("response"):
                    self._replies[str(message.get("token"))] = message
                else:
                    self._events.append(message)
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return False
            if not data:
                raise WireError(f"baresip {self.user} ended\n{self.program.tail()}")
            self._buffer += data
