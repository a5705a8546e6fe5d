"""What identifies a patient is sealed with the patient's own key; without the key it is noise, in every copy.

Each subject (a patient's pseudonym) has a data key of its own, wrapped by the master key. The service that made the
key keeps it in its `data_keys` table; the relay copies it to the keys stream, where the other services find it. So the
loss of either engine loses no key, and destroying a key in both erases the patient everywhere.
"""

import base64
import hmac
import os
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Literal, Protocol, TypeVar
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import data_keys, reader

T = TypeVar("T", bound=Struct)

KEYS_REMEMBERED = 4096

_NONCE = 12


class PatientBlock(Struct, frozen=True, kw_only=True):
    """Who the patient is. `birth_date` is an ISO date or empty, `mobile` E.164 or empty."""

    nhs_number: str
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    mobile: str = ""


class Details(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the appointment is about; clinical, so sealed."""

    description: str = ""
    comment: str = ""


class SealBroken(ValueError):
    """The text was not sealed with this key for this subject, or has been altered."""


class MasterKeyChanged(SealBroken):
    """A data key does not open: it was wrapped by another master key than this service was given."""


class DataKey:
    """The key of one subject."""

    def __init__(self, subject: str, key: bytes) -> None:
        self.subject = subject
        self._subject = subject.encode()
        self._cipher = AESGCM(key)

    def seal(self, value: Struct) -> str:
        """`value` as text that only this key opens (AES-256-GCM, bound to the subject, base64url)."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.json.encode(value), self._subject)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed_text: str, kind: type[T]) -> T:
        """The value that was sealed. Raises `SealBroken`."""
        try:
            sealed = base64.urlsafe_b64decode(sealed_text)
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._subject)
        except (InvalidTag, ValueError):  # cut short, it is not even Base64
            raise SealBroken("the text does not open with this key") from None
        return msgspec.json.decode(plain, type=kind)


def opened(key: DataKey | None, sealed: str, kind: type[T]) -> T | None:
    """The value that was sealed. None if nothing was, or if its subject was erased.

    Whoever is entered again after that has a new key, and what was sealed before stays noise: one such text keeps
    nobody from the others.
    """
    if key is None or not sealed:
        return None
    try:
        return key.open(sealed, kind)
    except SealBroken:
        return None


class KeyCopies(Protocol):
    """Where keys that other services made are found."""

    async def wrapped_keys(self, subjects: Collection[str]) -> Mapping[str, bytes]: ...


class Keys:
    """The data keys a service can use. `master_key` is 32 bytes, in base64."""

    def __init__(self, master_key: str, engine: AsyncEngine, copies: KeyCopies) -> None:
        master = base64.b64decode(master_key)
        if len(master) != 32:
            raise ValueError("the master key must be the base64 of 32 bytes")
        self._wrap = AESGCM(_derive(master, b"wrap data keys"))
        self._pseudonyms = hmac.new(_derive(master, b"pseudonyms"), digestmod=sha256)
        self._engine = engine
        self._copies = copies
        self._remembered: OrderedDict[str, DataKey] = OrderedDict()

    def pseudonym(self, kind: Literal["patient", "number", "reply"], value: str) -> str:
        """What stands for an NHS number, an E.164 number, or a text from one: always the same, and telling nothing."""
        made = self._pseudonyms.copy()
        made.update(f"{kind}:{value}".encode())
        return str(UUID(bytes=made.digest()[:16], version=5))

    async def ensure(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """The keys of these subjects; those that have none are given one, which is committed at once."""
        found = {subject: self._remembered[subject] for subject in subjects if subject in self._remembered}
        missing = sorted(set(subjects) - found.keys())
        if not missing:
            return found
        async with self._engine.connect() as connection:
            # A statement by itself commits by itself: under load, when every patient is new, this is the shortest way.
            rows = await (await reader(connection)).fetch(_ENSURE, missing, [self._wrapped(each) for each in missing])
        found |= {row["subject"]: self._remember(row["subject"], row["wrapped"]) for row in rows}
        # What another process made while the statement ran, it could neither make nor see.
        return found | await self._own(set(missing) - found.keys())

    async def find(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """The keys of these subjects, wherever they were made. One that is absent was destroyed, or never existed."""
        found = await self._own(subjects)
        missing = set(subjects) - found.keys()
        if missing:
            copies = await self._copies.wrapped_keys(missing)
            found |= {subject: self._remember(subject, wrapped) for subject, wrapped in copies.items()}
        return found

    async def _own(self, subjects: Collection[str]) -> dict[str, DataKey]:
        found = {subject: self._remembered[subject] for subject in subjects if subject in self._remembered}
        missing = [subject for subject in subjects if subject not in found]
        if not missing:
            return found
        async with self._engine.connect() as connection:
            rows = await (await reader(connection)).fetch(_FIND, missing)
        return found | {row["subject"]: self._remember(row["subject"], row["wrapped"]) for row in rows}

    def _wrapped(self, subject: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._wrap.encrypt(nonce, AESGCM.generate_key(256), subject.encode())

    def _remember(self, subject: str, wrapped: bytes) -> DataKey:
        try:
            key = self._wrap.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject.encode())
        except InvalidTag:
            raise MasterKeyChanged("a data key does not open: was the master key changed?") from None
        data_key = DataKey(subject, key)
        self._remembered[subject] = data_key
        while len(self._remembered) > KEYS_REMEMBERED:
            self._remembered.popitem(last=False)
        return data_key


async def keep_copied_keys(engine: AsyncEngine, wrapped: Sequence[tuple[str, bytes]]) -> None:
    """Keys that came back from the keys stream, into a database that lost them."""
    rows = [{"subject": subject, "wrapped": key, "copied": True} for subject, key in wrapped]
    async with engine.begin() as connection:
        await connection.execute(insert(data_keys).on_conflict_do_nothing(), rows)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, purpose, sha256)


_FIND = "SELECT subject, wrapped FROM data_keys WHERE subject = ANY($1::text[])"

_ENSURE = """
    WITH fresh AS (SELECT * FROM unnest($1::text[], $2::bytea[]) AS fresh (subject, wrapped)),
    made AS (
        INSERT INTO data_keys (subject, wrapped, copied)
        SELECT subject, wrapped, false FROM fresh ORDER BY subject
        ON CONFLICT DO NOTHING RETURNING subject, wrapped
    )
    SELECT subject, wrapped FROM made
    UNION ALL
    SELECT data_keys.subject, data_keys.wrapped FROM data_keys JOIN fresh USING (subject)
"""
"""Both halves see the table as it was when the statement began, so that no key comes twice. In order, so that two who
make the same keys never wait for each other in a circle."""
