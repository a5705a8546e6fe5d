"""The patients: they answer what they are sent, each telephone what comes to its owner's mind."""

from dataclasses import dataclass, field

from shared.ids import derived_id
from tests.chaos import effects
from tests.chaos.asking import Client

PAUSE = 0.5
SAID = {"1": 40, "2": 20, "3": 20, "STOP": 6, "Who is this?": 6, "1 please": 8}


@dataclass(slots=True)
class Patients:
    """`answered` are the messages that somebody has answered, `said` what was said from which telephone."""

    client: Client
    answered: set[str] = field(default_factory=set)
    said: set[tuple[str, str]] = field(default_factory=set)

    async def work(self) -> None:
        """For ever. Nobody says the same twice: within minutes that would be taken for the same text."""
        while True:
            await self.client.pause(PAUSE)
            for message in (await self.client.look("sandbox", "/sandbox/messages", params={"limit": "40"}) or ())[::-1]:
                if message["id"] in self.answered:
                    continue
                self.answered.add(message["id"])
                (text,) = self.client.rng.choices(list(SAID), list(SAID.values()))
                if (message["phone"], text) not in self.said and self.client.rng.random() < 0.6:
                    self.said.add((message["phone"], text))
                    await self._answer(message["id"], message["provider"], text)

    async def _answer(self, message: str, provider: str, text: str) -> None:
        with self.client.history.command(self.client.name, "answer a text") as command:
            answer = await self.client.do(
                command, "sandbox", "POST", "/sandbox/reply", repeat=False, json={"to": message, "text": text}
            )
            if answer is not None and command.outcome == "done":
                command.effect = effects.replied(derived_id("reply", provider, answer.json()["reply"]))
