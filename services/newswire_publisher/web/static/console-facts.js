// An endpoint's settings, in words.

import { $, longTime, moment } from "./console-dom.js";
import { pairs } from "./console-exchange.js";

const LABELS = {
  languages: "Languages",
  sections: "Sections",
  topics: "Topics",
  places: "Places",
  sources: "Sources",
  genres: "Genres",
  words: "Any of these words",
  phrases: "Any of these phrases",
};

function filterRows(filter) {
  const { exclude, urgency, ...others } = filter || {};
  const rows = Object.entries(others).map(([name, value]) => [LABELS[name] || name, LABELS[name] ? value.join(", ") : JSON.stringify(value)]);
  if (urgency) rows.push(["Urgency", `up to ${urgency}`]);
  if (exclude) {
    const { words, ...more } = exclude;
    rows.push(["None of", Object.keys(more).length ? JSON.stringify(exclude) : (words || []).join(", ")]);
  }
  return rows.length ? rows : [["Stories", "all"]];
}

function keyRows(keys) {
  return (keys || []).map((key, at) => [
    at ? "Older secret" : "Secret",
    key.expires ? `ends ${longTime(moment(key.expires))}` : `since ${longTime(moment(key.created))}`,
  ]);
}

// What only pushes have.
function pushRows(hook) {
  return [
    ["Signature", hook.signature === "v1a" ? "v1a, ed25519" : "v1, HMAC-SHA256"],
    ["Public key", hook.public_key],
    ...keyRows(hook.keys),
    ["Rate", hook.rate ? `${hook.rate} a second at most` : "no bound"],
    ["At once", hook.ordered ? "1, in strict order" : `${hook.concurrency} at most`],
    ["Not after", hook.max_age ? `${hook.max_age} s` : ""],
    ["Retries", hook.retry ? (hook.retry.length ? `after ${hook.retry.join(", ")} s` : "none") : "5 s to 24 h, nine times"],
    ["Headers", Object.entries(hook.headers || {}).map(([name, value]) => `${name}: ${value}`).join("\n")],
  ];
}

export function showFacts(hook, operator) {
  pairs($("#facts"), [
    ...filterRows(hook.filter),
    ["Events", hook.events?.length ? hook.events.map((type) => type.replace("article.", "")).join(", ") : "all"],
    ["Format", hook.format],
    ...(hook.url ? pushRows(hook) : []),
    ["Owner", operator ? hook.owner : ""],
    ["Registered", moment(hook.created) ? longTime(moment(hook.created)) : ""],
    ["Id", hook.id],
  ]);
}
