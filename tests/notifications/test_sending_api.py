"""What an operator sees of the sending: what waits where, and which providers are open."""

from tests.harness import County
from tests.notifications.quiet import quiet


async def test_an_operator_sees_what_waits_and_which_providers_are_open(county: County) -> None:
    async with quiet(county) as here:
        written = await here.write()
        view = await here.get("/v1/sending")
        metrics = (await here.ask("GET", "/metrics")).text

    assert [(lane["lane"], lane["waiting"], lane["opens_at"]) for lane in view["lanes"]] == [
        ("confirmations", 0, None),
        ("moved", 1, "2024-07-23T07:00:00Z"),
        ("reminder-1", 0, "2024-07-23T07:00:00Z"),
        ("reminder-3", 0, "2024-07-23T07:00:00Z"),
    ]
    (provider,) = view["providers"]
    assert (provider["provider"], provider["points"], provider["state"], provider["sent_today"]) == (
        ("notify", 100, "open", 0)
    )
    assert (view["sends"], view["unknown"], view["parked"], view["full_numbers"]) == (True, 0, 0, 0)
    assert 'daybook_messages_waiting{lane="moved"} 1.0' in metrics
    assert 'daybook_provider_open{provider="notify"} 1.0' in metrics
    assert not [each for each in (written.message, written.number, written.about.patient) if each in metrics]
