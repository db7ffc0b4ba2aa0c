// Calls the API with the token of this tab. The token lies in sessionStorage alone: never in an address, a cookie or a log.

const KEPT = "newswire.token";
const LONGEST = 60_000; // ms; a test waits for the receiver's whole deadline

export const token = {
  get: () => sessionStorage.getItem(KEPT),
  keep: (text) => sessionStorage.setItem(KEPT, text),
  forget: () => sessionStorage.clear(), // and where its holder was
};

// What the API refused (RFC 9457), or that it did not answer: then the status is 0.
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The wire answered ${status}.`);
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

async function read(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}

export async function call(method, path, body, more = {}) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${token.get() || ""}`, ...more };
  const request = { method, headers, credentials: "omit", cache: "no-store", redirect: "error" };
  request.signal = AbortSignal.timeout(LONGEST);
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new ApiProblem(0, { detail: "The wire does not answer. Check the connection, and try again." });
  }
  if (answer.status === 204) return {};
  const said = await read(answer);
  if (answer.ok) return said;
  const problem = new ApiProblem(answer.status, said);
  if (problem.status === 401) document.dispatchEvent(new CustomEvent("refused", { detail: problem }));
  throw problem;
}

export const hookPath = (id, rest = "") => `/v1/webhooks/${encodeURIComponent(id)}${rest}`;
