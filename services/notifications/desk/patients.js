// One patient: everything they were sent, what became of it, and what they wrote.

import { post } from "./asking.js";
import { attempt, dayAndClock, el, show } from "./showing.js";
import { ANSWERS, history, KINDS, localNumber, STATES } from "./words.js";

export async function patients(about) {
  const nhsNumber = el("input", { id: "nhs", inputmode: "numeric", autocomplete: "off", maxlength: "12", required: true });
  const look = el("button", { type: "submit" }, "Look");
  const found = el("section", { "aria-live": "polite" });
  const form = el(
    "form",
    { class: "card narrow" },
    el("label", { for: "nhs" }, "NHS number"),
    el("p", { class: "soft small" }, "That you have looked is written into the trail."),
    nhsNumber,
    el("div", { class: "row" }, look),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    found.replaceChildren();
    attempt(look, async () => draw(found, await post("/v1/patients/messages", { nhs_number: nhsNumber.value })));
  });
  show(about.place, form, found);
  nhsNumber.focus();
}

function draw(place, told) {
  const nothing = !told.messages.length && !told.calls.length;
  show(
    place,
    nothing ? el("p", {}, "Nobody with this number was ever texted.") : null,
    told.erased ? el("p", { class: "bad" }, "This patient has been erased: what was said can no longer be read.") : null,
    ...told.messages.map(drawMessage),
    ...told.unmatched.map(drawUnmatched),
    ...told.calls.map((call) => el("p", {}, dayAndClock(call.raised_at) + ": somebody was asked to telephone. " + call.reason + ".")),
  );
}

function drawMessage(message) {
  const to = message.telephone ? " to " + localNumber(message.telephone) : "";
  return el(
    "section",
    { class: "card" },
    el("p", {}, el("span", { class: "name" }, KINDS[message.kind]), ", " + dayAndClock(message.planned_at) + to + ": " + STATES[message.state].toLowerCase()),
    message.text === null ? null : el("blockquote", { class: "ours" }, message.text),
    ...message.answers.flatMap((answer) => [
      el("p", { class: "small" }, dayAndClock(answer.received_at) + ", they answered (" + ANSWERS[answer.answer] + "):"),
      answer.text === null ? null : el("blockquote", {}, answer.text),
    ]),
    el("details", {}, el("summary", {}, "What happened to it"), history(message.history)),
  );
}

function drawUnmatched(reply) {
  const read = reply.open ? "It waits under “Replies to read”." : reply.resolved_by + " has read it.";
  return el("p", {}, dayAndClock(reply.received_at) + ": a text came from the same telephone that no one message explains. " + read);
}
