"""The questions that the count of the lost day puts to the logs, each in SQL over the events as they stand there."""

_DATA = "convert_from(body, 'UTF8')::jsonb -> 'data'"

PRACTICES = """
    SELECT count(DISTINCT practice) FROM events WHERE type = 'uk.daybook.booking.practice-registered.v1'
"""

APPOINTMENTS = f"""
    SELECT count(DISTINCT data ->> 'appointment')
    FROM (SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.booking.appointment-booked.v1') AS booked
    WHERE ((data ->> 'start')::timestamptz AT TIME ZONE 'Europe/London')::date = $1 AND data ->> 'move' IS NULL
"""

MOVED = f"""
    SELECT count(DISTINCT data ->> 'move'),
           count(DISTINCT data ->> 'move') FILTER (WHERE (data ->> 'textable')::boolean)
    FROM (SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.booking.appointment-moved.v1') AS moved
"""

CANCELLED_BY_PATIENTS = f"""
    SELECT count(*) FROM events
    WHERE type = 'uk.daybook.booking.appointment-cancelled.v1' AND {_DATA} ->> 'cancelled_by' = 'patient'
"""

DOUBLE_BOOKED = f"""
    WITH booked AS (
        SELECT position, {_DATA} AS data FROM events WHERE type = 'uk.daybook.booking.appointment-booked.v1'
    ), ended AS (
        SELECT {_DATA} ->> 'appointment' AS appointment, min(position) AS position
        FROM events
        WHERE type IN ('uk.daybook.booking.appointment-cancelled.v1', 'uk.daybook.booking.appointment-moved.v1')
        GROUP BY 1
    ), held AS (
        SELECT slot, booked.position AS since, ended.position AS until,
               lead(booked.position) OVER (PARTITION BY slot ORDER BY booked.position) AS next
        FROM booked
        CROSS JOIN jsonb_array_elements_text(data -> 'slots') AS slot
        LEFT JOIN ended ON ended.appointment = data ->> 'appointment'
    )
    SELECT count(DISTINCT slot) FROM held WHERE next < coalesce(until, next + 1)
"""
"""Slots that, at some moment of the log, two appointments held: the next was booked before the one before had ended."""

RING_FENCED = f"""
    WITH kept AS (
        SELECT slot ->> 'id' AS slot
        FROM events CROSS JOIN jsonb_array_elements({_DATA} -> 'slots') AS slot
        WHERE type IN ('uk.daybook.booking.session-published.v1', 'uk.daybook.booking.slots-added.v1')
          AND coalesce(slot ->> 'kept_for', 'anyone') <> 'anyone'
    ), taken AS (
        SELECT jsonb_array_elements_text({_DATA} -> 'to_slots') AS slot
        FROM events WHERE type = 'uk.daybook.booking.appointment-moved.v1'
    )
    SELECT count(*) FROM taken JOIN kept USING (slot)
"""

OUTCOMES = f"""
    SELECT outcome, count(*)
    FROM (
        SELECT DISTINCT ON (data ->> 'appointment') data ->> 'outcome' AS outcome
        FROM (
            SELECT position, {_DATA} AS data FROM events
            WHERE type = 'uk.daybook.rebooking.appointment-reconciled.v1'
        ) AS reconciled
        WHERE data ->> 'outage' = $1
        ORDER BY data ->> 'appointment', position DESC
    ) AS newest
    GROUP BY outcome
"""

PLANNED = f"""
    WITH proposed AS (
        SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.rebooking.plan-proposed.v1'
    ), approved AS (
        SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.rebooking.plan-approved.v1'
    ), placed AS (
        SELECT placement ->> 'appointment' AS appointment
        FROM proposed JOIN approved
          ON approved.data ->> 'plan' = proposed.data ->> 'plan'
         AND approved.data ->> 'practice' = proposed.data ->> 'practice'
        CROSS JOIN jsonb_array_elements(proposed.data -> 'placements') AS placement
        WHERE proposed.data ->> 'outage' = $1
    ), unplaced AS (
        SELECT left_over ->> 'appointment' AS appointment
        FROM proposed CROSS JOIN jsonb_array_elements(data -> 'unplaced') AS left_over
        WHERE data ->> 'outage' = $1
    )
    SELECT (SELECT count(DISTINCT appointment) FROM placed),
           (SELECT count(*) FROM (SELECT appointment FROM unplaced EXCEPT SELECT appointment FROM placed) AS never)
"""
"""Of how many an approved plan had a place, and how many no plan ever had one for."""

CONFIRMED = f"""
    WITH answered AS (
        SELECT type, data FROM (
            SELECT type, {_DATA} AS data FROM events
            WHERE type IN ('uk.daybook.rebooking.move-confirmed.v1', 'uk.daybook.rebooking.move-refused.v1')
        ) AS every_outage
        WHERE data ->> 'outage' = $1
    ), moved AS (
        SELECT data ->> 'appointment' AS appointment, data ->> 'move' AS move
        FROM answered WHERE type LIKE '%.move-confirmed.v1'
    ), refused AS (
        SELECT data ->> 'appointment' AS appointment FROM answered WHERE type LIKE '%.move-refused.v1'
    )
    SELECT (SELECT count(DISTINCT appointment) FROM moved),
           (SELECT count(DISTINCT move) FROM moved),
           (SELECT count(*) FROM (SELECT appointment FROM refused EXCEPT SELECT appointment FROM moved) AS never)
"""
"""How many were moved, in how many moves, and how many asked for in vain. A fresh offer is one more move."""

TO_CALL = f"""
    WITH asked AS (
        SELECT DISTINCT data ->> 'appointment' AS appointment
        FROM (
            SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.rebooking.offer-declined.v1'
        ) AS declined
        WHERE data ->> 'outage' = $1 AND data ->> 'wish' = 'another-time'
    ), needed AS (
        SELECT DISTINCT {_DATA} ->> 'appointment' AS appointment
        FROM events WHERE type = 'uk.daybook.rebooking.call-needed.v1' AND {_DATA} ->> 'outage' = $1
    )
    SELECT count(*) FROM asked JOIN needed USING (appointment)
"""
"""How many asked for another time, and a person has to telephone."""

OFFERS = f"""
    SELECT count(DISTINCT data ->> 'move') FILTER (WHERE data ->> 'wish' IS NULL),
           count(DISTINCT data ->> 'move') FILTER (WHERE data ->> 'wish' = 'another-time'),
           count(DISTINCT data ->> 'move') FILTER (WHERE data ->> 'wish' = 'cancel')
    FROM (
        SELECT {_DATA} AS data FROM events
        WHERE type IN ('uk.daybook.rebooking.offer-kept.v1', 'uk.daybook.rebooking.offer-declined.v1')
    ) AS answered
    WHERE data ->> 'outage' = $1
"""

_MESSAGES = f"""
    WITH planned AS (
        SELECT data ->> 'message' AS message, data ->> 'move' AS move, data ->> 'kind' AS kind FROM (
            SELECT {_DATA} AS data FROM events WHERE type = 'uk.daybook.notifications.message-planned.v1'
        ) AS plans
    ), accepted AS (
        SELECT {_DATA} ->> 'message' AS message
        FROM events WHERE type = 'uk.daybook.notifications.message-accepted.v1'
    )
"""

NOTICES_PLANNED = f"""{_MESSAGES}
    SELECT count(*), count(DISTINCT move) FROM planned WHERE kind = 'moved'
"""

NOTICES_ACCEPTED = f"""{_MESSAGES}
    SELECT count(*), count(DISTINCT message) FROM accepted JOIN planned USING (message) WHERE kind = 'moved'
"""

CONFIRMATIONS = f"""{_MESSAGES}
    SELECT (SELECT count(*) FROM planned WHERE kind <> 'moved'),
           (SELECT count(*) FROM accepted JOIN planned USING (message) WHERE kind <> 'moved')
"""
"""How many answers were answered: planned, and taken by the gateway."""

ANSWERS = f"""
    SELECT {_DATA} ->> 'answer' AS answer, count(*)
    FROM events WHERE type = 'uk.daybook.notifications.reply-received.v1'
    GROUP BY 1
"""
