// The door of a desk: who sits there, with which token, and how they leave again.

import { signIn } from "./asking.js";
import { attempt, el, show } from "./showing.js";

/** Ask for a name and a token, then begin(name). */
export function askWho(page, begin) {
  const name = el("input", { id: "name", autocomplete: "off", maxlength: "200", required: true });
  const token = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const enter = el("button", { type: "submit" }, "Continue");
  const form = el(
    "form",
    { class: "card narrow" },
    el("label", { for: "name" }, "Your name"),
    el("p", { class: "soft small" }, "It is written beside whatever you type in here."),
    name,
    el("label", { for: "token" }, "Access token"),
    el(
      "p",
      { class: "soft small" },
      "A long line of letters that your county desk gives you. Nothing keeps it: when you close this page, it is gone.",
    ),
    token,
    el("div", { class: "row" }, enter),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(token.value);
    attempt(enter, () => begin(name.value.trim()));
  });
  show(page, el("h2", {}, "Who is at the desk?"), form);
  name.focus();
}

/** A link to another service's desk, where this one is reached at its own port, and so nothing stands in front of it. */
export function otherDesk(ports, own, other, title, fragment) {
  if (window.location.port !== String(ports[own])) {
    return null;
  }
  const address = window.location.protocol + "//" + window.location.hostname + ":" + ports[other] + "/desk";
  return el("a", { href: address + (fragment ? "#" + encodeURIComponent(fragment) : ""), rel: "noopener" }, title);
}
