// All endpoints that the token may see, the failing ones first; searched and narrowed by the API, shown a window at a time.

import { $, countOf, countText, put, say, whileSeen } from "./console-dom.js";
import { call } from "./console-api.js";
import { address, ofAddress, offer, wanted, watchNarrow } from "./console-narrow.js";
import { findPlace } from "./console-place.js";
import { showRows } from "./console-rows.js";
import { signedIn } from "./console-session.js";
import { showTold } from "./console-told.js";

const WINDOW = 50;
const MOST = 500; // as many as the API gives at once
const list = $("#hooks");
const more = $("#more");
let operator = false;
let asked = 0;
let isOpened = false;
let many = false; // then each look costs the wire more

const shown = () => Math.min(Math.max(Number.parseInt(ofAddress("shown"), 10) || WINDOW, WINDOW), MOST);

function load() {
  const query = new URLSearchParams({ ...wanted(), limit: shown() });
  return Promise.all([call("GET", `/v1/webhooks?${query}`), call("GET", "/v1/webhooks/summary")]);
}

function summarise({ items, total }, summary) {
  const parts = [total < summary.total ? `${countText(total)} of ${countOf(summary.total, "endpoint")}` : countOf(total, "endpoint")];
  parts.push(summary.health.failing ? `${countText(summary.health.failing)} failing` : "none failing");
  say($("#sum"), summary.total ? parts.join(" · ") : "");
  $("#first").hidden = summary.total > 0;
  put($("#none"), summary.total && !total ? "No endpoint is like that now. Search for something else, or choose another health or owner." : "");
  const left = total - items.length;
  more.hidden = left <= 0 || items.length >= MOST;
  say(more, `Show ${countText(Math.min(left, WINDOW))} more`);
  const end = left > 0 ? `${countText(items.length)} of ${countText(total)} are shown` : "";
  say($("#end"), end && more.hidden ? `${end}: search to see the others.` : end && `${end}.`);
}

async function refresh() {
  asked += 1;
  const turn = asked;
  let found;
  let summary;
  try {
    [found, summary] = await load();
    if (turn !== asked) return; // something else is asked for meanwhile
    put($("#lost"), "");
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (turn === asked) put($("#lost"), problem.status === 401 ? "" : problem.message);
    return;
  }
  many = summary.total > 200;
  offer(summary, operator);
  showRows(list, found.items, operator);
  summarise(found, summary);
  if (!isOpened) findPlace();
  isOpened = true;
  await showTold().catch((problem) => put($("#lost"), problem.status === 401 ? "" : problem.message));
}

more.addEventListener("click", async () => {
  const last = list.children.length;
  address({ shown: String(shown() + WINDOW) });
  await refresh();
  $("a", list.children[last] || list.lastElementChild)?.focus(); // where reading goes on
});

watchNarrow(refresh);
signedIn((self) => {
  operator = self.role === "operator";
  whileSeen(refresh, () => (list.children.length > 2 * WINDOW ? 10_000 : many ? 6_000 : 3_000));
});
