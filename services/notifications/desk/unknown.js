// The messages of which nobody knows whether they were sent: look them up at the provider, and say what it has.

import { at, get, post } from "./asking.js";
import { attempt, dayAndClock, el, number, show, tell } from "./showing.js";
import { done, facts, KINDS, localNumber, PROVIDERS } from "./words.js";

const HOW = {
  notify: "Look for the reference in GOV.UK Notify's list of sent texts.",
  twilio: "Twilio keeps no reference: look in its message log for the telephone, from that time on.",
};

export async function unknown(about, count) {
  const found = await get("/v1/unknown");
  const again = el("button", { type: "button", class: "quiet" }, "Look again");
  again.addEventListener("click", () => attempt(again, () => unknown(about, count)));
  const intro = el("p", { class: "grow" });
  let left = found.length;
  const remain = (number) => {
    left = number;
    intro.textContent = inWords(left);
    count(left);
  };
  remain(left);
  show(
    about.place,
    el("div", { class: "row" }, intro, again),
    ...found.map((message) => drawUnknown(message, about, () => remain(left - 1))),
  );
}

function inWords(left) {
  const many = left === 1 ? "1 text" : number(left) + " texts";
  return left
    ? "Of " + many + " the provider's answer was lost. Look each up there: nothing is sent again on a guess."
    : "Of every text it is known whether it was sent.";
}

function drawUnknown(message, about, settled) {
  const provider = PROVIDERS[message.provider] || message.provider;
  const sent = el("button", { type: "button" }, "It was sent");
  const not = el("button", { type: "button" }, "It was not sent");
  const card = el(
    "section",
    { class: "card", "aria-label": "A text of unknown outcome" },
    el("p", {}, el("span", { class: "name" }, KINDS[message.kind]), ", " + message.practice + ", for " + dayAndClock(message.appointment_start)),
    facts([
      ["Provider", provider],
      ["Reference", el("code", {}, message.reference)],
      ["Since", dayAndClock(message.since)],
      ["Telephone", message.telephone ? localNumber(message.telephone) : "erased"],
      ["Tried", message.attempts === 1 ? "once" : message.attempts + " times"],
    ]),
    el("p", { class: "soft small" }, HOW[message.provider] || ""),
    el("div", { class: "row" }, sent, not),
  );
  sent.addEventListener("click", () => attempt(sent, () => settle(message, "sent", card, about, settled)));
  not.addEventListener("click", () => attempt(not, () => settle(message, "not-sent", card, about, settled)));
  return card;
}

async function settle(message, verdict, card, about, settled) {
  const again = "The text is then sent again, if it is still true. Are you sure that " + (PROVIDERS[message.provider] || "the provider") + " does not have it?";
  if (verdict === "not-sent" && !window.confirm(again)) {
    return;
  }
  await post(at("/v1/messages/{}/outcome", message.message), { verdict: verdict, by: about.by });
  const said = verdict === "sent" ? "it was sent." : "it was not sent, and is sent now.";
  done(card, KINDS[message.kind] + ", " + message.practice + ": " + said);
  tell("Written down: " + said);
  settled();
}
