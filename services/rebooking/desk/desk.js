// The desk: who sits here, which outage it is about, and what there is to do.

import { get } from "./asking.js";
import { calls } from "./calls.js";
import { county } from "./county.js";
import { askWho, otherDesk } from "./entering.js";
import { attempt, dayAndClock, el, show, tell } from "./showing.js";
import { sheet, hasUnsaved } from "./sheet.js";

const page = document.getElementById("page");
const who = document.getElementById("who");
const leave = document.getElementById("leave");

leave.addEventListener("click", () => {
  if (mayLeave()) {
    window.location.reload();
  }
});
window.addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) {
    event.preventDefault();
    event.returnValue = "";
  }
});

function mayLeave() {
  return !hasUnsaved() || window.confirm("There are answers that have not been saved. Leave them behind?");
}

async function begin(name) {
  const desk = await get("/v1/desk");
  const own = Object.entries(desk.practices);
  who.textContent = desk.operator ? name + ", county desk" : name + (own.length ? ", " + own[0][1] : "");
  leave.hidden = false;
  tell("");
  listOutages({ ...desk, name: name });
}

function listOutages(desk) {
  const found = desk.outages.map((outage) => {
    const open = el("button", { type: "button", class: "quiet", onclick: () => openOutage(desk, outage) }, outage.name);
    const ended = outage.ended_at ? " until " + dayAndClock(outage.ended_at) : ", not over yet";
    const facts = "from " + dayAndClock(outage.started_at) + ended;
    return el("div", { class: "card row" }, open, el("span", { class: "soft grow" }, facts));
  });
  const none = el("p", {}, "There is no outage, and nothing to put right. ");
  const texts = otherDesk(desk.ports, "rebooking", "notifications", "The desk of the texts and their answers");
  show(page, el("h2", {}, "Which outage is it about?"), ...(found.length ? found : [none]), texts && el("p", {}, texts));
}

function openOutage(desk, outage) {
  if (desk.operator) {
    openCounty(desk, outage);
  } else {
    openPractice(desk, outage, outage.practices[0]);
  }
}

function openCounty(desk, outage) {
  const choice = el(
    "select",
    { id: "practice" },
    el("option", { value: "" }, "choose one"),
    ...outage.practices.map((code) => el("option", { value: code }, (desk.practices[code] || code) + " (" + code + ")")),
  );
  choice.addEventListener("change", () => choice.value && openPractice(desk, outage, choice.value));
  const place = el("div");
  const line = el("div", { class: "row" }, el("label", { class: "inline", for: "practice" }, "One practice:"), choice);
  const texts = otherDesk(desk.ports, "rebooking", "notifications", "How the texts stand", outage.outage);
  show(page, heading(desk, outage), line, texts && el("p", {}, texts), place);
  tell("");
  attempt(null, () => county(place, outage, desk.name));
}

function openPractice(desk, outage, practice) {
  const place = el("div");
  const about = { outage: outage, practice: practice, by: desk.name };
  const tabs = [
    ["Who was seen", () => sheet(place, about)],
    ["Telephone calls", () => calls(place, about)],
  ].map(([title, open]) => {
    const tab = el("button", { type: "button" }, title);
    tab.addEventListener("click", () => {
      if (mayLeave()) {
        tabs.forEach((each) => each.removeAttribute("aria-current"));
        tab.setAttribute("aria-current", "page");
        tell("");
        attempt(null, open);
      }
    });
    return tab;
  });
  const name = el("p", { class: "soft" }, (desk.practices[practice] || "") + " (" + practice + ")");
  show(page, heading(desk, outage, desk.operator), name, el("nav", { class: "tabs" }, ...tabs), place);
  tabs[0].click();
}

function heading(desk, outage, toCounty) {
  const back = el("button", { type: "button", class: "quiet" }, toCounty ? "Back to the county" : "All outages");
  back.addEventListener("click", () => {
    if (mayLeave()) {
      tell("");
      toCounty ? openCounty(desk, outage) : listOutages(desk);
    }
  });
  return el("div", { class: "row" }, el("h2", { class: "grow" }, outage.name), back);
}

askWho(page, begin);
