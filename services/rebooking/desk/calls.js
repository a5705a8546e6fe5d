// The call list of a practice: take a call, make it, and write down what came of it.

import { at, get, getText, post } from "./asking.js";
import { attempt, clock, dayAndClock, el, number, patient, show, telephone, tell } from "./showing.js";

const WORDS = {
  keeps: "Keeps the new time",
  "another-time": "Wants another time",
  cancels: "Needs no appointment any more",
  settled: "Settled otherwise, as by booking another time at once",
  "no-answer": "No answer",
  "left-message": "Left a message",
  "wrong-number": "Wrong number",
};
const NEEDS_NEW_TIME = ["keeps", "another-time"];

export async function calls(place, about) {
  const base = at("/v1/outages/{}/practices/{}", about.outage.outage, about.practice);
  const found = await get(base + "/calls");
  const again = el("button", { type: "button", class: "quiet" }, "Look again");
  again.addEventListener("click", () => attempt(again, () => calls(place, about)));
  const print = el("button", { type: "button", class: "quiet" }, "Print the list");
  print.addEventListener("click", () => attempt(print, () => printList(base)));
  const count = found.calls.length === 1 ? "1 patient is" : number(found.calls.length) + " patients are";
  show(
    place,
    el(
      "div",
      { class: "row" },
      el("p", { class: "grow" }, count + " to be telephoned (as of " + clock(found.as_of) + "). The nearest new times come first."),
      again,
      print,
    ),
    ...found.calls.map((call) => drawCall(call, base, about)),
    found.calls.length ? null : el("p", { class: "good" }, "Nobody is to be telephoned."),
  );
}

function drawCall(call, base, about) {
  const card = el("section", { class: "card" });
  const redraw = (fresh) => card.replaceWith(drawCall(fresh, base, about));
  const now = call.new_time ? el("p", {}, "New time: ", el("strong", {}, call.new_time)) : el("p", {}, "No new time.");
  card.append(
    el("div", { class: "row" }, el("div", { class: "grow" }, patient(call)), telephone(call)),
    el("p", {}, call.reason + "."),
    now,
    el("p", { class: "soft small" }, "The lost appointment was on " + call.was + "."),
    ...call.attempts.map(drawAttempt),
  );
  if (call.state !== "needed") {
    card.append(el("p", { class: "good" }, "Done."));
  } else if (call.claimed_by === about.by) {
    card.append(outcomeForm(call, base, about, redraw));
  } else if (call.claimed_by) {
    card.append(el("p", { class: "bad" }, call.claimed_by + " is telephoning, until " + clock(call.claimed_until) + "."));
  } else {
    card.append(claimButton(call, base, about, redraw));
  }
  return card;
}

function drawAttempt(made) {
  const note = made.note ? ": “" + made.note + "”" : "";
  return el("p", { class: "small" }, dayAndClock(made.made_at) + ", " + made.made_by + ": " + WORDS[made.outcome] + note);
}

function claimButton(call, base, about, redraw) {
  const claim = el("button", { type: "button" }, "I am telephoning");
  claim.addEventListener("click", () =>
    attempt(claim, async () => redraw(await post(base + at("/calls/{}/claim", call.appointment), { by: about.by }))),
  );
  return el("div", { class: "row" }, claim);
}

function outcomeForm(call, base, about, redraw) {
  const possible = Object.keys(WORDS).filter((each) => call.new_time || !NEEDS_NEW_TIME.includes(each));
  const outcome = el(
    "select",
    { "aria-label": "What came of it", required: true },
    el("option", { value: "" }, "What came of it?"),
    ...possible.map((each) => el("option", { value: each }, WORDS[each])),
  );
  const note = el("input", { class: "grow", "aria-label": "Note", placeholder: "Note (if needed)", maxlength: "500", autocomplete: "off" });
  const save = el("button", { type: "submit" }, "Save");
  const form = el("form", { class: "row" }, outcome, note, save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = { outcome: outcome.value, note: note.value, by: about.by };
    attempt(save, async () => {
      redraw(await post(base + at("/calls/{}/outcome", call.appointment), body));
      tell("Saved.");
    });
  });
  const yours = "You are telephoning: the call is yours until " + clock(call.claimed_until) + ".";
  return el("div", {}, el("p", { class: "soft small" }, yours), form);
}

/** The page that the service makes for the printer, printed from here: it never stands in a window or a file. */
async function printList(base) {
  const text = await getText(base + "/calls.html");
  const list = text.slice(text.indexOf("<main"), text.indexOf("</main>"));
  const printed = document.getElementById("printed");
  show(printed, document.importNode(new DOMParser().parseFromString(list, "text/html").querySelector("main"), true));
  document.body.classList.add("printing");
  window.addEventListener("afterprint", () => endPrinting(printed), { once: true });
  window.print();
}

function endPrinting(printed) {
  document.body.classList.remove("printing");
  printed.replaceChildren();
}
