// The sheet of a practice: for each appointment of the outage, what became of it.

import { at, get, post } from "./asking.js";
import { attempt, clock, day, dayAndClock, el, number, patient, show, table, telephone, tell } from "./showing.js";

const WORDS = {
  attended: "Came",
  missed: "Did not come",
  cancelled: "Cancelled",
  elsewhere: "Seen elsewhere",
  displaced: "Not seen: needs another time",
  triage: "Not seen: for a clinician to look at",
  rescheduled: "Has another time already",
};
const ASSUMED = ["triage", "displaced", "planned", "refused"];

/** What has been answered on the page and not saved: by appointment, { outcome, at }. */
const unsaved = new Map();

export const hasUnsaved = () => unsaved.size > 0;

export async function sheet(place, about) {
  unsaved.clear();
  const path = at("/v1/outages/{}/practices/{}/appointments", about.outage.outage, about.practice);
  const found = await get(path);
  const lines = found.appointments.map((line) => ({ line: line, row: null }));
  const bar = el("div", { class: "save", hidden: true });
  const body = el("div");
  const onlyOpen = el("input", { type: "checkbox", id: "open", checked: lines.some((each) => isOpen(each.line)) });
  const search = el("input", { id: "search", type: "search", placeholder: "Name", autocomplete: "off" });
  const draw = () => drawLines(body, lines, onlyOpen.checked, search.value, () => drawBar(bar, place, about, lines));
  onlyOpen.addEventListener("change", draw);
  search.addEventListener("input", draw);
  const left = lines.filter((each) => isOpen(each.line)).length;
  show(
    place,
    el("p", {}, number(lines.length) + " appointments fell into this outage; of " + number(left) + " nothing is known yet."),
    el("p", { class: "soft" }, "Go through the paper of the day. Leave out whatever you are not sure of, and save as often as you like."),
    el(
      "div",
      { class: "row" },
      el("label", { class: "inline", for: "search" }, "Find:"),
      search,
      onlyOpen,
      el("label", { class: "inline", for: "open" }, "only those not answered yet"),
    ),
    body,
    bar,
  );
  draw();
}

const isOpen = (line) => line.outcome === null;

function drawLines(body, lines, onlyOpen, search, changed) {
  const wanted = search.trim().toLowerCase();
  const shown = lines.filter(({ line }) => {
    const name = (line.given_name + " " + line.family_name + " " + line.given_name).toLowerCase();
    return (!onlyOpen || isOpen(line)) && name.includes(wanted);
  });
  const days = new Map();
  for (const each of shown) {
    each.row = drawLine(each.line, changed);
    const date = day(each.line.start);
    days.set(date, [...(days.get(date) || []), each.row]);
  }
  const headings = ["Time", "Patient", "Telephone", "With", "What became of it", "When (if not on time)"];
  const tables = [...days].flatMap(([date, rows]) => [el("h3", {}, date), table(headings, rows)]);
  show(body, ...(tables.length ? tables : [el("p", { class: "good" }, "Nothing is left to answer here.")]));
  changed();
}

function drawLine(line, changed) {
  const row = el("tr");
  row.append(
    el("td", {}, clock(line.start)),
    el("td", {}, patient(line)),
    el("td", {}, telephone(line)),
    el("td", {}, el("span", { class: "whole" }, line.clinician), el("div", { class: "soft small" }, line.session)),
  );
  if (line.outcome !== null && !(line.evidence === "rule" && ASSUMED.includes(line.state))) {
    const by = line.typed_by ? " by " + line.typed_by : "";
    const typed = "written down " + dayAndClock(line.typed_at) + by;
    row.append(el("td", {}, WORDS[line.outcome], el("div", { class: "soft small" }, typed)));
    row.append(el("td", {}, clock(line.happened_at)));
    return row;
  }
  const said = unsaved.get(line.appointment) || { outcome: "", at: "" };
  const who = line.given_name + " " + line.family_name;
  const outcome = choice(line, said.outcome, who);
  const time = el("input", { type: "time", value: said.at, "aria-label": "When, " + who });
  const note = () => {
    if (outcome.value) {
      unsaved.set(line.appointment, { outcome: outcome.value, at: time.value });
    } else {
      unsaved.delete(line.appointment);
    }
    row.className = outcome.value ? "changed" : "";
    changed();
  };
  outcome.addEventListener("change", note);
  time.addEventListener("change", note);
  row.className = said.outcome ? "changed" : "";
  const assumed = line.outcome ? "Assumed so far: " + WORDS[line.outcome].toLowerCase() : "";
  row.append(el("td", {}, outcome, assumed ? el("div", { class: "soft small" }, assumed) : ""), el("td", {}, time));
  return row;
}

function choice(line, chosen, who) {
  const notSeen = line.same_day ? "triage" : "displaced";
  const outcomes = ["attended", "missed", "cancelled", "elsewhere", notSeen];
  return el(
    "select",
    { "aria-label": "What became of it, " + who },
    el("option", { value: "" }, "not known yet"),
    ...outcomes.map((each) => el("option", { value: each, selected: each === chosen }, WORDS[each])),
  );
}

function drawBar(bar, place, about, lines) {
  bar.hidden = unsaved.size === 0;
  const save = el("button", { type: "button" }, "Save");
  save.addEventListener("click", () => attempt(save, () => saveAll(place, about, lines)));
  const count = unsaved.size === 1 ? "1 answer is not saved yet." : number(unsaved.size) + " answers are not saved yet.";
  show(bar, el("span", {}, count), save);
}

async function saveAll(place, about, lines) {
  const findings = [...unsaved].slice(0, 1000).map(([appointment, said]) => ({
    appointment: appointment,
    outcome: said.outcome,
    at: said.at || null,
  }));
  const path = at("/v1/outages/{}/practices/{}/findings", about.outage.outage, about.practice);
  try {
    const saved = await post(path, { typed_by: about.by, findings: findings });
    await sheet(place, about);
    tell(number(saved.recorded) + " saved. Of " + number(saved.unaccounted) + " appointments nothing is known yet.");
  } catch (refused) {
    markWrong(refused, lines);
    throw refused;
  }
}

function markWrong(refused, lines) {
  const wrong = new Map((refused.errors || []).map((each) => [each.appointment, each.reason]));
  for (const { line, row } of lines) {
    if (row && wrong.has(line.appointment)) {
      row.className = "wrong";
      row.cells[4].append(el("div", { class: "bad small" }, wrong.get(line.appointment)));
    }
  }
}
