// What whoever has an endpoint should know now: that it fails, waits, is stopped, or is not proven yet.

import { $, lengthOf, longTime, make, moment } from "./console-dom.js";
import { healthOf, resultOf } from "./console-health.js";

function textOf(hook, now) {
  const last = hook.last_attempt && resultOf(hook.last_attempt);
  const said = last ? ` The last answer: ${last}.` : "";
  switch (healthOf(hook, now).kind) {
    case "failing": {
      const since = moment(hook.failing_since);
      const open = hook.circuit && hook.circuit !== "closed" ? " One push at a time is tried until it works." : "";
      const length = since ? ` since ${longTime(since)}, for ${lengthOf(now - since)}` : "";
      const soonest = moment(hook.next_probe || hook.paused_until);
      const next = soonest > now ? ` The next try is at ${longTime(soonest)}.` : "";
      return `No push has been taken${length}.${said}${open}${next} Nothing is lost: what waits is sent when it works again. An endpoint that fails for days is disabled.`;
    }
    case "disabled":
      return `Nothing is sent: ${hook.disabled_reason || "it is disabled"}. What comes meanwhile waits, and goes first when you enable it.`;
    case "pending":
      return "Nothing is sent before your endpoint echoes the challenge: answer the webhook.challenge event with its challenge in the body, then send the challenge again.";
    case "paused":
      return `Your endpoint asked for nothing before ${longTime(moment(hook.paused_until))}.`;
    default:
      return "";
  }
}

export function showNotices(hook, now = new Date()) {
  const box = $("#notices");
  const text = textOf(hook, now);
  if (box.textContent !== text) box.replaceChildren(...(text ? [make("p", { textContent: text })] : []));
  box.className = `correction ${healthOf(hook, now).kind}`;
  box.hidden = !text;
}
