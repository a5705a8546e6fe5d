// The texts that no rule explains: read one, say what it means and to which message, and what follows follows.

import { get, post } from "./asking.js";
import { attempt, dayAndClock, el, number, show, tell } from "./showing.js";
import { ago, ANSWERS, done, KINDS, STATES, status } from "./words.js";

const MEANINGS = [
  ["keep", "Keeps it"],
  ["another-time", "Wants another time"],
  ["cancel", "Needs no appointment"],
  ["stop", "No more texts"],
  ["wrong-number", "Wrong number"],
  ["nothing", "Read: nothing to do"],
];
const OF_THE_APPOINTMENT = ["keep", "another-time", "cancel"];
const NEEDS_MESSAGE = [...OF_THE_APPOINTMENT, "wrong-number"];
const SURE = {
  cancel: "The appointment is cancelled, and its slot is given away. Is that what they want?",
  stop: "Nothing more is sent to this telephone, and patients who have to be told something are telephoned. Go on?",
  "wrong-number": "Nothing more about this patient is sent to this telephone; somebody telephones them instead. Go on?",
};

export async function replies(about, count) {
  const found = await get(about.base);
  const again = el("button", { type: "button", class: "quiet" }, "Look again");
  again.addEventListener("click", () => attempt(again, () => replies(about, count)));
  const intro = el("p", { class: "grow" });
  let left = found.length;
  const read = (number) => {
    left = number;
    intro.textContent = inWords(left);
    if (count) {
      count(left);
    }
  };
  read(left);
  show(
    about.place,
    el("div", { class: "row" }, intro, again),
    ...found.map((reply) => drawReply(reply, about, () => read(left - 1))),
  );
}

function inWords(left) {
  if (!left) {
    return "Every text that came in has been read.";
  }
  return (left === 1 ? "1 text waits" : number(left) + " texts wait") + " for somebody to read, the oldest first.";
}

function drawReply(reply, about, read) {
  const card = el("section", { class: "card", "aria-label": "A text that came in " + ago(reply.minutes) });
  const taken = reply.answer ? el("p", {}, "It was taken for: " + ANSWERS[reply.answer] + ".") : null;
  const words = reply.text === null ? "(Its words have been erased.)" : reply.text;
  const candidates = drawCandidates(reply);
  const buttons = MEANINGS.map(([answer, title]) => {
    const button = el("button", { type: "button", class: OF_THE_APPOINTMENT.includes(answer) ? "" : "quiet" }, title);
    button.addEventListener("click", () => attempt(button, () => resolve(reply, answer, title, card, about, read)));
    return button;
  });
  const useful = reply.candidates.length ? buttons : buttons.filter((_, at) => !NEEDS_MESSAGE.includes(MEANINGS[at][0]));
  show(
    card,
    el("p", { class: "soft small" }, ago(reply.minutes) + " (" + dayAndClock(reply.received_at) + ")"),
    el("blockquote", {}, words),
    taken,
    candidates,
    el("div", { class: "row", role: "group", "aria-label": "What it means" }, ...useful),
  );
  return card;
}

function drawCandidates(reply) {
  if (!reply.candidates.length) {
    return el("p", {}, "Nobody was texted at this telephone whom it could be about.");
  }
  const several = reply.candidates.length > 1;
  const choices = reply.candidates.map((each) => {
    const id = reply.reply + "-" + each.message;
    const radio = el("input", { type: "radio", name: reply.reply, id: id, value: each.message, checked: !several });
    return el("div", { class: "choice" }, radio, el("label", { for: id }, ...describe(each)));
  });
  const legend = several ? "Which of these texts does it answer?" : "It answers this text";
  return el("fieldset", {}, el("legend", {}, legend), ...choices);
}

function describe(candidate) {
  const name = candidate.first_name || "Erased patient";
  const before = candidate.answered
    ? "Answered before, " + dayAndClock(candidate.answered_at) + ": " + ANSWERS[candidate.answered] + ". "
    : "Not answered before. ";
  return [
    el("span", { class: "name" }, name),
    ", " + candidate.practice_name + " (" + candidate.practice + "): " + candidate.when + " (" + status(candidate) + ")",
    el("div", { class: "soft small" }, KINDS[candidate.kind] + " · " + STATES[candidate.state].toLowerCase() + " · code " + candidate.code + " · " + before),
    candidate.text ? el("details", {}, el("summary", {}, "What they were sent"), el("blockquote", { class: "ours" }, candidate.text)) : null,
  ].filter((part) => part);
}

async function resolve(reply, answer, title, card, about, read) {
  const chosen = card.querySelector("input[type=radio]:checked");
  if (NEEDS_MESSAGE.includes(answer) && !chosen) {
    throw new Error("Say first which of these texts it answers.");
  }
  if (SURE[answer] && !window.confirm(SURE[answer])) {
    return;
  }
  const message = answer === "nothing" || !chosen ? "" : chosen.value;
  await post(about.base + "/" + encodeURIComponent(reply.reply) + "/resolution", { message: message, answer: answer, by: about.by });
  done(card, "“" + (reply.text || "") + "”: " + title.toLowerCase() + ".");
  tell("Written down: " + title.toLowerCase() + ".");
  read();
}
