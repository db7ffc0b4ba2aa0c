// What was told of the health of endpoints, newest first: failing, recovered, disabled, given up.

import { $, countOf, make, moment, timeOf } from "./console-dom.js";
import { call } from "./console-api.js";
import { resultOf } from "./console-health.js";

const SHOWN = 12;

const of = (notice) => (notice.uri ? `${notice.uri}, event ${notice.sequence}` : `event ${notice.sequence}`);
const cause = (notice) => [resultOf(notice), notice.status ? "" : notice.detail].filter(Boolean).join(", ");

function words(notice) {
  const why = cause(notice) ? ` (${cause(notice)})` : "";
  switch (notice.type) {
    case "webhook.failing":
      return `Every push fails${why}.`;
    case "webhook.recovered":
      return "It takes pushes again.";
    case "webhook.disabled":
      return `It was disabled: ${notice.reason}.`;
    case "webhook.exhausted":
      return `Given up after ${countOf(notice.attempts, "attempt")}${why}: ${of(notice)}.`;
    case "webhook.kill_untaken":
      return `A kill is not taken after ${countOf(notice.attempts, "attempt")}${why}: ${of(notice)}.`;
    default:
      return notice.type;
  }
}

function row(notice, named) {
  const address = notice.url || notice.description || notice.webhook;
  const link = named ? make("a", { href: `/console/${encodeURIComponent(notice.webhook)}` }, make("bdi", { textContent: address })) : null;
  const kind = notice.type.split(".")[1];
  return make("li", { className: kind }, timeOf(moment(notice.at)), " ", link, link && " ", make("bdi", { textContent: words(notice) }));
}

// Shows what was told of one endpoint, or of all with their addresses.
export async function showTold(id) {
  const only = id ? `&webhook=${encodeURIComponent(id)}` : "";
  const { items: found } = await call("GET", `/v1/webhooks/notices?limit=${SHOWN}${only}`);
  const list = $("#told ol");
  const newest = found.map((notice) => notice.id).join();
  if (list.dataset.shown === newest) return;
  list.dataset.shown = newest;
  list.replaceChildren(...found.map((notice) => row(notice, !id)));
  $("#told").hidden = !found.length;
}
