// An endpoint's attempts, newest on top, as they happen: asked for each second while somebody looks.

import { $, copyOf, longTime, moment, put, say, shortTime, whileSeen } from "./console-dom.js";
import { call, hookPath } from "./console-api.js";
import { resultOf, showOutcome } from "./console-health.js";
import { openAttempt, watchAttempt } from "./console-attempt.js";

const PAGE = 50;
const MOST = 500;
const SPEAK_MS = 4_000; // a busy endpoint must not keep a screen reader talking

// An id is "MS-NUMBER", or "MS-NUMBER.PLACE": each part counts as a number.
const rank = (attempt) => attempt.id.split(/[-.]/).map(Number);

function newestFirst(a, b) {
  const [x, y] = [rank(a), rank(b)];
  return y[0] - x[0] || (y[1] || 0) - (x[1] || 0) || (y[2] || 0) - (x[2] || 0);
}

function row(id, attempt) {
  const item = copyOf("attempt");
  const at = moment(attempt.at);
  item.dataset.id = attempt.id;
  const when = $(".when", item);
  say(when, at ? shortTime(at) : "");
  if (at) when.title = longTime(at);
  showOutcome($(".outcome", item), attempt.outcome);
  say($(".answer", item), resultOf(attempt));
  const nth = attempt.attempt > 1 ? `, try ${attempt.attempt}` : "";
  say($(".event", item), `#${attempt.sequence} ${attempt.type || ""}${attempt.replay ? ", replay" : ""}${nth}`);
  say($(".took", item), attempt.ms === undefined ? "" : `${Math.round(attempt.ms)} ms`);
  say($(".uri", item), attempt.uri ? `${attempt.uri} v${attempt.version}` : "");
  $("button", item).addEventListener("click", () => openAttempt(id, attempt));
  return item;
}

// Starts to watch; returns what looks at once.
export function watchAttempts(id) {
  const list = $("#attempts");
  const older = $("#older");
  const outcome = $("#n-outcome");
  let known = new Map();
  let cursor = null; // where older ones go on
  let place = "0-0"; // after which newer ones come
  let loaded = false;
  let arrived = 0;
  let spoke = 0;

  const ask = (query) => {
    const wanted = { limit: PAGE, ...query, ...(outcome.value && { outcome: outcome.value }) };
    return call("GET", hookPath(id, `/attempts?${new URLSearchParams(wanted)}`));
  };

  // Rows that are there already stay where they are, and keep the focus.
  function show(fresh = new Set()) {
    const found = [...known.values()].sort(newestFirst).slice(0, MOST);
    const items = new Map([...list.children].map((item) => [item.dataset.id, item]));
    const kept = new Set(found.map((attempt) => attempt.id));
    for (const [name, item] of items) if (!kept.has(name)) item.remove();
    let at = list.firstElementChild;
    for (const attempt of found) {
      if (at?.dataset.id === attempt.id) at = at.nextElementSibling;
      else {
        const item = items.get(attempt.id) || row(id, attempt);
        if (fresh.has(attempt.id)) item.classList.add("fresh");
        list.insertBefore(item, at);
      }
    }
    known = new Map(found.map((attempt) => [attempt.id, attempt]));
    put($("#none"), found.length ? "" : outcome.value ? "There is none like that." : "Nothing has been sent yet.");
    older.hidden = !cursor || found.length >= MOST;
  }

  function speak(count) {
    arrived += count;
    const now = Date.now();
    if (now - spoke < SPEAK_MS && loaded) return;
    spoke = now;
    say($("#live"), arrived ? `Live, ${arrived} new` : "Live");
  }

  async function first() {
    const wanted = outcome.value;
    const page = await ask({});
    if (wanted !== outcome.value) return; // another outcome was chosen meanwhile
    known = new Map(page.items.map((attempt) => [attempt.id, attempt]));
    cursor = page.cursor;
    place = page.items[0]?.id || "0-0";
    show();
    speak(0);
    loaded = true;
  }

  // Where an outcome is asked for, a page may hold few or none and still have a cursor: it is where to look on.
  async function next() {
    const wanted = outcome.value;
    const page = await ask({ after: place });
    if (wanted !== outcome.value || !loaded) return;
    place = page.cursor || page.items.at(-1)?.id || place;
    const fresh = page.items.filter((attempt) => !known.has(attempt.id));
    for (const attempt of fresh) known.set(attempt.id, attempt);
    if (fresh.length) show(new Set(fresh.map((attempt) => attempt.id)));
    speak(fresh.length);
  }

  const look = whileSeen(async () => {
    try {
      await (loaded ? next() : first());
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      say($("#live"), problem.status === 401 ? "" : "Not live now");
      spoke = 0;
    }
  }, () => 1_000);

  outcome.value = new URLSearchParams(location.search).get("outcome") || "";
  outcome.addEventListener("change", () => {
    history.replaceState(null, "", outcome.value ? `?outcome=${outcome.value}` : location.pathname);
    loaded = false;
    known = new Map();
    arrived = 0;
    look();
  });
  $("#narrow").addEventListener("submit", (event) => event.preventDefault());
  older.addEventListener("click", async () => {
    const last = list.lastElementChild;
    let page;
    try {
      page = await ask({ cursor });
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      return put($("#none"), problem.status === 401 ? "" : problem.message); // the button is still there
    }
    cursor = page.cursor;
    for (const attempt of page.items) known.set(attempt.id, attempt);
    show();
    const next = last ? last.nextElementSibling : list.firstElementChild;
    if (next) $("button", next).focus(); // where reading goes on
  });
  watchAttempt(id, () => look());
  return look;
}
