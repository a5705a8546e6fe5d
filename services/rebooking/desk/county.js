// What an operator sees of an outage: how far it has come, how the backlog falls, and the plan to say yes to.

import { at, get, getBlob, post } from "./asking.js";
import { attempt, dayAndClock, el, number, show, table, tell } from "./showing.js";

const FIGURES = [
  ["appointments", "Reconciled"],
  ["unaccounted", "Nothing known yet"],
  ["displaced", "Displaced"],
  ["moved", "Have a new time"],
  ["unplaced", "Wait for one"],
  ["kept", "Keep it"],
  ["calls", "To telephone"],
];

const INFLOW = { practice: "the practice itself", "nhs-111": "NHS 111", public: "online and other bookings" };

export async function county(place, outage, name) {
  const figures = el("section");
  const plan = el("section");
  const chart = el("section");
  show(place, el("p", { class: "soft" }, rules(outage)), figures, plan, chart);
  await Promise.all([
    drawFigures(figures, outage),
    drawPlan(plan, outage, name, () => county(place, outage, name)),
    drawChart(chart, outage),
  ]);
}

function rules(outage) {
  const kept = outage.keeps_out.map((each) => INFLOW[each]).join(", ");
  const out = outage.ended_at ? "It is over. " : "Kept out until it ends: " + (kept || "nobody") + ". ";
  const later = "Free slots that appear later are given to those who still wait ";
  return out + later + (outage.automatic ? "automatically." : "once somebody has approved it here.");
}

async function drawFigures(place, outage) {
  const progress = await get(at("/v1/outages/{}/progress", outage.outage));
  const counts = FIGURES.filter(([key]) => progress[key] !== undefined).map(([key, title]) =>
    el("div", {}, el("dt", {}, title), el("dd", {}, number(progress[key]))),
  );
  show(place, el("h3", {}, "How far it has come"), el("dl", { class: "counts" }, ...counts));
}

async function drawChart(place, outage) {
  try {
    const address = URL.createObjectURL(await getBlob(at("/v1/outages/{}/burndown.svg", outage.outage)));
    const image = el("img", { class: "chart", src: address, alt: "The backlog, day by day" });
    image.addEventListener("load", () => URL.revokeObjectURL(address));
    show(place, el("h3", {}, "The backlog"), image);
  } catch (refused) {
    show(place, el("h3", {}, "The backlog"), el("p", { class: "soft" }, "There is nothing to draw yet."));
  }
}

async function drawPlan(place, outage, name, again) {
  const make = el("button", { type: "button", class: "quiet" }, "Make a new plan");
  make.addEventListener("click", () =>
    attempt(make, async () => {
      await post(at("/v1/outages/{}/plan", outage.outage), {});
      await again();
    }),
  );
  try {
    const plan = await get(at("/v1/outages/{}/plan", outage.outage));
    show(place, el("h3", {}, "The plan"), ...summary(plan), approval(plan, outage, name, again), el("div", { class: "row" }, make));
  } catch (refused) {
    if (refused.status !== 404) {
      throw refused;
    }
    show(place, el("h3", {}, "The plan"), el("p", { class: "soft" }, "None has been made."), el("div", { class: "row" }, make));
  }
}

function summary(plan) {
  const found = number(plan.placed) + " patients find a new time, " + number(plan.unplaced) + " do not. ";
  const made = "Made " + dayAndClock(plan.proposed_at) + "; it can be approved until " + dayAndClock(plan.expires_at) + ".";
  const days = Object.entries(plan.by_day).map(([date, placed]) =>
    el("tr", {}, el("td", {}, date.split("-").reverse().join("/")), el("td", { class: "number" }, number(placed))),
  );
  const practices = plan.practices.map((part) =>
    el(
      "tr",
      {},
      el("td", {}, part.practice),
      el("td", {}, part.state),
      el("td", { class: "number" }, number(part.placed)),
      el("td", { class: "number" }, number(part.unplaced)),
    ),
  );
  return [
    el("p", {}, found + made),
    table(["Day", "Placed"], days),
    el(
      "details",
      {},
      el("summary", {}, "By practice"),
      table(["Practice", "State", "Placed", "Without a place"], practices),
    ),
  ];
}

function approval(plan, outage, name, again) {
  const waiting = plan.practices.filter((part) => part.state === "proposed");
  if (!waiting.length) {
    return el("p", { class: "good" }, "Nothing of this plan waits for an approval.");
  }
  const yes = el("button", { type: "button" }, "Approve this plan");
  yes.addEventListener("click", () => {
    const question = number(plan.placed) + " patients will be moved and told. Approve plan " + plan.hash.slice(0, 12) + "?";
    if (window.confirm(question)) {
      attempt(yes, () => approve(plan, outage, name, again));
    }
  });
  return el("div", { class: "row" }, yes, el("span", { class: "soft small" }, "Plan ", el("code", {}, plan.hash.slice(0, 12))));
}

async function approve(plan, outage, name, again) {
  const answer = await post(at("/v1/outages/{}/approval", outage.outage), { hash: plan.hash, approved_by: name });
  await again();
  const moved = "Approved for " + number(answer.practices.length) + " practices: their patients are being moved.";
  const others = answer.replanned ? Object.keys(answer.replanned.practices).length : 0;
  tell(moved + (others ? " At " + number(others) + " the diary had changed: a new plan for them waits for you." : ""));
}
