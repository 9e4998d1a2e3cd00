"""The 2xx that nobody asked for: another fork's, or one that came after all (RFC 3261 13.2.2.4).

Each is acknowledged and its dialog ended at once, from its own headers.
"""

from __future__ import annotations

from b2bua.call.leg import Stack
from b2bua.dialog.dialog import Dialog, complete
from b2bua.sip.message import Response
from b2bua.transaction.client import ClientTransaction


def end_fork(stack: Stack, response: Response, transaction: ClientTransaction) -> None:
    """Acknowledge this 2xx to an INVITE of ours, and hang up in the dialog that it made."""
    tag = response.to_tag or ""
    local_tag = response.from_tag or ""
    flow = transaction.flow
    dialog = Dialog(response.call_id, response.get("From") or "", local_tag, "", tag, flow, 0)
    dialog.local_cseq = response.cseq.number
    complete(dialog, response, flow, stack.ways)
    if not dialog.target:
        stack.turn.count("forks_without_contact")
        return
    place = stack.ways.place(dialog.flow)
    ack = dialog.write("ACK", dialog.local_cseq, place, stack.branch())
    transaction.acknowledged(tag, ack, dialog.flow)
    branch = stack.branch()
    bye = dialog.write("BYE", dialog.next_cseq(), place, branch)
    stack.transactions.begin_client("BYE", branch, bye, dialog.flow, None)
    stack.turn.count("forks_ended")
