// What was sent and what came back, side by side; what is not known, or not kept any more, is said to be so.

import { $, make, put, say } from "./console-dom.js";

export function pairs(list, entries) {
  const rows = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  list.hidden = !rows.length;
  list.replaceChildren(
    ...rows.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", {}, make("bdi", { textContent: value })))),
  );
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return "";
  }
}

// `request` is undefined while it is asked for, and null where nothing was sent.
function showRequest(request) {
  const body = request?.body || "";
  const pretty = indented(body);
  put($("#a-line"), request && `${request.method || "POST"} ${request.url || "(an address that is not known any more)"}`);
  pairs($("#a-request-headers"), Object.entries(request?.headers || {}));
  say($("#a-body"), body);
  $("#a-body-box").hidden = !body;
  say($("#a-indented"), pretty);
  $("#a-indented-box").hidden = !pretty;
  const missing = request ? "Its body is not kept any more." : "Nothing was sent.";
  put($("#a-no-request"), body ? "" : request === undefined ? "Loading…" : missing);
}

// A list's attempt and a test have the answer's text alone.
function showResponse({ status, error, response, truncated }) {
  const answer = typeof response === "string" ? { body: response, truncated } : response || {};
  put($("#a-status"), status && `Status ${status}`);
  pairs($("#a-response-headers"), Object.entries(answer.headers || {}));
  $("#a-headers-cut").hidden = !answer.headers_truncated;
  say($("#a-response"), answer.body || "");
  $("#a-response-box").hidden = !answer.body;
  $("#a-cut").hidden = !answer.truncated;
  const missing = error ? "None came." : "There was none.";
  put($("#a-no-response"), answer.body ? "" : status ? "Its body was empty, or is not kept." : missing);
}

export function showExchange(attempt) {
  showRequest(attempt.request);
  showResponse(attempt);
}
