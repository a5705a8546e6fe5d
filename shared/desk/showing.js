// Small things for building the page: elements, times in London, and what is said to whoever sits before it.

/** An element: el("p", { class: "soft" }, "text", another). What begins with "on" is a listener. */
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children.filter((child) => child));
  return made;
}

export function table(headings, rows) {
  const head = el("tr", {}, ...headings.map((heading) => el("th", { scope: "col" }, heading)));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

export function show(place, ...children) {
  place.replaceChildren(...children.filter((child) => child));
}

const LONDON = { timeZone: "Europe/London" };
const CLOCK = new Intl.DateTimeFormat("en-GB", { ...LONDON, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { ...LONDON, weekday: "long", day: "numeric", month: "long" });

export const clock = (instant) => CLOCK.format(new Date(instant));
export const day = (instant) => DAY.format(new Date(instant));
export const dayAndClock = (instant) => day(instant) + " at " + clock(instant);
export const number = (count) => count.toLocaleString("en-GB");

const said = document.getElementById("said");

/** Tell whoever sits before the page; an empty sentence takes away what was told before. */
export function tell(sentence) {
  said.className = "";
  show(said, document.createTextNode(sentence));
}

/** Tell that something was refused, and why. */
export function tellRefusal(refused) {
  said.className = "refused";
  show(said, document.createTextNode(refused.message));
  said.scrollIntoView({ block: "nearest" });
}

/** Do something that may be refused, with the button out of reach meanwhile. */
export async function attempt(button, doing) {
  if (button) {
    button.disabled = true;
  }
  try {
    return await doing();
  } catch (refused) {
    tellRefusal(refused);
    return undefined;
  } finally {
    if (button) {
      button.disabled = false;
    }
  }
}

export function patient(of) {
  if (of.erased) {
    return el("span", { class: "name" }, "Erased patient");
  }
  const born = of.birth_date ? "born " + of.birth_date.split("-").reverse().join("/") : "";
  const number = "NHS " + of.nhs_number.replace(/^(...)(...)/, "$1 $2 ");
  return el(
    "div",
    {},
    el("span", { class: "name" }, of.family_name + ", " + of.given_name),
    el("div", { class: "soft small" }, el("span", { class: "whole" }, born), " ", el("span", { class: "whole" }, number)),
  );
}

export function telephone(of) {
  if (!of.telephone) {
    return el("span", { class: "soft" }, "no number");
  }
  return el("a", { class: "telephone", href: "tel:" + of.telephone }, of.telephone.replace(/^\+44/, "0"));
}
