"""Compares the patients' keys: those that a service made, with their copies in the keys stream."""

from shared.database import Driver
from shared.difference import Difference
from shared.reading import stored_keys
from shared.stream import KEYS_STREAM, last_of
from shared.wire import Client

_TOGETHER = 1000


async def compare_keys(client: Client, service: str, log: Driver) -> tuple[int, Difference | None]:
    """How many keys are equal, and the first difference. A key that is still to be copied is none."""
    equal = 0
    async for keys in stored_keys(client, service):
        made = {row["subject"]: row["wrapped"] for row in await log.fetch(_THESE, [subject for subject, _ in keys])}
        for subject, wrapped in keys:
            if made.get(subject) != wrapped:
                return equal, _key_differs(service, subject, made=subject in made, copied=True)
            equal += 1
    if equal < await log.fetchval("SELECT count(*) FROM data_keys WHERE copied"):
        missing = await _first_missing(client, service, log)
        if missing is not None:
            return equal, _key_differs(service, missing, made=True, copied=False)
    return equal, None


async def _first_missing(client: Client, service: str, log: Driver) -> str | None:
    """The first that was copied once and is not there; none if it was only copied while we looked."""
    last = ""
    while rows := await log.fetch(_COPIED, last, _TOGETHER):
        for row in rows:
            if await last_of(client, f"daybook-keys.{service}.{row['subject']}", KEYS_STREAM) is None:
                return str(row["subject"])
        last = rows[-1]["subject"]
    return None


def _key_differs(service: str, subject: str, *, made: bool, copied: bool) -> Difference:
    if made and copied:
        what = f"the key of patient {subject} that {service} made is another in the keys stream"
        advice = "One was restored from elsewhere, and only one opens what was sealed: keep both, and find out which"
    elif made:
        what = f"the key of patient {subject} that {service} made is missing in the keys stream"
        advice = "Run `daybook log republish`: it adds the keys that are missing"
    else:
        what = f"the keys stream has a key of patient {subject} from {service}, and its database has not"
        advice = f"If the patient was not erased: `daybook log restore {service} --set-aside`"
    return Difference(service=service, position=0, sequence=0, what=what, advice=advice)


_THESE = "SELECT subject, wrapped FROM data_keys WHERE subject = ANY($1::text[])"
_COPIED = "SELECT subject FROM data_keys WHERE copied AND subject > $1 ORDER BY subject LIMIT $2"
