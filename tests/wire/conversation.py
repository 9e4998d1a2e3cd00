"""A call between two peers that do as they are told, up to where a test takes over."""

from __future__ import annotations

from dataclasses import dataclass

from .lab import Lab
from .peer import Dialog, Peer

OK = r"SIP/2\.0 200 "


@dataclass(frozen=True)
class Conversation:
    """Both ends: `call` is the caller's dialog with the server, `answered` the callee's."""

    alice: Peer
    bob: Peer
    call: Dialog
    answered: Dialog

    def hang_up(self) -> None:
        """Let the caller end it."""
        self.call.request("BYE")
        self.bob.answer(self.bob.receive("BYE "), 200)
        self.alice.receive(OK)


def calling(lab: Lab) -> tuple[Peer, Peer, Dialog]:
    """Let alice call bob, who is registered and has not looked yet: both peers, and her dialog."""
    bob = lab.peer(at=lab.register("bob").address)
    alice = lab.peer()
    call = Dialog.calling(alice, lab.server.udp, "alice", "bob")
    call.invite("alice", lab.password("alice"))
    return alice, bob, call


def answered(lab: Lab) -> Conversation:
    """Let alice call bob and bob answer, and her not acknowledge it yet."""
    alice, bob, call = calling(lab)
    invite = bob.receive("INVITE ")
    bob.answer(invite, 200, tag="b", body=bob.sdp())
    call.confirm(alice.receive(OK))
    return Conversation(alice, bob, call, Dialog.called(bob, lab.server.udp, invite, "b"))


def established(lab: Lab) -> Conversation:
    """Let alice call bob, bob answer, and the ACK arrive."""
    conversation = answered(lab)
    conversation.call.acknowledge()
    conversation.bob.receive("ACK ")
    return conversation
