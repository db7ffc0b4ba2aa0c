// One attempt in a dialog: what was sent, what came back, and the button that sends it again.

import { $, ask, longTime, make, moment, put, say } from "./console-dom.js";
import { call, hookPath } from "./console-api.js";
import { resultOf } from "./console-health.js";

const dialog = $("#attempt-dialog");
const wrong = $("#a-wrong");
let shown = null;

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

const timeText = (said) => (moment(said) ? longTime(moment(said)) : "");

function fill(attempt, words) {
  const { request, response } = attempt;
  say($("#a-title"), `Event ${attempt.sequence}${attempt.attempt ? `, attempt ${attempt.attempt}` : ""}`);
  const outcome = $(".outcome", dialog);
  outcome.className = `outcome ${attempt.outcome}`;
  say(outcome, words);
  say($(".why", dialog), [attempt.status ? "" : resultOf(attempt), attempt.detail].filter(Boolean).join(": "));
  pairs($("#a-facts"), [
    ["Story", attempt.uri && `${attempt.uri} version ${attempt.version}`],
    ["Type", attempt.type && `${attempt.type}${attempt.replay ? ", a replay" : ""}`],
    ["Sent", timeText(attempt.at)],
    ["Took", attempt.ms === undefined ? "" : `${attempt.ms} ms`],
    ["Next try", timeText(attempt.next_at)],
  ]);
  put($("#a-line"), request?.url ? `${request.method || "POST"} ${request.url}` : "");
  pairs($("#a-request-headers"), Object.entries(request?.headers || {}));
  const body = request?.body || "";
  say($("#a-body"), body);
  $("#a-body-box").hidden = !body;
  say($("#a-indented"), indented(body));
  $("#a-indented-box").hidden = !indented(body);
  put($("#a-no-request"), body ? "" : request === undefined ? "Loading…" : request ? "Its payload is not kept any more." : "Nothing was sent.");
  // A list's attempt has the answer's text alone.
  const answered = typeof response === "string" ? { body: response, truncated: attempt.truncated } : response;
  say($("#a-status"), attempt.status ? `Status ${attempt.status}` : "There was none.");
  put($("#a-response"), answered?.body);
  $("#a-cut").hidden = !answered?.truncated;
}

export async function openAttempt(id, attempt, changed) {
  const path = hookPath(id, `/attempts/${encodeURIComponent(attempt.id)}`);
  shown = { path, changed };
  put(wrong, "");
  const words = $(`#attempts [data-id="${attempt.id}"] .outcome`)?.textContent || attempt.outcome;
  fill(attempt, words);
  ask(dialog);
  $("#a-title").focus();
  try {
    const whole = await call("GET", path);
    if (shown.path === path) fill({ ...attempt, ...whole }, words);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    put(wrong, problem.message);
  }
}

$("#resend").addEventListener("click", async () => {
  try {
    await call("POST", `${shown.path}/resend`);
    dialog.close();
    $("#said").replaceChildren(make("p", { className: "good", textContent: "It is sent again; the answer comes on top of the list." }));
    shown.changed();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    put(wrong, problem.message);
  }
});
