// What the list is narrowed to: the form's fields and the page's address say the same, so that a reload keeps it.

import { $, copyOf, countText, say } from "./console-dom.js";
import { KINDS } from "./console-health.js";

const form = $("#narrow");
const chips = $("#healths");
const TYPED = 250; // ms without a key after which a word is taken to be typed

const asked = () => new URLSearchParams(location.search);
export const ofAddress = (name) => asked().get(name) || "";

function chip(kind) {
  const label = copyOf("chip");
  const input = $("input", label);
  input.value = kind;
  input.checked = kind === ofAddress("health");
  say($(".name", label), kind ? KINDS[kind] : "All");
  return label;
}

// A word that nothing is like is not offered, but one that is chosen stays.
function offerHealths({ total, health }) {
  const chosen = ofAddress("health");
  const kinds = ["", ...Object.keys(KINDS).filter((kind) => health[kind] || kind === chosen)];
  const before = new Map([...chips.querySelectorAll("label")].map((label) => [$("input", label).value, label]));
  const labels = kinds.map((kind) => before.get(kind) || chip(kind));
  if (labels.length !== before.size || labels.some((label) => !label.isConnected)) {
    const focused = document.activeElement;
    chips.replaceChildren($("legend", chips), ...labels);
    if (chips.contains(focused)) focused.focus();
  }
  labels.forEach((label, at) => {
    label.className = kinds[at];
    say($("b", label), countText(kinds[at] ? health[kinds[at]] || 0 : total));
  });
}

function offerOwners({ owners }) {
  const select = $("#n-owner");
  const chosen = ofAddress("owner");
  const names = ["", ...new Set([...Object.keys(owners), ...(chosen ? [chosen] : [])])];
  if (names.join() === [...select.options].map((option) => option.value).join()) return;
  select.replaceChildren(...names.map((name) => new Option(name || "All", name, false, name === chosen)));
}

export function offer(summary, withOwners) {
  offerHealths(summary);
  $("#owners").hidden = !withOwners;
  if (withOwners) offerOwners(summary);
  form.hidden = summary.total < 2;
}

// What the API is to be asked for; `shown` is the page's own.
export function wanted() {
  const query = asked();
  query.delete("shown");
  return { order: "health", ...Object.fromEntries(query) };
}

export function address(changes) {
  const query = asked();
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

// Calls `changed` once something else is asked for.
export function watchNarrow(changed) {
  let timer;
  for (const name of ["q", "order"]) form.elements[name].value = ofAddress(name);
  const take = () => {
    clearTimeout(timer);
    address({ ...Object.fromEntries(new FormData(form)), q: form.elements.q.value.trim(), shown: "" });
    changed();
  };
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(take, event.target.type === "search" ? TYPED : 0);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
}
