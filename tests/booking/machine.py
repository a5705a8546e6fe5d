"""A machine that asks booking for whatever it likes, in whatever order, and knows what must come.

409 comes only for what is taken, no version fails to grow, there is an entry of history for each change and no other,
and everything that was ever answered with 201 is there to be read.
"""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from services.booking.reactions import moved_to
from shared.events.rebooking import MoveRequested
from shared.ids import derived_id
from tests.booking.notebook import TEN, TO_COME, Known, Notebook
from tests.booking.paper import CSV, reason
from tests.booking.probes import parameters
from tests.booking.surgery import FHIR, refused
from tests.issuer import bearer

NOW = datetime.fromisoformat("2024-07-22T08:30:00+01:00")
DAYS = tuple(datetime.fromisoformat(f"2024-07-{day}T09:00:00+01:00") for day in (22, 23))
PEOPLE = ("9990000018", "9990000026", "9990000034")
WORDS = ("Back pain", "A cough", "Wants a letter")

stretches = st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(1, 2))
"""A session, its slots from which on, and how many."""
callers = st.sampled_from(["practice", "clinic"])
picks = st.integers(0, 40)
"""Which of the appointments there are, counted round."""
freshness = st.sampled_from([True, True, True, False])


class Machine(Notebook):
    """Asks, and compares."""

    @initialize()
    def a_practice_with_two_sessions(self) -> None:
        operator = bearer(self.town.county.operator_token())
        columns = "ods_code,name,town,postcode,registered_patients,nhs111_slots_per_day"
        registered = self.ask(
            "operator",
            "POST",
            "/v1/practices",
            content=f"{columns}\n{self.practice},Mill,Deal,CT14 6AA,4000,1\n",
            headers={**CSV, **operator},
        )
        assert registered.status_code == 200, registered.text
        assert self.ask("practice", "PUT", f"/v1/practices/{self.practice}/opening", json={}).status_code == 200
        for place, start in enumerate(DAYS):
            slots = [{"start": (start + TEN * n).isoformat(), "minutes": 10} for n in range(3)]
            page = {"practice": self.practice, "name": f"Clinic {place}", "clinician": "Dr Jones", "slots": slots}
            published = self.ask("practice", "POST", "/v1/sessions", json=page)
            assert published.status_code == 201, published.text
            self.names.append(published.json()["session"])
            self.sessions.append([])
            self.added(place, published)

    @rule(caller=callers, stretch=stretches, who=st.sampled_from(PEOPLE))
    def book(self, caller: str, stretch: tuple[int, int, int], who: str) -> None:
        session, slots = self.pick(stretch)
        answer = self.post(caller, "Appointment", self.booking(slots, who))
        self.taken(caller, session, slots, "booked", answer)

    @rule(stretch=stretches, who=st.sampled_from(PEOPLE), key=st.sampled_from("ab"))
    def book_with_a_key(self, stretch: tuple[int, int, int], who: str, key: str) -> None:
        session, slots = self.pick(stretch)
        body = self.booking(slots, who)
        answer = self.post("practice", "Appointment", body, {"Idempotency-Key": key})
        if key not in self.keys:
            if self.taken("practice", session, slots, "booked", answer):
                self.keys[key] = body, answer
            return
        before, first = self.keys[key]
        if body == before:
            assert (answer.status_code, answer.json()) == (201, first.json())
        else:
            assert refused(answer)[0] in (409, 422), answer.text

    @rule(key=st.sampled_from("ab"))
    def repeat_a_booking_with_its_key(self, key: str) -> None:
        if key in self.keys:
            body, first = self.keys[key]
            answer = self.post("practice", "Appointment", body, {"Idempotency-Key": key})
            assert (answer.status_code, answer.json()) == (201, first.json())

    @rule(stretch=stretches, who=st.sampled_from(PEOPLE), name=st.sampled_from("12"))
    def book_unless_it_exists(self, stretch: tuple[int, int, int], who: str, name: str) -> None:
        session, slots = self.pick(stretch)
        system = f"urn:{self.practice}"
        body = self.booking(slots, who) | {"identifier": [{"system": system, "value": name}]}
        answer = self.post("practice", "Appointment", body, {"If-None-Exist": f"identifier={system}|{name}"})
        if name in self.identifiers:
            assert answer.status_code == 200, answer.text
            assert answer.json() == self.known[self.identifiers[name]].read.json()
        elif made := self.taken("practice", session, slots, "booked", answer):
            self.identifiers[name] = made.id

    @rule(stretch=stretches, who=st.sampled_from(PEOPLE))
    def race(self, stretch: tuple[int, int, int], who: str) -> None:
        session, slots = self.pick(stretch)
        body = self.booking(slots, who)
        answers = self.town.run(self.at_once([("practice", body), ("clinic", body), ("practice", body)]))
        for caller, answer in zip(
            ("practice", "clinic", "practice"), sorted(answers, key=lambda each: each.status_code), strict=True
        ):
            if answer.status_code == 201:
                caller = "clinic" if answer is answers[1] else "practice"
            self.taken(caller, session, slots, "booked", answer)

    @rule(caller=callers, stretch=stretches)
    def hold(self, caller: str, stretch: tuple[int, int, int]) -> None:
        session, slots = self.pick(stretch)
        answer = self.post(caller, "Appointment/$hold", parameters(*(slot.id for slot in slots)))
        if self.taken(caller, session, slots, "pending", answer):
            assert "Expires" in answer.headers

    @precondition(lambda self: self.known)
    @rule(pick=picks, who=st.sampled_from(PEOPLE), fresh=freshness)
    def confirm(self, pick: int, who: str, fresh: bool) -> None:
        known = self.one(pick, "pending")
        body = self.booking(known.slots, who) | {"id": known.id}
        answer = self.put(known.caller, known, body, fresh)
        if known.status == "cancelled" and answer.status_code == 409:
            assert refused(answer)[1] == "hold-expired"
        else:
            self.changed(known, answer, "booked", may=known.status == "pending", fresh=fresh)

    @precondition(lambda self: self.known)
    @rule(pick=picks, words=st.sampled_from(WORDS), fresh=freshness)
    def amend(self, pick: int, words: str, fresh: bool) -> None:
        known = self.one(pick, "booked")
        body = known.read.json()
        if body.get("description") == words:
            answer = self.put("practice", known, body, fresh)
            if fresh:
                assert (answer.status_code, answer.json()) == (200, body), f"{body} became {answer.text}"
            else:
                assert answer.status_code in (200, 412), answer.text
            return
        answer = self.put("practice", known, body | {"description": words}, fresh)
        self.changed(known, answer, known.status, may=known.status == "booked", fresh=fresh)

    @precondition(lambda self: self.known)
    @rule(pick=picks, fresh=freshness)
    def cancel(self, pick: int, fresh: bool) -> None:
        known = self.one(pick, *TO_COME, "pending", "waitlist")
        body = known.read.json() | {"status": "cancelled", "cancelationReason": reason()}
        if known.status == "cancelled":
            answer = self.put("practice", known, known.read.json(), True)
            assert (answer.status_code, answer.json()) == (200, known.read.json())
            return
        answer = self.put("practice", known, body, fresh)
        may = known.status in ("pending", *TO_COME, "waitlist")
        if self.changed(known, answer, "cancelled", may=may, fresh=fresh):
            self.freed(known)

    @precondition(lambda self: self.known)
    @rule(pick=picks, mark=st.sampled_from(["arrived", "fulfilled", "noshow", "entered-in-error"]), fresh=freshness)
    def mark(self, pick: int, mark: str, fresh: bool) -> None:
        known = self.one(pick, *TO_COME)
        if known.status == mark:
            return
        answer = self.put("practice", known, known.read.json() | {"status": mark}, fresh)
        today = known.slots[0].start.date() == NOW.date()
        may = {
            "arrived": known.status == "booked" and today,
            "fulfilled": known.status in TO_COME and today,
            "noshow": False,
            "entered-in-error": known.status in (*TO_COME, "fulfilled", "waitlist"),
        }
        if self.changed(known, answer, mark, may=may[mark], fresh=fresh) and mark == "entered-in-error":
            self.freed(known)

    @precondition(lambda self: self.known)
    @rule(pick=picks, stretch=stretches, fresh=freshness)
    def reschedule(self, pick: int, stretch: tuple[int, int, int], fresh: bool) -> None:
        known, (session, slots) = self.one(pick, "booked", "waitlist"), self.pick(stretch)
        body = parameters(*(slot.id for slot in slots), why=True)
        headers = {"If-Match": known.read.headers["etag"] if fresh else 'W/"0"'}
        answer = self.ask("practice", "POST", f"{FHIR}/Appointment/{known.id}/$reschedule", json=body, headers=headers)
        if not fresh or known.status not in ("booked", "waitlist"):
            assert refused(answer)[0] in (404, 412, 422), answer.text
            assert answer.status_code != 404 or known.status == "pending"
            return
        if made := self.taken(known.caller, session, slots, "booked", answer, leaving=known):
            assert f"Appointment/{known.id}" in made.read.text
            self.moved_on(known)

    @precondition(lambda self: self.known)
    @rule(pick=picks, stretch=stretches)
    def move(self, pick: int, stretch: tuple[int, int, int]) -> None:
        known, (session, (slot, *_)) = self.one(pick, "booked", "waitlist"), self.pick(stretch)
        move = derived_id("move", self.practice, known.id, slot.id, str(known.version))
        asked = MoveRequested(
            outage="outage",
            practice=self.practice,
            move=move,
            appointment=known.id,
            patient="somebody",
            from_session=self.names[known.session],
            to_session=self.names[session],
            to_slot=slot.id,
            to_start=slot.start,
        )
        self.town.run(self.town.rebooking.says(asked))
        made = self.ask("practice", "GET", f"{FHIR}/Appointment/{moved_to(move)}")
        may = known.status in ("booked", "waitlist") and not slot.taker and not slot.withdrawn and len(known.slots) == 1
        assert made.status_code == (200 if may else 404), made.text
        if may:
            slot.taker = moved_to(move)
            self.known[slot.taker] = Known(slot.taker, "practice", session, [slot], "booked", made)
            self.moved_on(known)

    @rule(session=st.integers(0, 1), some=st.sets(st.integers(0, 9), max_size=2))
    def withdraw(self, session: int, some: set[int]) -> None:
        slots = list(
            {
                id(slot): slot for slot in (self.sessions[session][n % len(self.sessions[session])] for n in some)
            }.values()
        )
        going = [slot for slot in (slots or self.sessions[session]) if not slot.withdrawn]
        takers = {slot.taker for slot in going if slot.taker}
        displaced = {taker for taker in takers if self.known[taker].status in TO_COME}
        address, named = f"/v1/sessions/{self.names[session]}/withdrawal", [slot.id for slot in slots]
        preview = self.ask("practice", "GET", address, params={"slots": named}).json()
        assert {each["appointment"] for each in preview["appointments"]} == displaced
        form = {"reason": "Ill", **({"slots": named} if named else {})}
        if displaced:
            unconfirmed = self.ask("practice", "POST", address, json=form)
            assert refused(unconfirmed) == (409, "confirmation-needed")
        answer = self.ask("practice", "POST", address, json=form | {"confirmation": preview["confirmation"]})
        assert (answer.status_code, set(answer.json()["displaced"])) == (200, displaced)
        assert set(answer.json()["withdrawn"]) == {slot.id for slot in going}
        for slot in going:
            slot.withdrawn = True
        for taker in takers:
            self.displaced(self.known[taker])

    @precondition(lambda self: all(len(slots) < 7 for slots in self.sessions))
    @rule(session=st.integers(0, 1))
    def extend(self, session: int) -> None:
        start = self.sessions[session][-1].start + TEN
        answer = self.ask(
            "practice",
            "POST",
            f"/v1/sessions/{self.names[session]}/slots",
            json={"slots": [{"start": start.isoformat(), "minutes": 10}]},
        )
        assert answer.status_code == 201, answer.text
        self.added(session, answer)

    @precondition(lambda self: self.sessions)
    @invariant()
    def the_search_shows_who_has_what(self) -> None:
        found = self.ask(
            "practice",
            "GET",
            f"{FHIR}/Slot",
            params={
                "start": "ge2024-07-22",
                "end": "le2024-07-24",
                "status": "free,busy,busy-tentative,busy-unavailable",
                "schedule.actor:HealthcareService": self.practice,
            },
        )
        shown = {entry["resource"]["id"]: entry["resource"]["status"] for entry in found.json().get("entry", ())}
        assert shown == {
            slot.id: self.standing(slot) for slots in self.sessions for slot in slots if not slot.withdrawn
        }

    def teardown(self) -> None:
        """All that was ever answered with 201 is there, with a history of just its changes."""
        for known in self.known.values():
            read = self.ask("practice", "GET", f"{FHIR}/Appointment/{known.id}")
            assert (read.status_code, read.json()) == (200, known.read.json())
            assert (read.json()["status"], read.headers["etag"]) == (known.status, f'W/"{known.version}"')
            history = self.ask("practice", "GET", f"{FHIR}/Appointment/{known.id}/_history").json()
            versions = [int(entry["resource"]["meta"]["versionId"]) for entry in history["entry"]]
            assert (history["total"], history["entry"][0]["resource"]) == (known.changes, read.json())
            assert versions == sorted(set(versions), reverse=True)
