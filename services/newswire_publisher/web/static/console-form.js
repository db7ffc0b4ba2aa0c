// Registers an endpoint, or changes the settings of one.

import { $, put } from "./console-dom.js";
import { ApiProblem, call, hookPath } from "./console-api.js";
import { clearProblem, showProblem } from "./console-problems.js";
import { showSecret } from "./console-secret.js";
import { findDraft, forgetDraft, keepDraft, keyOf } from "./console-draft.js";
import { signedIn } from "./console-session.js";
import { beyond, eventsOf, filterOf, patchOf, settingsOf, showSettings } from "./console-settings.js";
import { tryFilter } from "./console-trial.js";

const [, id] = location.pathname.match(/^\/console\/([^/]+)\/edit$/) || [];
const page = (hook) => `/console/${encodeURIComponent(hook)}`;
const form = $("#settings");
const end = $("#refused");
const USUAL = { concurrency: 8 };
let before = null;
let rest = {};

// The filter's fields are those of the feeds' builder; where each stands in the body is said here.
for (const field of form.querySelectorAll("[id^=f-]:not(#f-days)")) {
  field.dataset.pointer = `/filter/${field.name}`;
}

// A second press before the answer counts for nothing. The button is not disabled: that would take the focus from it.
async function busy(button, act) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await act();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (problem.status !== 401) showProblem(form, end, problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// No event chosen would mean every event to the API.
function someEvents() {
  const events = eventsOf(form);
  if (events?.length !== 0) return events;
  throw new ApiProblem(422, { errors: [{ pointer: "/events", detail: "Choose one event at least." }] });
}

async function save() {
  someEvents();
  const settings = settingsOf(form, rest);
  if (id) {
    const patch = patchOf(before, settings);
    if (Object.keys(patch).length) await call("PATCH", hookPath(id), patch);
    forgetDraft();
    return location.assign(page(id));
  }
  const made = await call("POST", "/v1/webhooks", settings, { "Idempotency-Key": keyOf(form) });
  forgetDraft();
  clearProblem(form, end);
  if (made.secret) await showSecret(made);
  location.assign(page(made.id));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearProblem(form, end);
  busy($("button[type=submit]", form), save);
});
$("#try").addEventListener("click", () => {
  clearProblem(form, end);
  busy($("#try"), () => tryFilter({ filter: filterOf(form, rest), events: someEvents() }, Number(form.elements.days.value)));
});

const ALWAYS = ["article.killed", "article.withheld"];

function tellOfKills() {
  $("#kills").hidden = [...form.elements.events].every((box) => box.checked || !ALWAYS.includes(box.value));
}

function openWhatIsSet(settings) {
  tellOfKills();
  const names = ["rate", "concurrency", "max_age", "retry", "headers", "ordered", "challenge"];
  $("#how").open ||= names.some((name) => settings[name] && settings[name] !== USUAL[name]) || settings.signature !== "v1";
}

form.hidden = Boolean(id); // until its settings are here
$("#cancel").addEventListener("click", forgetDraft);
form.addEventListener("change", tellOfKills);
keepDraft(form);
signedIn(async () => {
  if (!id) {
    if (findDraft(form)) openWhatIsSet(settingsOf(form));
    return form.elements.url.focus();
  }
  try {
    const hook = await call("GET", hookPath(id));
    rest = beyond(hook.filter || {});
    showSettings(form, hook);
    before = settingsOf(form, rest);
    form.hidden = false;
    $("#beyond").hidden = !Object.keys(rest).length;
    $("#beyond code").textContent = JSON.stringify(rest, null, 1);
    for (const link of [$("#back"), $("#cancel")]) link.href = page(id);
    findDraft(form);
    openWhatIsSet(settingsOf(form, rest));
  } catch (problem) {
    put($("#lost"), problem.status === 404 ? "There is no such endpoint, or it is not yours to see." : problem.message);
  }
});
