// What an endpoint's figures say of its health; pure.

import { lengthOf, moment } from "./console-dom.js";

export const KINDS = {
  unsigned: "Not signed",
  failing: "Failing",
  disabled: "Disabled",
  retrying: "Retrying",
  waiting: "Waiting",
  pending: "Pending",
  delivering: "Delivering",
  quiet: "Quiet",
  pull: "Pull only",
};

const WORST_FIRST = Object.keys(KINDS);
const ERRORS = {
  timeout: "no answer in time",
  dns: "its name does not resolve",
  tls: "no secure connection",
  refused: "connection refused",
  unreachable: "not reachable",
  reset: "connection broken off",
  protocol: "its answer is no HTTP",
  guarded: "its address is not allowed",
};

// What came of one try, in a few words: "503", or "connection refused".
export function resultOf(attempt) {
  if (attempt.status) return String(attempt.status);
  return ERRORS[attempt.error] || attempt.error || "";
}

function kindOf(hook, now) {
  if (hook.status === "pending") return "pending";
  if (hook.enabled === false) return "disabled";
  if (!hook.url) return "pull";
  if (hook.unsigned) return "unsigned";
  if (hook.failing_since || (hook.circuit && hook.circuit !== "closed")) return "failing";
  if (moment(hook.paused_until) > now) return "waiting";
  if (["retry", "exhausted"].includes(hook.last_attempt?.outcome)) return "retrying";
  return hook.last_attempt || hook.last_sequence ? "delivering" : "quiet";
}

function reasonOf(kind, hook, now) {
  const since = moment(hook.failing_since);
  const last = hook.last_attempt && resultOf(hook.last_attempt);
  switch (kind) {
    case "failing":
      return [since ? `since ${lengthOf(now - since)}` : "", last ? `last: ${last}` : ""].filter(Boolean).join(", ");
    case "unsigned":
      return `its pushes wait: ${hook.unsigned}`;
    case "disabled":
      return hook.disabled_reason || "";
    case "pending":
      return "its owner has not been proven yet";
    case "waiting":
      return `it asked for nothing before ${moment(hook.paused_until).toISOString().slice(11, 16)} UTC`;
    case "quiet":
      return "nothing has been sent yet";
    case "pull":
      return "its events are fetched, not pushed";
    case "retrying":
      return `last: ${last}`;
    default:
      return "";
  }
}

export function healthOf(hook, now = new Date()) {
  const kind = kindOf(hook, now);
  return { kind, label: KINDS[kind], reason: reasonOf(kind, hook, now) };
}

// Failing ones first, the longest failing of them on top; then by how much waits, then by age.
export function worstFirst(a, b) {
  const rank = (hook) => WORST_FIRST.indexOf(healthOf(hook).kind);
  const since = (hook) => moment(hook.failing_since)?.getTime() ?? Infinity;
  return (
    rank(a) - rank(b) ||
    (since(a) === since(b) ? 0 : since(a) - since(b)) ||
    (b.waiting || 0) - (a.waiting || 0) ||
    (a.created < b.created ? -1 : 1)
  );
}

export function showHealth(element, health) {
  element.className = `health ${health.kind}`;
  if (element.textContent !== health.label) element.textContent = health.label;
}
