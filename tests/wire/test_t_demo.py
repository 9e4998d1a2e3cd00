"""The demo plays to its end and shows what it promises."""

from __future__ import annotations

import pytest

from . import demo


@pytest.mark.usefixtures("tap")  # whoever may capture
def test_t01_the_demo_shows_each_flow_with_the_rule_that_decided_it(capsys: pytest.CaptureFixture[str]) -> None:
    code = demo.main()
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    for title, _, _ in demo.FLOWS:
        assert title in shown.out
    for step in ("REACHED BY", "200 OK (PCMU)", "302 Moved Temporarily", "486 Busy Here", "181 Call Is"):
        assert step in shown.out
    assert "forward frank.mobile via pstn" in shown.out
    for heard in ("bob hears the jazz while he waits", "alice hears none of it", "alice hears herself"):
        assert f"heard: {heard}" in shown.out
    assert "on hold { otherwise -> play jazz to held loop }" in shown.out
