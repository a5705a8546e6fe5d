// How the texts about an outage stand: how far they have come, through whom, what they cost, and each of them.

import { at, get } from "./asking.js";
import { attempt, day, dayAndClock, el, number, show, table } from "./showing.js";
import { ANSWERS, history, KINDS, PROVIDERS, STATES } from "./words.js";

const FIGURES = [
  ["planned", "Texts"],
  ["waiting", "Wait to be sent"],
  ["accepted", "Sent"],
  ["delivered", "Delivered"],
  ["silent", "Nothing heard"],
  ["failed", "Did not arrive"],
  ["unknown", "Sent or not?"],
  ["calls", "To telephone"],
];

export async function campaigns(about) {
  const { outages } = await get("/v1/desk");
  const place = el("div");
  if (!outages.length) {
    show(about.place, el("p", {}, "Nobody has been texted about an outage."));
    return;
  }
  const chosen = outages.some((each) => each.outage === about.outage) ? about.outage : outages[0].outage;
  const choice = el(
    "select",
    { id: "outage" },
    ...outages.map((each) =>
      el("option", { value: each.outage, selected: each.outage === chosen }, "texts since " + day(each.since) + " (" + each.outage + ")"),
    ),
  );
  choice.addEventListener("change", () => attempt(null, () => campaign(place, choice.value)));
  show(about.place, el("div", { class: "row" }, el("label", { class: "inline", for: "outage" }, "Outage:"), choice), place);
  await campaign(place, chosen);
}

async function campaign(place, outage) {
  const found = await get(at("/v1/outages/{}/messages", outage));
  const counts = FIGURES.map(([key, title]) => el("div", {}, el("dt", {}, title), el("dd", {}, number(found[key]))));
  const answers = Object.entries(found.replies).map(([answer, taken]) => number(taken) + " " + ANSWERS[answer]);
  const list = el("section");
  show(
    place,
    el("h3", {}, "The news of the new times"),
    el("dl", { class: "counts" }, ...counts),
    el("p", {}, answers.length ? "Answers: " + answers.join(", ") + "." : "Nobody has answered yet."),
    el("h3", {}, "By kind"),
    kinds(found.by_kind),
    ...providers(found.by_provider),
    ...failures(found.failures),
    el("h3", {}, "Each of them"),
    filter(list, outage),
    list,
  );
}

function kinds(byKind) {
  const columns = ["planned", "waiting", "accepted", "delivered", "silent", "failed", "unknown", "segments"];
  const rows = Object.entries(byKind).map(([kind, figures]) =>
    el("tr", {}, el("td", {}, KINDS[kind] || kind), ...columns.map((key) => figure(figures[key])), el("td", { class: "number" }, pounds(figures.cost_pence))),
  );
  return table(["Kind", "Texts", "Wait", "Sent", "Delivered", "Nothing heard", "Did not arrive", "Unknown", "Segments", "Cost without VAT"], rows);
}

function providers(byProvider) {
  const columns = ["accepted", "delivered", "silent", "failed", "unknown"];
  const rows = Object.entries(byProvider).map(([provider, figures]) =>
    el("tr", {}, el("td", {}, PROVIDERS[provider] || provider), ...columns.map((key) => figure(figures[key]))),
  );
  return rows.length ? [el("h3", {}, "By provider"), table(["Provider", "Sent", "Delivered", "Nothing heard", "Did not arrive", "Unknown"], rows)] : [];
}

function failures(found) {
  const rows = found.map((each) => el("tr", {}, el("td", {}, each.reason), el("td", {}, each.failure), figure(each.messages)));
  return rows.length ? [el("h3", {}, "Why some did not arrive"), table(["Reason", "Kind", "Texts"], rows)] : [];
}

const figure = (value) => el("td", { class: "number" }, number(value));
const pounds = (pence) => "£" + (pence / 100).toFixed(2);

function filter(list, outage) {
  const state = el(
    "select",
    { id: "state" },
    el("option", { value: "" }, "any state"),
    ...Object.entries(STATES).map(([value, title]) => el("option", { value: value }, title)),
  );
  const practice = el("input", { id: "practice", autocomplete: "off", maxlength: "20", size: "10" });
  const button = el("button", { type: "submit", class: "quiet" }, "Show");
  const form = el(
    "form",
    { class: "row" },
    el("label", { class: "inline", for: "state" }, "State:"),
    state,
    el("label", { class: "inline", for: "practice" }, "ODS code of the practice:"),
    practice,
    button,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.replaceChildren();
    const query = { state: state.value, practice: practice.value.trim().toUpperCase(), limit: "50" };
    attempt(button, () => page(list, outage, query));
  });
  return form;
}

async function page(list, outage, query) {
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const found = await get(at("/v1/outages/{}/messages/list", outage) + "?" + said);
  list.append(...found.messages.map(drawMessage));
  if (!list.children.length) {
    list.append(el("p", {}, "There is none."));
  }
  if (found.after) {
    const more = el("button", { type: "button", class: "quiet" }, "More");
    more.addEventListener("click", () =>
      attempt(more, async () => {
        await page(list, outage, { ...query, after: found.after });
        more.remove();
      }),
    );
    list.append(more);
  }
}

function drawMessage(message) {
  const steps = el("div");
  const why = message.detail ? " (" + message.detail + ")" : "";
  const line = el(
    "details",
    {},
    el("summary", {}, message.practice + ", " + dayAndClock(message.appointment_start) + ", " + KINDS[message.kind] + ": " + STATES[message.state].toLowerCase() + why),
    steps,
  );
  line.addEventListener("toggle", () => {
    if (line.open && !steps.children.length) {
      attempt(null, async () => show(steps, history((await get(at("/v1/messages/{}", message.message))).history)));
    }
  });
  return line;
}
