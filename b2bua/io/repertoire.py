"""The sounds that can be asked for: those of every policy that somebody still follows, and the tone.

Owns encoding them, in a thread, before a policy is in force, and letting go of them when the last call that follows
the policy has ended. Leaves reading and encoding a file to `sounds`, playing to the media process.
"""

from __future__ import annotations

from collections.abc import Collection
from weakref import WeakSet

import trio

from b2bua.effects import TONE, Codec
from b2bua.io import sounds
from b2bua.io.media.supervisor import MediaProcess
from b2bua.io.sounds import Payloads, SoundError
from dsl.policy import Policy
from dsl.sounds import Sound


class Repertoire:
    """What one media process can play."""

    def __init__(self, media: MediaProcess) -> None:
        self._media = media
        self._policies: WeakSet[Policy] = WeakSet()

    @property
    def sounds(self) -> frozenset[str]:
        """The versions that are known, the tone's among them."""
        return self._media.sounds

    async def begin(self, policy: Policy) -> list[str]:
        """Make the tone known, and with it the codecs that can be played; then the sounds of the first policy."""
        tone = await trio.to_thread.run_sync(sounds.tone, sounds.available_codecs())
        return self._learn({TONE: tone}) + await self.admit(policy)

    async def admit(self, policy: Policy) -> list[str]:
        """Make a policy's sounds known, before it is in force. Returns a sentence for each that cannot be played."""
        self._policies.add(policy)
        known = self._media.sounds
        wanted = {sound.version: sound for sound in policy.sounds.values() if sound.version not in known}
        encoded, wrong = await trio.to_thread.run_sync(_encoded, wanted.values())
        return wrong + self._learn(encoded)

    def _learn(self, encoded: dict[str, dict[Codec, Payloads]]) -> list[str]:
        wrong = []
        for version, payloads in encoded.items():
            try:
                self._media.learn(version, payloads)
            except OSError as error:
                wrong.append(f"there is no memory for the sound {version}: {error}")
        return wrong

    def tidy(self) -> None:
        """Let go of what no policy has that anybody follows."""
        wanted = {sound.version for policy in self._policies for sound in policy.sounds.values()}
        for version in self._media.sounds - wanted - {TONE}:
            self._media.forget(version)


def _encoded(wanted: Collection[Sound]) -> tuple[dict[str, dict[Codec, Payloads]], list[str]]:
    """Each sound by its version in every codec that there is, and what is wrong with the others."""
    codecs = sounds.available_codecs()
    encoded: dict[str, dict[Codec, Payloads]] = {}
    wrong = []
    for sound in wanted:
        try:
            encoded[sound.version] = sounds.encode(sound.path, codecs)
        except SoundError as error:
            wrong.append(f"sound {sound.name}, {sound.path}: {error}")
    return encoded, wrong
