"""Files of the policy that change are read again, once they have settled; what is wrong is said once."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
import trio
from structlog.testing import LogCapture

from b2bua.core import Core
from b2bua.io.in_force import InForce
from b2bua.io.policy_watch import PolicyWatch
from b2bua.io.requests import Refused
from b2bua.io.shell import Shell
from b2bua.settings import Listener, Settings
from dsl.files import Files
from dsl.policy import Policy, load

from .edge import Noted
from .patience import in_time

SCRIPT = """policy "watched"
domain lab.example
users staff from "users.yaml"
table dids from "dids.csv" key number
on register { when not authenticated -> challenge otherwise -> accept }
on call {
  when not authenticated -> challenge
  when lookup dids dialed as d -> dial d.user
  otherwise -> reject 404
}
"""


class Office:
    """A core whose policy is watched."""

    def __init__(self, folder: Path, percent: int = 100) -> None:
        self.folder = folder
        self.write("office.route", SCRIPT)
        self.write("users.yaml", "alice: {password: a}\n")
        self.write("dids.csv", "number,user\n1,alice\n")
        self.loads = 0
        files = Files()
        policy = self._load(files)
        settings = Settings((Listener("UDP", "127.0.0.1", 5060),))
        self.core = Core(settings, policy, lambda: "0" * 16, bytes(32), [], 0.0, 1e9)
        self.logged = LogCapture()
        log = structlog.wrap_logger(
            None, processors=[self.logged], wrapper_class=structlog.make_filtering_bound_logger(20)
        )
        shell, noted = Shell(self.core, log), Noted()
        shell.connect(noted, noted, noted, noted, noted)
        self.in_force = InForce(self._load, files, self.core, shell, None)
        self.watch = PolicyWatch(self.in_force, 0.001, percent)
        self.loads = 0

    def _load(self, files: Files) -> Policy:
        self.loads += 1
        return load(self.folder / "office.route", files)

    def write(self, name: str, text: str) -> None:
        """Put another file in a file's place, as editors do."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.replace(self.folder / name)

    async def settled(self) -> None:
        """Look until what has changed was seen twice."""
        for _ in range(3):
            await self.watch.look()

    def states(self) -> list[str]:
        return [view.state for view in self.in_force.versions()]

    def said(self, event: str) -> int:
        return sum(entry["event"] == event for entry in self.logged.entries)


@pytest.fixture
async def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_nothing_is_read_while_nothing_changes(office: Office) -> None:
    await office.settled()
    assert (office.loads, office.states()) == (0, ["in force"])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("office.route", SCRIPT.replace("404", "410")),
        ("dids.csv", "number,user\n2,alice\n"),
        ("users.yaml", "alice: {password: a, mobile: '+49151'}\n"),
    ],
)
async def test_a_change_is_loaded_once_two_looks_have_seen_it(office: Office, file: str, text: str) -> None:
    before = office.core.policy.hash
    office.write(file, text)
    await office.watch.look()
    assert office.loads == 0
    await office.watch.look()
    assert office.loads == 1
    assert office.core.policy.hash != before
    await office.settled()
    assert (office.loads, office.states()) == (1, ["in force", "previous"])


async def test_what_is_still_being_written_waits(office: Office) -> None:
    for number in range(5):
        office.write("dids.csv", f"number,user\n{number},alice\n")
        await office.watch.look()
    assert office.loads == 0
    await office.watch.look()
    assert office.loads == 1


async def test_a_password_is_no_new_version(office: Office) -> None:
    before = office.core.policy
    office.write("users.yaml", "alice: {password: b}\n")
    await office.settled()
    assert office.core.policy.hash == before.hash
    assert office.core.policy.directory.credentials != before.directory.credentials
    assert office.states() == ["in force"]


async def test_what_is_wrong_is_said_once_and_shown_until_it_is_mended(office: Office) -> None:
    office.write("office.route", SCRIPT.replace("challenge", "chalenge"))
    await office.settled()
    await office.settled()
    assert (office.loads, office.states()) == (1, ["in force", "refused"])
    said = office.said("policy not loaded")
    refusal = office.in_force.versions()[-1]
    assert "office.route:5:41: " in refusal.why
    office.write("dids.csv", "number,user\n3,alice\n")
    await office.settled()
    assert office.said("policy not loaded") == 2 * said
    await office.settled()
    assert office.loads == 2
    office.write("office.route", SCRIPT)
    await office.settled()
    assert office.states() == ["in force", "previous"]


async def test_a_file_that_vanished_is_a_refusal_until_it_is_back(office: Office) -> None:
    (office.folder / "dids.csv").unlink()
    await office.settled()
    assert (office.loads, office.states()) == (1, ["in force", "refused"])
    office.write("dids.csv", "number,user\n1,alice\n")
    await office.settled()
    assert (office.loads, office.states()) == (2, ["in force"])


async def test_after_a_rollback_the_files_wait_for_their_next_change(office: Office) -> None:
    first = office.core.policy.hash
    office.write("office.route", SCRIPT.replace("404", "410"))
    await office.settled()
    await office.in_force.roll_back()
    await office.settled()
    assert (office.core.policy.hash, office.loads) == (first, 1)
    office.write("office.route", SCRIPT.replace("404", "480"))
    await office.settled()
    assert (office.loads, office.states()) == (2, ["in force", "previous"])


async def test_there_is_one_step_back(office: Office) -> None:
    with pytest.raises(Refused, match=r"no version before [0-9a-f]{16} is kept"):
        await office.in_force.roll_back()


async def test_a_change_can_go_to_a_trial_first_and_a_later_one_takes_its_place(tmp_path: Path) -> None:
    office = Office(tmp_path, percent=5)
    office.write("office.route", SCRIPT.replace("404", "410"))
    await office.settled()
    assert office.states() == ["in force", "on trial"]
    await office.in_force.reload(20)
    office.write("office.route", SCRIPT.replace("404", "480"))
    await office.settled()
    assert [view.percent for view in office.in_force.versions()] == [80, 20]
    assert await office.in_force.reload(100) == {
        "policy": "watched",
        "hash": office.core.policy.hash,
        "before": office.in_force.versions()[1].hash,
        "percent": 100,
    }


async def test_it_runs_by_itself(office: Office, nursery: trio.Nursery) -> None:
    nursery.start_soon(office.watch.run)
    office.write("office.route", SCRIPT.replace("404", "410"))
    with in_time():
        while office.states() == ["in force"]:
            await trio.lowlevel.checkpoint()
