// The desk of the texts: who sits here, and what there is to do.

import { at, get } from "./asking.js";
import { campaigns } from "./campaigns.js";
import { askWho, otherDesk } from "./entering.js";
import { patients } from "./patients.js";
import { replies } from "./replies.js";
import { attempt, el, show, tell } from "./showing.js";
import { unknown } from "./unknown.js";

const page = document.getElementById("page");
const who = document.getElementById("who");
const leave = document.getElementById("leave");
const wanted = decodeURIComponent(window.location.hash.slice(1));

leave.addEventListener("click", () => window.location.reload());

async function begin(name) {
  const desk = { ...(await get("/v1/desk")), name: name };
  const own = Object.values(desk.practices);
  who.textContent = name + (desk.operator ? ", county desk" : own.length ? ", " + own[0] : "");
  leave.hidden = false;
  tell("");
  desk.operator ? openCounty(desk) : openPractice(desk);
}

function openCounty(desk) {
  const place = el("div");
  const about = { desk: desk, place: place, base: "/v1/replies", by: desk.name, outage: wanted };
  const tabs = [
    ["Replies to read", () => replies(about, counter("replies")), "replies"],
    ["Sent or not?", () => unknown(about, counter("unknown")), "unknown"],
    ["How the texts stand", () => campaigns(about), ""],
    ["One patient", () => patients(about), ""],
  ];
  const made = tabs.map(([title, open, key]) => tab(title, open, key));
  const other = otherDesk(desk.ports, "notifications", "rebooking", "The desk of the recovery");
  show(page, el("nav", { class: "tabs", "aria-label": "What to look at" }, ...made), place, other && el("p", {}, other));
  attempt(null, countWaiting);
  made[wanted ? 2 : 0].click();
}

function openPractice(desk) {
  const [practice] = Object.keys(desk.practices);
  if (!practice) {
    show(page, el("p", {}, "This token belongs to no practice that is registered here."));
    return;
  }
  const place = el("div");
  const base = at("/v1/practices/{}/replies", practice);
  const other = otherDesk(desk.ports, "notifications", "rebooking", "The desk of the recovery");
  show(page, el("h2", {}, "Replies to read"), place, other && el("p", {}, other));
  attempt(null, () => replies({ desk: desk, place: place, base: base, by: desk.name }, null));
}

function tab(title, open, key) {
  const count = key ? el("span", { class: "count none", id: "count-" + key }) : "";
  const made = el("button", { type: "button" }, title, count);
  made.addEventListener("click", () => {
    for (const each of made.parentNode.children) {
      each.removeAttribute("aria-current");
    }
    made.setAttribute("aria-current", "page");
    tell("");
    attempt(null, open);
  });
  return made;
}

const counter = (key) => (number) => {
  const count = document.getElementById("count-" + key);
  count.textContent = String(number);
  count.className = number ? "count" : "count none";
};

async function countWaiting() {
  const [texts, lost] = await Promise.all([get("/v1/replies"), get("/v1/unknown")]);
  counter("replies")(texts.length);
  counter("unknown")(lost.length);
}

askWho(page, begin);
