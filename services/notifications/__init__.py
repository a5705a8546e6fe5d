"""Tells each patient once what has been rebooked, and takes the answer.

Streams: `message/<id>` (one message and the replies to it), `number/<pseudonym>` (what may be sent to a telephone).
Tables of its own events: `messages`, `replies`, `suppressed_numbers`, `calls`; of booking's: `practices`,
`appointments`. Publishes under `daybook.notifications.>`.
"""
