"""From rules of the grammar to the nodes of `test` blocks: the part of `build` that is about sentences.

Owns the order in which a sentence's children become a node's fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsl import tree

TEST_NODES: dict[str, Callable[..., Any]] = {
    "call_step": lambda span, caller, dialed, *rest: tree.CallStep(span, caller, dialed, rest),
    "from_user": lambda span, user: tree.From(span, user=user),
    "from_a_trunk": lambda span, trunk: tree.From(span, trunk=trunk),
    "from_claim": lambda span, claimed: tree.From(span, claimed=claimed),
    "from_by_trunk": lambda span, claimed, trunk: tree.From(span, trunk=trunk, claimed=claimed),
    "from_anyone": tree.From,
    "register_step": lambda span, user, *rest: tree.RegisterStep(span, user, rest),
    "unregister_step": lambda span, user, *rest: tree.RegisterStep(span, user, rest, leaves=True),
    "register_anyone": lambda span, *rest: tree.RegisterStep(span, None, rest),
    "hold_step": tree.HoldStep,
    "resume_step": tree.ResumeStep,
    "transfer_step": tree.TransferStep,
    "attended_step": lambda span, transferor, dialed: tree.TransferStep(span, transferor, dialed, attended=True),
    "message_step": lambda span, caller, dialed, *rest: tree.MessageStep(span, caller, dialed, rest),
    "hang_up": tree.HangUp,
    "hang_up_all": lambda span: tree.HangUp(span, None, every=True),
    "back_step": tree.BackStep,
    "wait_step": tree.WaitStep,
    "with_source": tree.WithSource,
    "without_password": tree.WithoutPassword,
    "with_header": tree.WithHeader,
    "with_contacts": tree.WithContacts,
    "with_expires": tree.WithExpires,
    "with_transport": tree.WithTransport,
    "with_agent": tree.WithAgent,
    "without_name": tree.WithoutName,
    "with_diversion": tree.WithDiversion,
    "with_label": tree.WithLabel,
    "with_times": tree.WithTimes,
    "given_time": tree.GivenTime,
    "given_day": tree.GivenMoment,
    "given_date": tree.GivenMoment,
    "given_answers": tree.GivenAnswer,
    "given_redirects": tree.GivenRedirect,
    "given_rings": tree.GivenRings,
    "given_is": lambda span, subject, state: tree.GivenState(span, subject, state, False),
    "given_is_not": lambda span, subject, state: tree.GivenState(span, subject, state, True),
    "given_begins": tree.GivenBegins,
    "given_over": tree.GivenOver,
    "expect": tree.ExpectDecision,
    "expect_redirect": tree.ExpectRedirect,
    "expect_reject": tree.ExpectReject,
    "expect_response": tree.ExpectResponse,
    "expect_rings": lambda span, *parties: tree.ExpectRings(span, parties),
    "expect_answered": tree.ExpectAnswered,
    "expect_number": tree.ExpectNumber,
    "expect_expires": tree.ExpectExpires,
    "expect_header": tree.ExpectHeader,
    "expect_no_header": lambda span, name: tree.ExpectHeader(span, name, None),
    "expect_tag": tree.ExpectTag,
    "expect_no_tag": lambda span, name: tree.ExpectTag(span, name, None),
    "expect_log": tree.ExpectLog,
    "expect_takes": lambda span, limit: tree.ExpectTakes(span, limit, True),
    "expect_leaves": lambda span, limit: tree.ExpectTakes(span, limit, False),
    "expect_media": lambda span, media: tree.ExpectMedia(span, media.choice),
    "expect_nothing": tree.ExpectNothing,
}
"""What makes the node of a rule, by the rule's name."""
