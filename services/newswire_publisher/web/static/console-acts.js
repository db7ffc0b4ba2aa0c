// What can be done with an endpoint: test, verify, enable, disable, replay, rotate, delete.

import { $, ask, longTime, make, moment } from "./console-dom.js";
import { call, hookPath } from "./console-api.js";
import { openTest } from "./console-attempt.js";
import { resultOf } from "./console-health.js";
import { clearProblem, showProblem } from "./console-problems.js";
import { showSecret } from "./console-secret.js";

const answer = $("#said");

function tell(good, text, ...more) {
  answer.replaceChildren(make("p", { className: good ? "good" : "bad", textContent: text }), ...more);
}

// The button that was pressed can't be pressed again until the answer is there, and keeps the focus.
// What `act` returns runs after that: a press while the page is brought up to date must count.
async function once(button, act) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  let after;
  try {
    after = await act();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (problem.status !== 401) tell(false, problem.message);
  } finally {
    button.removeAttribute("aria-disabled");
  }
  await after?.();
}

// Opens a dialog; `act` runs when it is confirmed, and the dialog stays open with what the API has against it.
function confirmed(dialog, act) {
  const form = $("form", dialog);
  const wrong = $(".wrong[role=alert]", dialog);
  const yes = $("button[type=submit]", form);
  clearProblem(form, wrong);
  const submit = (event) => {
    if (event.submitter && event.submitter !== yes) return;
    event.preventDefault();
    once(yes, async () => {
      try {
        const after = await act();
        dialog.close();
        return after;
      } catch (problem) {
        if (problem.status === undefined || problem.status === 401) throw problem;
        showProblem(form, wrong, problem);
      }
    });
  };
  form.addEventListener("submit", submit);
  ask(dialog).then(() => form.removeEventListener("submit", submit));
}

function showTest(outcome) {
  const took = outcome.ms === undefined ? "" : ` in ${Math.round(outcome.ms)} ms`;
  const result = resultOf(outcome) || "nothing";
  const words = outcome.delivered ? `The test arrived: your endpoint answered ${result}${took}.` : outcome.status ? `Your endpoint answered ${result}${took}; only 2xx is a success.` : `The test did not arrive: ${result}${outcome.detail ? ` (${outcome.detail})` : ""}.`;
  const more = make("button", { type: "button", className: "plain", textContent: "Show request and response" });
  more.addEventListener("click", () => openTest(outcome));
  const body = outcome.response ? make("pre", { textContent: outcome.response, tabIndex: 0 }) : null;
  body?.setAttribute("role", "group");
  body?.setAttribute("aria-label", "Body of the response");
  const shown = outcome.request ? make("p", { className: "more" }, more) : null;
  tell(outcome.delivered, words, ...[body, shown].filter(Boolean));
}

// The field says UTC, so what is typed is UTC, whatever the browser's own zone.
const utc = (value) => (value ? new Date(`${value}Z`).toISOString() : undefined);

function wantedRange() {
  const only = $("#r-failed").checked ? "failed" : undefined;
  if ($("#replay-dialog [name=by]:checked").value === "time") {
    return { since: utc($("#r-since").value), until: utc($("#r-until").value), only };
  }
  const [after, to] = [$("#r-after").value, $("#r-to").value];
  return { after: after === "" ? undefined : Number(after), until: to === "" ? undefined : Number(to), only };
}

export function wireActs(id, refresh) {
  const act = (name, body) => call("POST", hookPath(id, `/${name}`), body);
  const on = (button, run) => $(button).addEventListener("click", () => run($(button)));

  on("#test", (button) =>
    once(button, async () => {
      tell(true, "Sending…");
      showTest(await act("test"));
    }),
  );
  on("#verify", (button) =>
    once(button, async () => {
      tell(true, "Sending the challenge…");
      const found = await act("verify");
      const missing = found.status === "pending" ? `Your endpoint did not echo the challenge: ${found.verification?.detail || "try again"}.` : "";
      tell(!missing, missing || "Your endpoint is proven; its events go out now.");
      return refresh;
    }),
  );
  on("#enable", (button) =>
    once(button, async () => {
      await act("enable");
      tell(true, "Enabled: what waited goes first.");
      return async () => {
        await refresh();
        $("#disable").focus(); // it stands where the button stood
      };
    }),
  );
  on("#disable", () =>
    confirmed($("#disable-dialog"), async () => {
      const reason = $("#p-reason").value.trim();
      await act("disable", reason ? { reason } : {});
      tell(true, "Disabled: nothing is sent until you enable it.");
      return async () => {
        await refresh();
        $("#enable").focus();
      };
    }),
  );
  on("#replay", () =>
    confirmed($("#replay-dialog"), async () => {
      const found = await act("replay", wantedRange());
      const range = found.first === found.last ? `Event ${found.first} is` : `Events ${found.first} to ${found.last} are`;
      const which = $("#r-failed").checked ? ", where they failed" : "";
      if (found.waits_already) {
        tell(true, "The very same replay waits already: nothing was added to it.");
        return refresh;
      }
      tell(found.entries, found.entries ? `${range} sent again${which}.` : "Nothing is in that range; nothing is sent.");
      return refresh;
    }),
  );
  on("#rotate", () =>
    confirmed($("#rotate-dialog"), async () => {
      const grace = Number($("#o-grace").value);
      const made = await act("rotate-secret", { grace });
      const ends = longTime(moment(Date.now() + grace * 1_000));
      return async () => {
        await showSecret(made, grace ? `The old one is good until ${ends}.` : "The old one has ended.");
        tell(true, grace ? `The secret is rotated; the old one is good until ${ends}.` : "The secret is rotated.");
        await refresh();
      };
    }),
  );
  on("#delete", () => {
    $("#d-name").textContent = $("#name").textContent;
    confirmed($("#delete-dialog"), async () => {
      await call("DELETE", hookPath(id));
      location.replace("/console");
    });
  });
  for (const radio of document.querySelectorAll("#replay-dialog [name=by]")) {
    radio.addEventListener("change", () => {
      const byTime = radio.value === "time" && radio.checked;
      $("#r-by-time").hidden = !byTime;
      $("#r-by-sequence").hidden = byTime;
    });
  }
}
