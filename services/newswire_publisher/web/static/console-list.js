// All endpoints that the token may see, the failing ones first; narrowed by health and owner.

import { $, copyOf, countOf, put, say, whileSeen } from "./console-dom.js";
import { all } from "./console-api.js";
import { KINDS, healthOf, showHealth, worstFirst } from "./console-health.js";
import { showTold } from "./console-told.js";
import { signedIn } from "./console-session.js";

const SHOWN = 200;
const list = $("#hooks");
const narrow = $("#narrow");
let hooks = [];
let complete = true;
let operator = false;

const count = (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString("en-GB"));

function fill(item, hook) {
  const health = healthOf(hook);
  const link = $("a", item);
  say($("bdi", link), hook.url || hook.description || hook.id);
  link.href = `/console/${encodeURIComponent(hook.id)}`;
  showHealth($(".health", item), health);
  put($(".why", item), health.reason);
  put($(".description", item), hook.url ? hook.description : hook.description && hook.id);
  put($(".owner", item), operator ? `Owner: ${hook.owner}` : "");
  say($(".waiting", item), count(hook.waiting));
  say($(".in-flight", item), count(hook.in_flight));
  say($(".sequence", item), count(hook.last_sequence));
}

function wanted(hook) {
  const { health, owner } = Object.fromEntries(new FormData(narrow));
  return (!health || healthOf(hook).kind === health) && (!owner || hook.owner === owner);
}

function show() {
  const found = hooks.filter(wanted).sort(worstFirst);
  const items = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const next = found.slice(0, SHOWN).map((hook) => {
    const item = items.get(hook.id) || copyOf("hook");
    item.dataset.id = hook.id;
    fill(item, hook);
    return item;
  });
  if (next.length !== list.children.length || next.some((item, at) => item !== list.children[at])) {
    const focused = document.activeElement; // moving an element takes the focus from it
    list.replaceChildren(...next);
    if (list.contains(focused)) focused.focus();
  }
  summarise(found);
}

function summarise(found) {
  const failing = hooks.filter((hook) => healthOf(hook).kind === "failing").length;
  const waiting = hooks.reduce((sum, hook) => sum + (hook.waiting || 0), 0);
  const parts = [countOf(hooks.length, "endpoint"), failing ? `${failing} failing` : "none failing"];
  if (waiting) parts.push(`${countOf(waiting, "push", "pushes")} waiting`);
  if (found.length < hooks.length) parts.push(`${found.length} shown`);
  say($("#sum"), hooks.length ? parts.join(" · ") : "");
  $("#first").hidden = hooks.length > 0;
  narrow.hidden = hooks.length < 2;
  put($("#none"), hooks.length && !found.length ? "No endpoint is like that now. Choose another health or owner." : "");
  put($("#more"), found.length > SHOWN || !complete ? `The first ${Math.min(found.length, SHOWN)} are shown: narrow them by health or owner.` : "");
}

// An option that is chosen stays, even if nothing is like that now.
function offer(select, names, label) {
  const chosen = select.value || new URLSearchParams(location.search).get(select.name) || "";
  const values = ["", ...new Set(chosen ? [...names, chosen] : names)];
  if (values.join() === [...select.options].map((option) => option.value).join()) return;
  select.replaceChildren(...values.map((name) => new Option(name ? label(name) : "All", name, false, name === chosen)));
}

async function refresh() {
  try {
    const found = await all("/v1/webhooks");
    hooks = found.items;
    complete = found.complete;
    await showTold();
    put($("#lost"), "");
  } catch (problem) {
    return put($("#lost"), problem.status === 401 ? "" : problem.message);
  }
  offer($("#n-health"), Object.keys(KINDS), (kind) => KINDS[kind]);
  offer($("#n-owner"), [...new Set(hooks.map((hook) => hook.owner))].sort(), (name) => name);
  show();
}

narrow.addEventListener("input", () => {
  const query = new URLSearchParams([...new FormData(narrow)].filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  show();
});
narrow.addEventListener("submit", (event) => event.preventDefault());

signedIn((self) => {
  operator = self.role === "operator";
  $("#owners").hidden = !operator;
  whileSeen(refresh, () => (hooks.length > SHOWN ? 30_000 : 3_000));
});
