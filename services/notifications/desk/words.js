// What the kinds, states and answers of texts are called here, and how a text's story is shown.

import { dayAndClock, el } from "./showing.js";

export const KINDS = {
  moved: "New time",
  "reminder-3": "Reminder, 3 days ahead",
  "reminder-1": "Reminder, the day before",
  kept: "Confirmation: kept",
  asked: "Confirmation: another time",
  cancelled: "Confirmation: cancelled",
};

export const STATES = {
  planned: "Waits to be sent",
  attempted: "Being sent",
  unknown: "Sent or not: unknown",
  accepted: "With the provider",
  silent: "Sent, nothing heard since",
  delivered: "Delivered",
  failed: "Did not arrive",
};

export const ANSWERS = {
  keep: "keeps it",
  "another-time": "wants another time",
  cancel: "needs no appointment",
  stop: "no more texts",
  start: "texts again",
  "wrong-number": "wrong number",
  unclear: "unclear",
};

const STATUSES = {
  booked: "it stands",
  moved: "moved since",
  displaced: "withdrawn since",
  cancelled: "cancelled since",
  fulfilled: "it is over: they came",
  missed: "it is over: they did not come",
  "entered-in-error": "entered in error",
};

export const PROVIDERS = { notify: "GOV.UK Notify", twilio: "Twilio" };

export const status = (candidate) => STATUSES[candidate.status] || candidate.status;

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value);
  return el("dl", { class: "facts" }, ...shown.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export function history(steps) {
  const lines = steps.map((step) => el("li", {}, el("span", { class: "soft" }, dayAndClock(step.at) + ": "), step.said));
  return el("ol", { class: "steps" }, ...lines);
}

export const ago = (minutes) => {
  if (minutes < 1) {
    return "just now";
  }
  if (minutes < 120) {
    return minutes + (minutes === 1 ? " minute ago" : " minutes ago");
  }
  return minutes < 2880 ? Math.floor(minutes / 60) + " hours ago" : Math.floor(minutes / 1440) + " days ago";
};

export const localNumber = (telephone) => telephone.replace(/^\+44/, "0").replace(/^(.....)/, "$1 ");

/** In place of a card that has been dealt with, what was said; the keyboard goes on from there. */
export function done(card, sentence) {
  const said = el("p", { class: "done", tabindex: "-1" }, sentence);
  card.replaceWith(said);
  said.focus();
}
