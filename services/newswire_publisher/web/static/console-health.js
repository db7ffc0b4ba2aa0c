// What an endpoint's figures say of its health; pure.

import { lengthOf, moment } from "./console-dom.js";

// As the API says them, the worst first.
export const KINDS = {
  unsigned: "Not signed",
  failing: "Failing",
  disabled: "Disabled",
  retrying: "Retrying",
  paused: "Paused",
  pending: "Pending",
  ok: "Delivering",
  quiet: "Quiet",
  pull: "Pull only",
};

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

const OUTCOMES = {
  delivered: "Delivered",
  retry: "Failed, tried again",
  exhausted: "Given up",
  gone: "Gone",
  superseded: "Superseded",
  expired: "Too old",
  cancelled: "Cancelled",
};

export function showOutcome(element, outcome) {
  element.className = `outcome ${outcome}`;
  element.textContent = OUTCOMES[outcome] || outcome;
}

// What came of one try, in a few words: "503", or "connection refused".
export function resultOf(attempt) {
  if (attempt.status) return String(attempt.status);
  return ERRORS[attempt.error] || attempt.error || "";
}

function reasonOf(kind, hook, now) {
  const since = moment(hook.failing_since);
  const last = hook.last_attempt && resultOf(hook.last_attempt);
  switch (kind) {
    case "unsigned":
      return `its pushes wait: ${hook.unsigned}`;
    case "failing":
      return [since ? `since ${lengthOf(now - since)}` : "", last ? `last: ${last}` : ""].filter(Boolean).join(", ");
    case "disabled":
      return hook.disabled_reason || "";
    case "pending":
      return "its owner has not been proven yet";
    case "paused":
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
  const kind = hook.health;
  return { kind, label: KINDS[kind] || kind, reason: reasonOf(kind, hook, now) };
}

export function showHealth(element, health) {
  element.className = `health ${health.kind}`;
  if (element.textContent !== health.label) element.textContent = health.label;
}
