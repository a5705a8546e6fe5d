// Asking the service, with the token that was shown at the beginning. It is kept here, and nowhere else.

let token = "";

export function signIn(shown) {
  token = shown.trim();
}

export class Refused extends Error {
  constructor(status, problem) {
    super(inWords(status, problem));
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

function inWords(status, problem) {
  if (status === 401) {
    return "This access token does not count, or no longer. Copy the whole of it, or ask your county desk for another.";
  }
  return problem.detail || "The service does not answer as it should. Try again in a moment.";
}

async function send(method, path, body) {
  const headers = { Authorization: "Bearer " + token };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, {
      method: method,
      headers: headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch (unreachable) {
    throw new Refused(0, { detail: "Daybook cannot be reached. What you have typed is still here: try again soon." });
  }
  if (!answer.ok) {
    throw new Refused(answer.status, await problemOf(answer));
  }
  return answer;
}

async function problemOf(answer) {
  try {
    return await answer.json();
  } catch (unreadable) {
    return {};
  }
}

export const get = async (path) => (await send("GET", path)).json();
export const getText = async (path) => (await send("GET", path)).text();
export const getBlob = async (path) => (await send("GET", path)).blob();
export const post = async (path, body) => (await send("POST", path, body)).json();

/** A path with these ids in it: at("/outages/{}", outage). */
export function at(template, ...ids) {
  return template.replace(/\{\}/g, () => encodeURIComponent(ids.shift()));
}
