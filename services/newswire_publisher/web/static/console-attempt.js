// One attempt in a dialog: what was sent, what came back, and the button that sends it again.
//
// The address names the attempt that is open, so that it can be sent to a colleague, a reload opens it again, and
// the back button closes it.

import { $, longTime, make, moment, put, say } from "./console-dom.js";
import { call, hookPath } from "./console-api.js";
import { pairs, showExchange } from "./console-exchange.js";
import { resultOf, showOutcome } from "./console-health.js";

const NAME = "attempt";
const dialog = $("#attempt-dialog");
const wrong = $("#a-wrong");
const resend = $("#resend");
let shown = {};

const ofAddress = () => new URLSearchParams(location.search).get(NAME);

function addressOf(attempt) {
  const query = new URLSearchParams(location.search);
  if (attempt) query.set(NAME, attempt);
  else query.delete(NAME);
  return query.size ? `?${query}` : location.pathname;
}

const timeText = (said) => (moment(said) ? longTime(moment(said)) : "");

function fill(attempt, title) {
  say($("#a-title"), title || `Event ${attempt.sequence}${attempt.attempt ? `, attempt ${attempt.attempt}` : ""}`);
  showOutcome($(".outcome", dialog), attempt.outcome);
  say($(".why", dialog), [attempt.status ? "" : resultOf(attempt), attempt.detail].filter(Boolean).join(": "));
  pairs($("#a-facts"), [
    ["Story", attempt.uri && `${attempt.uri} version ${attempt.version}`],
    ["Type", attempt.type && `${attempt.type}${attempt.replay ? ", a replay" : ""}`],
    ["Sent", timeText(attempt.at)],
    ["Took", attempt.ms === undefined ? "" : `${attempt.ms} ms`],
    ["Next try", timeText(attempt.next_at)],
  ]);
  showExchange(attempt);
}

function open() {
  put(wrong, "");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  $("#a-title").focus();
}

async function show(hookId, attempt) {
  const path = hookPath(hookId, `/attempts/${encodeURIComponent(attempt.id)}`);
  shown = { path };
  resend.hidden = false;
  if (attempt.outcome) {
    fill(attempt);
    open();
  }
  try {
    const whole = { ...attempt, ...(await call("GET", path)) };
    if (shown.path !== path) return;
    fill(whole);
    if (!dialog.open && ofAddress()) open();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (dialog.open) put(wrong, problem.message);
    else history.replaceState(null, "", addressOf("")); // it is kept no more: there is the list
  }
}

// What came of a test: it is no attempt, has no address, and another test sends it again.
export function openTest(outcome) {
  shown = {};
  resend.hidden = true;
  fill({ outcome: outcome.delivered ? "delivered" : "retry", ...outcome }, "The test");
  if (!outcome.delivered) say($(".outcome", dialog), "Failed");
  open();
}

export function openAttempt(hookId, attempt) {
  history.pushState({ opened: true }, "", addressOf(attempt.id));
  show(hookId, attempt);
}

// Opens what the address names, now and whenever it changes; `changed` runs when an attempt was sent again.
export function watchAttempt(hookId, changed) {
  let followed = false; // the address has closed it; who goes forward again may be there before the event is
  const follow = () => {
    const id = ofAddress();
    if (id) show(hookId, { id });
    else if (dialog.open) {
      shown = {};
      followed = true;
      dialog.close();
    }
  };
  addEventListener("popstate", follow);
  dialog.addEventListener("close", () => {
    if (followed) {
      followed = false;
      return;
    }
    shown = {};
    if (!ofAddress()) return;
    if (history.state?.opened) history.back();
    else history.replaceState(null, "", addressOf(""));
  });
  resend.addEventListener("click", async () => {
    try {
      await call("POST", `${shown.path}/resend`);
      dialog.close();
      $("#said").replaceChildren(make("p", { className: "good", textContent: "It is sent again; the answer comes on top of the list." }));
      changed();
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      put(wrong, problem.message);
    }
  });
  follow();
}
