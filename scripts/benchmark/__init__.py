"""What a call costs: b2bua beside Kamailio and sippy, on one core, with SIPp on the other.

    command   the options, the order of the runs
    measure   the four measurements
    load      SIPp, and what it counted
    servers   who is measured, and how each is started
    process   starting, pinning, weighing and ending a process
    machine   what this was measured on
    table     the figures, for reading
    profile   where a server spends its time
    media     listeners and relayed calls on one core: `scripts/bench media`
    media_load   the phones for that
    setup    how long an answer takes, without media and with: `scripts/bench setup`
    held     the calls with media for that
    plan     what recorded decisions cost, and `b2bua plan` over them: `scripts/bench plan`
    language what decisions cost, by policies and tables of any size: `scripts/bench language`
    policies the policies and tables for that

Nothing here imports the product, which is measured as its users start it; but for `media`, which speaks with one
process of it in that process's own words, the phones, which keep the product's pace, and `plan` and `language`, which
ask a policy as the engine does.
"""
